"""Rolling forms over label bars; no window bridges a gap, and one that holds a NaN is NaN."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ftfkit.extending import Columns, trailing
from ftfkit.types import Bars, FloatArray


def rolled(label: Bars, columns: Columns, n: int, function: Callable[[FloatArray], FloatArray]) -> Columns:
    """``function`` of the ``n`` latest values of each column, every gap-free segment by itself.

    Parameters
    ----------
    label : Bars
        Label bars that the columns are aligned with.
    columns : mapping of str to ndarray, shape (n_label_bars,)
    n : int
        Window, label bars.
    function : callable
        From windows, shape (rows, n), to values, shape (rows,).
    """
    segments = label.segments or (slice(0, 0),)
    return {
        name: np.concatenate([function(trailing(column[rows], n)) for rows in segments])
        for name, column in columns.items()
    }

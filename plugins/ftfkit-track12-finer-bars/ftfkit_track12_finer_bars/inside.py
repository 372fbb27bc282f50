"""The native bars that make up each label bar, as matrices with one row a label bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ftfkit.errors import ConfigError
from ftfkit.types import Bars, FloatArray

OWNER = "plugin ftfkit-track12-finer-bars"


@dataclass(frozen=True, eq=False)
class Inside:
    """Prices and volumes of the m native bars inside each of n label bars; every array has shape (n, m).

    Rows of label bars that lack a native bar are NaN throughout.

    Attributes
    ----------
    step : ndarray of float64
        Log return of each native bar; the first one starts at the label bar's open, so that none leaves it.
    high, low, close, volume : ndarray of float64
    """

    step: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    @property
    def n_inside(self) -> int:
        """Native bars a label bar, at least 2."""
        return int(self.step.shape[1])


def look_inside(label: Bars, native: Bars) -> Inside:
    """Native bars inside each label bar.

    Raises
    ------
    ConfigError
        When native bars are not finer than label bars, or label bars are no whole number of them.
    """
    if label.bar_hours <= native.bar_hours or label.bar_hours % native.bar_hours:
        rule = f"must be a multiple, 2 or more, of the {native.bar_hours} h native bars for features=finer_bars"
        raise ConfigError(f"market of {label.asset}", "label.bar_hours", label.bar_hours, rule, OWNER)
    n_inside = label.bar_hours // native.bar_hours
    first = np.searchsorted(native.open_time, label.open_time)
    closes = np.append(native.close_time, np.full(n_inside, np.iinfo(np.int64).max))
    whole = closes[first + n_inside - 1] <= label.close_time  # n bars of that length fit in no other way
    rows = np.where(whole[:, None], first[:, None] + np.arange(n_inside), len(native))
    open_, high, low, close, volume = (
        np.append(getattr(native, name), np.nan)[rows] for name in ("open", "high", "low", "close", "volume")
    )
    path = np.log(np.column_stack([open_[:, :1], close]))
    return Inside(np.diff(path, axis=1), high, low, close, volume)

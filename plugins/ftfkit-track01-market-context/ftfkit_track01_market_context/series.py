"""Series of one asset's bars and measures of trailing windows; a window that holds a NaN is NaN."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ftfkit.extending import Columns, trailing
from ftfkit.types import Bars, FloatArray

Column = FloatArray  # shape (n_bars,)


def log_steps(bars: Bars) -> Column:
    """Log return from the bar before, NaN on the first bar of each gap-free segment."""
    step = np.full(len(bars), np.nan)
    step[1:] = np.diff(np.log(bars.close))
    step[[rows.start for rows in bars.segments]] = np.nan
    return step


def by_segment(bars: Bars, function: Callable[[Bars], Columns]) -> Columns:
    """Columns of each gap-free segment by itself, joined again."""
    blocks = [function(bars.take(rows)) for rows in bars.segments or (slice(0, 0),)]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def covariance(x: Column, y: Column, n: int) -> Column:
    """Trailing population covariance of two aligned series; shape (len(x),)."""
    a, b = trailing(x, n), trailing(y, n)
    return np.asarray(((a - a.mean(axis=1, keepdims=True)) * (b - b.mean(axis=1, keepdims=True))).mean(axis=1))


def correlation(x: Column, y: Column, n: int) -> Column:
    """Trailing Pearson correlation of two aligned series; not finite where one of them does not move."""
    return np.asarray(covariance(x, y, n) / np.sqrt(covariance(x, x, n) * covariance(y, y, n)))

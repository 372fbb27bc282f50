"""Which bar of another asset is known at the close of each own bar: the one place where look-ahead is decided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ftfkit.types import Bars, IntArray
from ftfkit_track01_market_context.series import Column, log_steps


@dataclass(frozen=True, eq=False)
class Alignment:
    """Another asset's bars seen from the closes of one's own.

    Attributes
    ----------
    other : Bars
    index : ndarray of int64, shape (n_own_bars,)
        Latest bar of ``other`` that is closed at the own bar's close; -1 where there is none or it is too old.
    """

    other: Bars
    index: IntArray

    def known(self, series: Column) -> Column:
        """Value of a series of ``other`` that is known at each own close, NaN where none is; shape (n_own_bars,)."""
        return np.append(series, np.nan)[self.index]

    def paired_steps(self) -> Column:
        """Log return of ``other`` over the step of each own bar; NaN unless both moved on by exactly one bar.

        Notes
        -----
        A bar that is used twice while newer ones are missing would put a false zero beside the own return, and a bar
        after a gap the return of several bars; windows over these steps are NaN instead.
        """
        moved = np.diff(self.index, prepend=-1) == 1
        return np.where(moved, self.known(log_steps(self.other)), np.nan)


def align(own: Bars, other: Bars, max_age_bars: int) -> Alignment:
    """Latest bar of ``other`` closed by each own close, at most ``max_age_bars`` own bars before it.

    Clocks may differ: a bar counts from its ``close_time`` on, whatever grid it lies on.
    """
    index = np.searchsorted(other.close_time, own.close_time, side="right") - 1
    some = np.flatnonzero(index >= 0)
    age = own.close_time[some] - other.close_time[index[some]]
    index[some[age > max_age_bars * own.bar_ns]] = -1
    return Alignment(other, index.astype(np.int64, copy=False))

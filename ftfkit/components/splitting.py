"""Which events train and which are tested."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np
from pydantic import Field

from ftfkit.components.base import Component
from ftfkit.errors import DataError
from ftfkit.types import IntArray, Split


class Splitter(Component):
    """Purged cross-validation over calendar blocks shared by all assets; also a scikit-learn splitter.

    To scikit-learn, ``groups`` are the label intervals: int64, shape (n, 2), columns t0 and t1 in ns UTC, rows in the
    order of X. The blocks then divide the period from the first to the last t0.

    Attributes
    ----------
    n_folds : int
        Folds of the cross-validation.
    embargo_bars : int
        Label bars after each test block that are not trained on.
    bar_hours : int
        Length of a label bar, in hours; the core sets the label scheme's own.
    valid_frac : float
        Inner validation: last share of the training events.
    oof_groups : int
        Out-of-fold groups of the training events.
    repeats : int
        Model seeds that a cell is averaged over.
    """

    n_folds: int = Field(default=5, ge=2, le=1_000)
    embargo_bars: int = Field(default=24, ge=0, le=10_000)
    bar_hours: int = Field(default=4, ge=1)
    valid_frac: float = Field(default=0.25, gt=0, lt=1)
    oof_groups: int = Field(default=4, ge=2, le=1_000)
    repeats: int = Field(default=1, ge=1)

    @abstractmethod
    def edges(self, start_ns: int, end_ns: int) -> IntArray:
        """Block edges of the common period [start, end), ns UTC; shape (n_blocks + 1,)."""

    @abstractmethod
    def folds(self, t0: IntArray, t1: IntArray, edges: IntArray) -> tuple[Split, ...]:
        """Purged folds of events sorted by ``t0``; an event belongs to the block of its ``t0``."""

    def split(self, X: object, y: object = None, groups: object = None) -> Iterator[tuple[IntArray, IntArray]]:
        """Train and test positions of each fold, for scikit-learn.

        Raises
        ------
        DataError
            When ``groups`` are not label intervals, or a fold has no training or no test event.
        """
        intervals = np.asarray(groups)
        if intervals.dtype.kind != "i" or intervals.ndim != 2 or intervals.shape[1] != 2 or len(intervals) == 0:
            got = f"{intervals.dtype} of shape {intervals.shape}"
            raise DataError(f"groups == {got}, must be label intervals [t0, t1]: int64 ns of shape (n, 2) (ftfkit)")
        order = np.argsort(intervals[:, 0], kind="stable")
        t0, t1 = intervals[order].T
        for fold in self.folds(t0, t1, self.edges(int(t0[0]), int(t0[-1]) + 1)):
            yield np.sort(order[fold.train]), np.sort(order[fold.test])

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Number of folds, for scikit-learn."""
        return self.n_folds

    def __sklearn_clone__(self) -> Splitter:
        return self.model_copy()

    @property
    def embargo_ns(self) -> int:
        return self.embargo_bars * self.bar_hours * 3_600_000_000_000

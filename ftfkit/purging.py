"""Purging and embargo on label intervals: the one place where leakage between rows is decided.

References
----------
Lopez de Prado, M. (2018), Advances in Financial Machine Learning, ch. 7.4.
"""

from __future__ import annotations

import numpy as np

from ftfkit.types import BoolArray, IntArray, Split


def overlaps(t0: IntArray, t1: IntArray, start: int, end: int) -> BoolArray:
    """Which closed label intervals [t0, t1] meet the closed interval [start, end]; shape (n,)."""
    return (t0 <= end) & (t1 >= start)


def purged_train(t0: IntArray, t1: IntArray, test: IntArray, embargo_ns: int) -> IntArray:
    """Positions outside ``test`` whose label interval is clear of the test block and of its embargo.

    Parameters
    ----------
    t0, t1 : ndarray of int64, shape (n,)
        Label intervals, ns UTC, closed, sorted by ``t0``.
    test : ndarray of int64
        Sorted positions of the tested events; every run of consecutive positions is a segment of its own.
    embargo_ns : int
        Length after each test segment in which no training event may start or still run.

    Returns
    -------
    ndarray of int64
        Sorted training positions.

    Examples
    --------
    >>> t0 = np.arange(6, dtype=np.int64) * 10
    >>> purged_train(t0, t0 + 10, np.array([2, 3]), embargo_ns=5)
    array([0, 5])
    """
    keep = np.ones(len(t0), dtype=bool)
    keep[test] = False
    if len(test) == 0:
        return np.flatnonzero(keep).astype(np.int64)
    for segment in np.split(test, np.flatnonzero(np.diff(test) != 1) + 1):
        keep &= ~overlaps(t0, t1, int(t0[segment].min()), int(t1[segment].max()) + embargo_ns)
    return np.flatnonzero(keep).astype(np.int64)


def consecutive_splits(t0: IntArray, t1: IntArray, n_groups: int, embargo_ns: int) -> tuple[Split, ...]:
    """Purged folds over ``n_groups`` consecutive equal-count groups by ``t0`` (inputs sorted by ``t0``)."""
    splits = []
    for number, test in enumerate(np.array_split(np.arange(len(t0), dtype=np.int64), n_groups)):
        train = purged_train(t0, t1, test, embargo_ns)
        splits.append(Split(number, train, test, len(t0) - len(test) - len(train)))
    return tuple(splits)


def tail_split(t0: IntArray, t1: IntArray, valid_frac: float, embargo_ns: int) -> Split:
    """Inner validation: the last ``valid_frac`` of events by ``t0``, the events before it purged."""
    n_valid = max(1, round(len(t0) * valid_frac))
    test = np.arange(len(t0) - n_valid, len(t0), dtype=np.int64)
    train = purged_train(t0, t1, test, embargo_ns)
    return Split(0, train, test, len(t0) - n_valid - len(train))

"""Purging and embargo on label intervals: the one place where leakage between rows is decided.

References
----------
Lopez de Prado, M. (2018), Advances in Financial Machine Learning, ch. 7.4.
"""

from __future__ import annotations

import numpy as np

from ftfkit.errors import UNPLACED, DataError, DataSettingError
from ftfkit.types import BoolArray, IntArray, Split

_CURE = "take a longer period, fewer folds or a shorter embargo"


def overlaps(t0: IntArray, t1: IntArray, start: IntArray, end: IntArray) -> BoolArray:
    """Which closed label intervals [t0, t1] meet any of the closed intervals [start, end].

    Parameters
    ----------
    t0, t1 : ndarray of int64, shape (n,)
        Label intervals, ns UTC, in any order.
    start, end : ndarray of int64, shape (m,)
        Intervals sorted by ``start``; they may overlap each other.

    Returns
    -------
    ndarray of bool, shape (n,)

    Notes
    -----
    Of the intervals that start by t1, some one reaches t0 exactly when the latest end among them does.

    Examples
    --------
    >>> overlaps(np.array([0, 4, 9]), np.array([3, 5, 9]), np.array([5, 8]), np.array([6, 8]))
    array([False,  True, False])
    """
    latest_end = np.concatenate([[np.iinfo(np.int64).min], np.maximum.accumulate(end)])
    n_started = np.searchsorted(start, t1, side="right")
    return np.asarray(latest_end[n_started] >= t0)


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

    Raises
    ------
    DataError
        When the events are not sorted by ``t0``, or one ends before it starts.

    Examples
    --------
    >>> t0 = np.arange(6, dtype=np.int64) * 10
    >>> purged_train(t0, t0 + 10, np.array([2, 3]), embargo_ns=5)
    array([0, 5])
    """
    if (t0[1:] < t0[:-1]).any() or (t1 < t0).any():
        raise DataError("label intervals must be sorted by t0, with t1 >= t0 (ftfkit)")
    keep = np.ones(len(t0), dtype=bool)
    if len(test) > 0:
        first = np.concatenate([[0], np.flatnonzero(np.diff(test) != 1) + 1])
        end = np.maximum.reduceat(t1[test], first) + embargo_ns
        keep = ~overlaps(t0, t1, t0[test[first]], end)
        keep[test] = False
    return np.flatnonzero(keep).astype(np.int64, copy=False)


def block_splits(
    t0: IntArray, t1: IntArray, edges: IntArray, embargo_ns: int, *, past_only: bool = False
) -> tuple[Split, ...]:
    """Purged folds over calendar blocks; an event belongs to the block [edge, next edge) of its ``t0``.

    Parameters
    ----------
    t0, t1 : ndarray of int64, shape (n,)
        Label intervals, ns UTC, closed, sorted by ``t0``; events outside the edges are in no fold at all.
    edges : ndarray of int64, shape (n_blocks + 1,)
        Increasing block edges, ns UTC.
    embargo_ns : int
        Embargo after each tested block.
    past_only : bool
        Test each block but the first on a model of the blocks before it, rather than every block on all others.

    Returns
    -------
    tuple of Split
        ``n_blocks`` folds, one fewer with ``past_only``.

    Raises
    ------
    DataSettingError
        When a fold has no training or no test event; names the fold and its calendar span.
    """
    cut = np.searchsorted(t0, edges).tolist()
    setting = "cv.n_folds", len(edges) - 1 - int(past_only)
    splits = []
    for fold, block in enumerate(range(int(past_only), len(edges) - 1)):
        window = slice(cut[0], cut[block + 1] if past_only else cut[-1])
        test = np.arange(cut[block], cut[block + 1], dtype=np.int64) - window.start
        first, last = edges[block : block + 2].astype("datetime64[ns]").astype("datetime64[m]")
        place = f"fold {fold} ({first} to {last})"
        split = _purged_split(setting, place, fold, t0[window], t1[window], test, embargo_ns)
        splits.append(Split(fold, split.train + window.start, split.test + window.start, split.n_purged))
    return tuple(splits)


def consecutive_splits(t0: IntArray, t1: IntArray, n_groups: int, embargo_ns: int) -> tuple[Split, ...]:
    """Purged folds over ``n_groups`` consecutive equal-count groups by ``t0`` (inputs sorted by ``t0``).

    Raises
    ------
    DataSettingError
        When a group has no training or no test event.
    """
    setting = "cv.oof_groups", n_groups
    groups = np.array_split(np.arange(len(t0), dtype=np.int64), n_groups)
    return tuple(
        _purged_split(setting, f"out-of-fold group {number} of {n_groups}", number, t0, t1, test, embargo_ns)
        for number, test in enumerate(groups)
    )


def tail_split(t0: IntArray, t1: IntArray, valid_frac: float, embargo_ns: int) -> Split:
    """Inner validation: the last ``valid_frac`` of events by ``t0``, the events before it purged.

    Raises
    ------
    DataSettingError
        When nothing is left to train on.
    """
    n_valid = min(len(t0), max(1, round(len(t0) * valid_frac)))
    test = np.arange(len(t0) - n_valid, len(t0), dtype=np.int64)
    return _purged_split(("cv.valid_frac", valid_frac), "inner validation", 0, t0, t1, test, embargo_ns)


def calendar_edges(start_ns: int, end_ns: int, n_blocks: int) -> IntArray:
    """Edges of ``n_blocks`` equal calendar blocks of [start, end), to the nanosecond; shape (n_blocks + 1,).

    Raises
    ------
    DataError
        When the period is empty or too short to be cut.

    Examples
    --------
    >>> calendar_edges(0, 10, 4)
    array([ 0,  2,  5,  7, 10])
    """
    length = int(end_ns) - int(start_ns)  # Python integers: the product below may pass 2**63
    if length < n_blocks:
        raise DataError(f"common period of {length} ns must be long enough for {n_blocks} blocks (ftfkit)")
    return np.array([int(start_ns) + length * block // n_blocks for block in range(n_blocks + 1)], dtype=np.int64)


def _purged_split(
    setting: tuple[str, float], place: str, fold: int, t0: IntArray, t1: IntArray, test: IntArray, embargo_ns: int
) -> Split:
    train = purged_train(t0, t1, test, embargo_ns)
    for part, index in (("test", test), ("training", train)):
        if len(index) == 0:
            found = f"{place}: {part} events == 0 of {len(t0)} after purging"
            rule = f"must leave {part} events everywhere: {found}; {_CURE}"
            raise DataSettingError(UNPLACED, *setting, rule)
    return Split(fold, train, test, len(t0) - len(test) - len(train))

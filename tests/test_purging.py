"""Purging against double loops in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ftfkit.errors import DataError
from ftfkit.purging import block_splits, calendar_edges, consecutive_splits, overlaps, purged_train, tail_split

Interval = tuple[int, int]
repeatable = settings(deadline=None, derandomize=True)
INTERVALS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)), min_size=1, max_size=40).map(
    lambda pairs: sorted((start, start + length) for start, length in pairs)
)


def columns(intervals: list[Interval]) -> tuple[np.ndarray, np.ndarray]:
    t0, t1 = np.array(intervals, dtype=np.int64).reshape(-1, 2).T
    return t0, t1


def steps(n: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """``n`` events, one every 10, each ``length`` long."""
    t0 = np.arange(n, dtype=np.int64) * 10
    return t0, t0 + length


def segments_of(test: list[int]) -> list[list[int]]:
    segments: list[list[int]] = []
    for position in test:
        if segments and segments[-1][-1] == position - 1:
            segments[-1].append(position)
        else:
            segments.append([position])
    return segments


def oracle_train(intervals: list[Interval], test: list[int], embargo: int) -> list[int]:
    spans = [
        (min(intervals[i][0] for i in segment), max(intervals[i][1] for i in segment) + embargo)
        for segment in segments_of(test)
    ]
    return [
        position
        for position, (t0, t1) in enumerate(intervals)
        if position not in test and not any(t0 <= end and t1 >= start for start, end in spans)
    ]


@repeatable
@given(INTERVALS, INTERVALS)
@example([(2, 2)], [(0, 2), (1, 1)])
def test_overlaps_equals_a_double_loop(events, spans):
    got = overlaps(*columns(events), *columns(spans))
    assert got.tolist() == [any(t0 <= end and t1 >= start for start, end in spans) for t0, t1 in events]


@repeatable
@given(INTERVALS, st.data(), st.integers(0, 15))
def test_purged_train_equals_a_double_loop_for_any_test_set(events, data, embargo):
    test = sorted(data.draw(st.sets(st.integers(0, len(events) - 1))))
    got = purged_train(*columns(events), np.array(test, dtype=np.int64), embargo)
    assert got.dtype == np.int64
    assert got.tolist() == oracle_train(events, test, embargo)


def test_intervals_are_closed_at_both_ends():
    t0, t1 = steps(9, 10)
    assert purged_train(t0, t1, np.array([4]), 0).tolist() == [0, 1, 2, 6, 7, 8]
    assert purged_train(t0, t1 - 1, np.array([4]), 0).tolist() == [0, 1, 2, 3, 5, 6, 7, 8]


def test_the_embargo_follows_each_segment_and_never_precedes_it():
    t0, t1 = steps(12, 5)
    assert purged_train(t0, t1, np.array([2, 7]), 15).tolist() == [0, 1, 5, 6, 10, 11]


@pytest.mark.parametrize("intervals", [[(5, 6), (4, 7)], [(3, 2), (4, 5)]])
def test_intervals_that_would_hide_a_leak_are_refused(intervals):
    with pytest.raises(DataError, match="sorted by t0, with t1 >= t0"):
        purged_train(*columns(intervals), np.array([0]), 0)


def test_block_splits_test_every_block_on_all_others():
    t0, t1 = steps(12, 5)
    splits = block_splits(t0, t1, calendar_edges(0, 120, 3), embargo_ns=5)
    assert [split.test.tolist() for split in splits] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert [split.train.tolist() for split in splits] == [
        [5, 6, 7, 8, 9, 10, 11],
        [0, 1, 2, 3, 9, 10, 11],
        [0, 1, 2, 3, 4, 5, 6, 7],
    ]
    assert [split.n_purged for split in splits] == [1, 1, 0]


def test_past_only_splits_train_on_earlier_blocks_alone():
    t0, t1 = steps(12, 15)
    splits = block_splits(t0, t1, calendar_edges(0, 120, 3), embargo_ns=5, past_only=True)
    assert [split.fold for split in splits] == [0, 1]
    assert [split.test.tolist() for split in splits] == [[4, 5, 6, 7], [8, 9, 10, 11]]
    assert [split.train.tolist() for split in splits] == [[0, 1, 2], [0, 1, 2, 3, 4, 5, 6]]
    assert [split.n_purged for split in splits] == [1, 1]


@pytest.mark.parametrize("past_only", [False, True])
def test_events_outside_the_edges_are_in_no_fold(past_only):
    t0, t1 = steps(12, 5)
    for split in block_splits(t0, t1, np.array([20, 50, 80, 100]), 0, past_only=past_only):
        assert {0, 1, 10, 11}.isdisjoint({*split.train.tolist(), *split.test.tolist()})
        assert len(split.train) + len(split.test) + split.n_purged == (split.test[-1] - 1 if past_only else 8)


def test_an_event_on_an_edge_belongs_to_the_later_block():
    t0, t1 = steps(4, 0)
    assert block_splits(t0, t1, np.array([0, 20, 40]), 0)[1].test.tolist() == [2, 3]


def test_an_empty_fold_is_named_with_its_span():
    t0, t1 = steps(6, 5)
    day = 86_400_000_000_000
    on_two_days = np.concatenate([t0, t0 + 2 * day])
    said = r"cv\.n_folds == 3 must .* fold 1 \(1970-01-02T00:00 to 1970-01-03T00:00\): test events == 0 of 12"
    with pytest.raises(DataError, match=said):
        block_splits(on_two_days, on_two_days + 5, calendar_edges(0, 3 * day, 3), 0)
    with pytest.raises(DataError, match=r"fold 0 .*: training events == 0 of 6"):
        block_splits(t0, t1 + 100, calendar_edges(0, 60, 2), 0)
    with pytest.raises(DataError, match=r"cv\.n_folds == 1 must .* fold 0 .*: training events == 0 of 6 .* embargo"):
        block_splits(t0, t1, np.array([-60, 0, 60]), 0, past_only=True)


def test_consecutive_splits_are_purged_groups_of_equal_count():
    t0, t1 = steps(10, 15)
    splits = consecutive_splits(t0, t1, 4, 0)
    assert [split.test.tolist() for split in splits] == [[0, 1, 2], [3, 4, 5], [6, 7], [8, 9]]
    assert [split.train.tolist() for split in splits] == [
        [4, 5, 6, 7, 8, 9],
        [0, 1, 7, 8, 9],
        [0, 1, 2, 3, 4, 9],
        [0, 1, 2, 3, 4, 5, 6],
    ]


def test_too_few_events_for_the_groups_are_refused():
    with pytest.raises(DataError, match=r"cv\.oof_groups == 4 must .* out-of-fold group 2 of 4: test events == 0 of 2"):
        consecutive_splits(*steps(2, 0), 4, 0)


def test_tail_split_validates_on_the_last_share_and_purges_before_it():
    split = tail_split(*steps(12, 15), 0.25, embargo_ns=1000)
    assert split.test.tolist() == [9, 10, 11]
    assert split.train.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert split.n_purged == 1


@pytest.mark.parametrize("n", [0, 1])
def test_tail_split_without_training_events_is_refused(n):
    with pytest.raises(DataError, match="inner validation"):
        tail_split(*steps(n, 0), 0.25, 0)


@repeatable
@given(st.integers(0, 2**62), st.integers(20, 2**60), st.integers(1, 20))
def test_calendar_edges_divide_the_period_to_the_nanosecond(start, length, n_blocks):
    edges = calendar_edges(start, start + length, n_blocks)
    assert (edges[0], edges[-1], len(edges)) == (start, start + length, n_blocks + 1)
    assert np.ptp(np.diff(edges)) <= 1


def test_an_empty_period_is_refused():
    with pytest.raises(DataError, match="common period of 0 ns must be long enough for 5 blocks"):
        calendar_edges(7, 7, 5)

"""Both splitters: no leak on real bars, calendar blocks, scikit-learn's contract."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score

from ftfkit.builtin.cv.purged_kfold import PurgedKFold
from ftfkit.builtin.cv.walk_forward import WalkForward
from ftfkit.builtin.labels.atr_barrier import AtrBarrier
from ftfkit.components import Splitter
from ftfkit.errors import DataError
from ftfkit.purging import consecutive_splits, tail_split
from ftfkit.types import HOUR_NS, Events, IntArray, Split

SHORT = [f"spot_1h_2024/{base}" for base in ("AAVE", "ARB", "LDO", "OP", "UNI")]
LONG = [f"spot_1h_long/{base}" for base in ("AAVE", "ARB", "BTC", "ETH", "OP", "UNI")]
SPLITTERS = [PurgedKFold(n_folds=5), PurgedKFold(n_folds=10), WalkForward(n_folds=5)]


def real_events(real_bars, pair: str) -> tuple[Events, int, int]:
    bars, native = real_bars(pair, 4)
    scheme = AtrBarrier(stop_atr=0.5, target_atr=1.5, bar_hours=4)
    return scheme.events(bars, native), int(bars.open_time[0]), int(bars.close_time[-1])


def assert_clear(t0: list[int], t1: list[int], split: Split, embargo: int) -> None:
    """No training label meets the test block or its embargo, and every other event outside the test was kept."""
    start = min(t0[i] for i in split.test.tolist())
    end = max(t1[i] for i in split.test.tolist()) + embargo
    test = set(split.test.tolist())
    clear = [i for i in range(len(t0)) if i not in test and (t1[i] < start or t0[i] > end)]
    assert split.train.tolist() == clear
    assert split.n_purged == len(t0) - len(test) - len(clear)


def synthetic(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, IntArray]:
    """Features, labels and label intervals of ``n`` events, one every 4 hours."""
    rng = np.random.default_rng(seed)
    t0 = np.arange(n, dtype=np.int64) * 4 * HOUR_NS
    t1 = t0 + rng.integers(1, 25, n) * 4 * HOUR_NS
    return rng.standard_normal((n, 3)), rng.integers(0, 2, n), np.column_stack([t0, t1])


@pytest.mark.parametrize("pair", SHORT + LONG)
def test_no_label_leaks_into_a_fold_of_real_bars(real_bars, pair):
    events, start, end = real_events(real_bars, pair)
    t0, t1 = events.t0.tolist(), events.t1.tolist()
    for splitter in (PurgedKFold(n_folds=5), PurgedKFold(n_folds=10)):
        splits = splitter.folds(events.t0, events.t1, splitter.edges(start, end))
        assert sorted(np.concatenate([split.test for split in splits]).tolist()) == list(range(len(events)))
        for split in splits:
            assert_clear(t0, t1, split, splitter.embargo_ns)


@pytest.mark.parametrize("pair", SHORT + LONG)
def test_walk_forward_sees_only_its_past_on_real_bars(real_bars, pair):
    events, start, end = real_events(real_bars, pair)
    splitter = WalkForward(n_folds=5)
    edges = splitter.edges(start, end)
    splits = splitter.folds(events.t0, events.t1, edges)
    assert [split.fold for split in splits] == [0, 1, 2, 3, 4]
    for split, first, last in zip(splits, edges[1:-1].tolist(), edges[2:].tolist(), strict=True):
        in_block = [i for i, time in enumerate(events.t0.tolist()) if first <= time < last]
        assert split.test.tolist() == in_block
        past = [i for i in range(in_block[0]) if events.t1[i] < events.t0[in_block[0]]]
        assert split.train.tolist() == past
        assert split.n_purged == in_block[0] - len(past)


@pytest.mark.parametrize("pair", ["spot_1h_2024/ARB", "spot_1h_long/AAVE", "spot_1h_long/BTC"])
def test_no_label_leaks_inside_the_training_events_of_a_fold(real_bars, pair):
    events, start, end = real_events(real_bars, pair)
    splitter = PurgedKFold(n_folds=5)
    for fold in splitter.folds(events.t0, events.t1, splitter.edges(start, end)):
        t0, t1 = events.t0[fold.train], events.t1[fold.train]
        inner = tail_split(t0, t1, splitter.valid_frac, splitter.embargo_ns)
        groups = consecutive_splits(t0, t1, splitter.oof_groups, splitter.embargo_ns)
        for split in (inner, *groups):
            assert_clear(t0.tolist(), t1.tolist(), split, splitter.embargo_ns)
        assert np.concatenate([split.test for split in groups]).tolist() == list(range(len(t0)))


def test_blocks_are_the_same_for_assets_of_different_events():
    splitter = PurgedKFold(n_folds=4)
    _, _, intervals = synthetic(400)
    edges = splitter.edges(0, 400 * 4 * HOUR_NS)
    t0, t1 = intervals[::3].T
    for split, first, last in zip(splitter.folds(t0, t1, edges), edges[:-1], edges[1:], strict=True):
        assert ((t0[split.test] >= first) & (t0[split.test] < last)).all()


def test_the_embargo_is_counted_in_label_bars():
    assert PurgedKFold(embargo_bars=24, bar_hours=8).embargo_ns == 24 * 8 * HOUR_NS


@pytest.mark.parametrize("splitter", SPLITTERS, ids=repr)
class TestScikitLearn:
    def test_clones_and_pickles_are_equal(self, splitter: Splitter):
        assert clone(splitter) == splitter
        assert pickle.loads(pickle.dumps(splitter)) == splitter

    def test_split_equals_folds_whatever_the_order_of_rows(self, splitter: Splitter):
        X, y, intervals = synthetic(600)
        t0, t1 = intervals.T
        folds = splitter.folds(t0, t1, splitter.edges(int(t0[0]), int(t0[-1]) + 1))
        shuffle = np.random.default_rng(1).permutation(600)
        shuffled = list(splitter.split(X[shuffle], y[shuffle], groups=intervals[shuffle]))
        assert len(shuffled) == splitter.get_n_splits(X, y, intervals) == len(folds)
        for (train, test), fold in zip(shuffled, folds, strict=True):
            assert sorted(shuffle[train].tolist()) == fold.train.tolist()
            assert sorted(shuffle[test].tolist()) == fold.test.tolist()

    def test_events_of_several_assets_at_one_time_stay_in_one_fold(self, splitter: Splitter):
        _, _, intervals = synthetic(600)
        panel = np.repeat(intervals, 3, axis=0)
        for train, test in splitter.split(panel, groups=panel):
            assert set(panel[test, 0]).isdisjoint(panel[train, 0])
            assert len(test) == 3 * len(set(panel[test, 0]))

    def test_cross_val_score_and_grid_search_run(self, splitter: Splitter):
        X, y, intervals = synthetic(600)
        scores = cross_val_score(LogisticRegression(), X, y, groups=intervals, cv=splitter, scoring="f1")
        assert scores.shape == (splitter.n_folds,)
        search = clone(GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=splitter))
        assert search.fit(X, y, groups=intervals).n_splits_ == splitter.n_folds

    @pytest.mark.parametrize("groups", [None, np.zeros(5), np.zeros((5, 3), dtype=np.int64), np.empty((0, 2), int)])
    def test_groups_that_are_not_intervals_are_refused(self, splitter: Splitter, groups):
        with pytest.raises(DataError, match=r"must be label intervals \[t0, t1\]"):
            next(splitter.split(np.zeros((5, 1)), groups=groups))


@pytest.mark.parametrize("splitter", SPLITTERS, ids=repr)
def test_too_short_a_period_is_refused_with_its_fold(splitter: Splitter):
    _, _, intervals = synthetic(3)
    with pytest.raises(DataError, match=r"fold \d \(.*\): (test|training) events == 0"):
        splitter.folds(*intervals.T, splitter.edges(0, 1000 * HOUR_NS))

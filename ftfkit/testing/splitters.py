"""Conformance of splitters: no training label meets a tested one or its embargo, and scikit-learn can use them."""

from __future__ import annotations

import numpy as np
import pytest

from ftfkit.components import Splitter
from ftfkit.testing.conformance import Conformance, read_only
from ftfkit.testing.markets import label_intervals
from ftfkit.types import HOUR_NS, IntArray, Split

N = 900


class SplitterConformance(Conformance):
    """Folds are purged and embargoed, found out by brute force over all pairs of intervals."""

    @pytest.mark.parametrize("embargo_bars", [0, 24])
    @pytest.mark.parametrize("bar_hours", [1, 4, 8])
    @pytest.mark.parametrize("seed", [0, 1])
    def test_no_training_interval_meets_a_tested_one_or_its_embargo(
        self, component: Splitter, embargo_bars: int, bar_hours: int, seed: int
    ) -> None:
        """The embargo is counted here, not asked of the splitter: one that understates it must not be its own judge."""
        splitter = component.model_copy(update={"embargo_bars": embargo_bars, "bar_hours": bar_hours})
        embargo_ns = embargo_bars * bar_hours * HOUR_NS
        assert splitter.embargo_ns >= embargo_ns, "the core purges inner splits by it"
        t0, t1 = label_intervals(N, seed)
        for split in _folds(splitter, t0, t1):
            for segment in np.split(split.test, np.flatnonzero(np.diff(split.test) != 1) + 1):
                start, end = t0[segment].min(), t1[segment].max() + embargo_ns
                met = (t0[split.train] <= end) & (t1[split.train] >= start)
                assert not met.any(), f"fold {split.fold}: {int(met.sum())} training events leak"

    def test_folds_are_sorted_disjoint_and_count_what_was_purged(self, component: Splitter) -> None:
        t0, t1 = label_intervals(N)
        folds = _folds(component, t0, t1)
        assert [split.fold for split in folds] == list(range(component.n_folds))
        for split in folds:
            for index in (split.train, split.test):
                assert len(index) > 0
                assert index.dtype == np.int64
                assert (np.diff(index) > 0).all()
            assert not np.intersect1d(split.train, split.test).size
            assert 0 <= split.n_purged <= N - len(split.train) - len(split.test)

    def test_an_event_is_tested_at_most_once_and_in_the_block_of_its_t0(self, component: Splitter) -> None:
        t0, t1 = label_intervals(N)
        folds = _folds(component, t0, t1)
        tested = np.concatenate([split.test for split in folds])
        assert len(np.unique(tested)) == len(tested)
        edges = _edges(component, t0)
        for split in folds:
            assert len(np.unique(np.searchsorted(edges, t0[split.test], side="right"))) == 1, f"fold {split.fold}"

    def test_edges_cover_the_period_in_order(self, component: Splitter) -> None:
        t0, _ = label_intervals(N)
        edges = _edges(component, t0)
        assert edges.dtype == np.int64
        assert (np.diff(edges) > 0).all()
        assert (edges[0], edges[-1]) == (t0[0], t0[-1] + 1)

    def test_purging_drops_no_event_that_is_far_from_the_test_block(self, component: Splitter) -> None:
        """Instant labels and no embargo leave nothing to purge from a fold's own window."""
        t0, _ = label_intervals(N)
        for split in _folds(component.model_copy(update={"embargo_bars": 0}), t0, t0.copy()):
            assert split.n_purged == 0

    def test_is_deterministic_and_leaves_its_input_alone(self, component: Splitter) -> None:
        t0, t1 = label_intervals(N)
        read_only((t0, t1))
        for one, other in zip(_folds(component, t0, t1), _folds(component, t0, t1), strict=True):
            np.testing.assert_array_equal(one.train, other.train)
            np.testing.assert_array_equal(one.test, other.test)

    def test_scikit_learn_can_clone_it_and_count_its_folds(self, component: Splitter) -> None:
        from sklearn.base import clone

        assert clone(component) == component
        assert component.get_n_splits() == component.n_folds

    def test_scikit_learn_split_is_that_of_the_folds_whatever_the_order_of_rows(self, component: Splitter) -> None:
        t0, t1 = label_intervals(N)
        shuffled = np.random.default_rng(2).permutation(N)
        groups = np.column_stack([t0, t1])[shuffled]
        for (train, test), split in zip(component.split(groups, groups=groups), _folds(component, t0, t1), strict=True):
            assert set(t0[shuffled[test]]) == set(t0[split.test])
            assert len(train) == len(split.train)

    def test_scikit_learn_scores_a_model_with_it(self, component: Splitter) -> None:
        from sklearn.dummy import DummyClassifier
        from sklearn.model_selection import cross_val_score

        t0, t1 = label_intervals(N)
        X, y = t0.reshape(-1, 1), np.arange(N) % 2
        scores = cross_val_score(DummyClassifier(), X, y, groups=np.column_stack([t0, t1]), cv=component)
        assert len(scores) == component.n_folds


def _edges(splitter: Splitter, t0: IntArray) -> IntArray:
    return splitter.edges(int(t0[0]), int(t0[-1]) + 1)


def _folds(splitter: Splitter, t0: IntArray, t1: IntArray) -> tuple[Split, ...]:
    return splitter.folds(t0, t1, _edges(splitter, t0))

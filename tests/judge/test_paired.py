from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from autorank import autorank
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from ftfkit.judge.paired import (
    benjamini_hochberg,
    bootstrap_interval,
    bootstrap_means,
    effect_size,
    mean_test,
    pair,
)

VALUES = np.random.default_rng(1).normal(0.01, 0.05, 25)


def test_t_test_equals_scipy_and_statsmodels() -> None:
    ours = mean_test(VALUES, 0.95)
    scipy_result = stats.ttest_1samp(VALUES, 0)
    described = DescrStatsW(VALUES)
    t, p, df = described.ttest_mean(0)
    interval = scipy_result.confidence_interval(0.95)
    assert (ours.t, ours.p) == pytest.approx((scipy_result.statistic, scipy_result.pvalue), abs=1e-12)
    assert (ours.t, ours.p, ours.df) == pytest.approx((t, p, df), abs=1e-12)
    assert ours.ci == pytest.approx((interval.low, interval.high), abs=1e-12)
    assert ours.ci == pytest.approx(described.tconfint_mean(0.05), abs=1e-12)


def test_effect_size_gives_t_times_root_n() -> None:
    ours = mean_test(VALUES, 0.95)
    assert effect_size(ours) == pytest.approx(VALUES.mean() / VALUES.std(ddof=1), abs=1e-12)
    assert effect_size(ours) * 5 == pytest.approx(ours.t, abs=1e-12)


def test_interval_and_effect_size_equal_autorank() -> None:
    """Autorank's d is over the pooled sd of two populations; deltas and their mirror image have the deltas' own sd."""
    theirs = autorank(pd.DataFrame({"delta": VALUES, "mirrored": -VALUES}), alpha=0.05, force_mode="parametric").rankdf
    halved = mean_test(VALUES, 1 - 0.05 / 2)  # its two intervals share alpha
    assert halved.ci == pytest.approx(tuple(theirs.loc["delta", ["ci_lower", "ci_upper"]]), abs=1e-9)
    assert 2 * abs(effect_size(halved)) == pytest.approx(theirs["effect_size"].abs().max(), abs=1e-9)


@pytest.mark.parametrize("mean", [0.0, 0.02, -0.3])
def test_without_spread_the_mean_alone_decides(mean: float) -> None:
    ours = mean_test((np.full(25, 0.4) + mean) - 0.4, 0.95)
    expected = (0.0, 0.0, 1.0) if mean == 0 else (None, None, 0.0)
    assert (ours.t, effect_size(ours), ours.p) == expected
    assert ours.ci == pytest.approx((mean, mean))


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_values_leave_the_test_undefined(n: int) -> None:
    ours = mean_test(np.full(n, 0.3), 0.95)
    assert (ours.sd, ours.t, ours.p, ours.ci, effect_size(ours)) == (None, None, None, (None, None), None)


def test_bootstrap_is_the_defined_one() -> None:
    draws = np.random.default_rng(42).integers(0, 25, (10_000, 25))
    expected = np.percentile(VALUES[draws].mean(axis=1), [2.5, 97.5], method="linear")
    assert bootstrap_interval(VALUES, 10_000, 42, 0.95) == pytest.approx(tuple(expected), abs=1e-15)


def test_bootstrap_agrees_with_scipy_within_resampling_error() -> None:
    theirs = stats.bootstrap((VALUES,), np.mean, n_resamples=50_000, method="percentile", rng=np.random.default_rng(3))
    ours = bootstrap_interval(VALUES, 10_000, 42, 0.95)
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.001)


def test_bootstrap_in_blocks_draws_the_same_resamples() -> None:
    values = np.random.default_rng(2).normal(size=3001)  # three blocks
    draws = np.random.default_rng(42).integers(0, 3001, (1500, 3001))
    np.testing.assert_array_equal(bootstrap_means(values, 1500, 42), values[draws].mean(axis=1))


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=12))
def test_benjamini_hochberg_equals_statsmodels(p: list[float | None]) -> None:
    known = [1.0 if value is None else value for value in p]
    expected = multipletests(known, method="fdr_bh")[1]
    for ours, theirs, raw in zip(benjamini_hochberg(p), expected, p, strict=True):
        assert ours is None if raw is None else ours == pytest.approx(theirs, abs=1e-12)


def test_an_undefined_p_counts_in_the_family() -> None:
    assert benjamini_hochberg([0.01, None, None, None]) == [pytest.approx(0.04), None, None, None]
    assert benjamini_hochberg([]) == []


def test_pairs_are_sorted_and_aligned_whatever_the_order_of_rows(panel) -> None:
    rows = panel(base_n_trades=np.arange(25.0).reshape(5, 5), n_trades=np.arange(25.0).reshape(5, 5) + 100)
    pairs = pair(rows.sample(frac=1, random_state=5), "none", "better")
    assert list(zip(pairs.rows["asset"], pairs.rows["fold"], strict=True)) == sorted(
        zip(rows["asset"][:25], rows["fold"][:25], strict=True)
    )
    assert (pairs.rows["n_trades"] - pairs.baseline_rows["n_trades"]).unique() == [100.0]


def test_only_ok_rows_pair(panel) -> None:
    rows = panel()
    rows.loc[0, "status"] = "error"  # of the baseline
    rows.loc[30, "status"] = "skipped"
    assert len(pair(rows, "none", "better").rows) == 23


@pytest.mark.parametrize(
    ("own", "other", "differ"), [("x", "x", False), ("x", "y", True), ("x", None, True), (None, None, False)]
)
def test_test_events_differ_where_the_hashes_do(panel, own: str | None, other: str | None, differ: bool) -> None:
    rows = panel()
    rows["test_events"] = "same"
    rows.loc[3, "test_events"] = other
    rows.loc[28, "test_events"] = own
    assert pair(rows, "none", "better").test_events_differ is differ


def test_rows_without_hashes_are_comparable(panel) -> None:
    assert not pair(panel(), "none", "better").test_events_differ


def test_a_missing_baseline_leaves_no_pairs() -> None:
    rows = pd.DataFrame({"variant": ["x"], "asset": ["A"], "fold": [0], "status": ["ok"], "f1_buy": [0.3]})
    assert pair(rows, "none", "x").rows.empty

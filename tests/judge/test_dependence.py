from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from baycomp import CorrelatedTTest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from ftfkit.judge.dependence import (
    effective_n,
    fold_means,
    fold_t,
    intraclass_correlation,
    nadeau_bengio,
    rope_mass,
    sign_flip,
    sign_flip_floor,
)


def grid(n_assets: int, n_folds: int, seed: int = 0, shared: float = 0.05) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Deltas with a common fold part, asset numbers and folds, sorted by (asset, fold)."""
    rng = np.random.default_rng(seed)
    delta = 0.01 + shared * rng.normal(size=n_folds) + 0.02 * rng.normal(size=(n_assets, n_folds))
    asset, fold = np.meshgrid(np.arange(n_assets), np.arange(n_folds), indexing="ij")
    return delta.ravel(), asset.ravel(), fold.ravel()


def test_fold_means_average_over_assets() -> None:
    delta, _, fold = grid(4, 6)
    np.testing.assert_allclose(fold_means(delta, fold), delta.reshape(4, 6).mean(axis=0), atol=1e-15)


@pytest.mark.parametrize(("n_assets", "n_folds"), [(5, 5), (1, 10), (7, 3), (2, 2)])
def test_fold_t_equals_scipy(n_assets: int, n_folds: int) -> None:
    delta, _, fold = grid(n_assets, n_folds)
    ours, theirs = fold_t(fold_means(delta, fold), 0.95), stats.ttest_1samp(fold_means(delta, fold), 0)
    interval = theirs.confidence_interval(0.95)
    assert (ours.t, ours.p, ours.df) == pytest.approx((theirs.statistic, theirs.pvalue, n_folds - 1), abs=1e-9)
    assert ours.ci == pytest.approx((interval.low, interval.high), abs=1e-9)


@pytest.mark.parametrize("n_folds", [2, 5, 10])
def test_nadeau_bengio_and_rope_equal_baycomp(n_folds: int) -> None:
    delta, _, fold = grid(5, n_folds)
    means = fold_means(delta, fold)
    posterior = CorrelatedTTest(np.zeros(n_folds), means, rope=0.015)
    ours = nadeau_bengio(means, 0.95)
    theirs = stats.t(posterior.df, posterior.mean, np.sqrt(posterior.var))
    assert ours.df == posterior.df
    assert ours.t == pytest.approx(posterior.mean / np.sqrt(posterior.var), abs=1e-9)
    assert ours.p == pytest.approx(2 * min(theirs.cdf(0), theirs.sf(0)), abs=1e-9)
    assert ours.ci == pytest.approx(theirs.interval(0.95), abs=1e-9)
    assert rope_mass(means, 0.015) == pytest.approx(posterior.probs()[1], abs=1e-9)


@pytest.mark.parametrize(("n_assets", "n_folds", "shared"), [(5, 5, 0.05), (3, 8, 0.0), (2, 2, 0.01)])
def test_intraclass_correlation_equals_the_anova(n_assets: int, n_folds: int, shared: float) -> None:
    delta, asset, fold = grid(n_assets, n_folds, shared=shared)
    table = anova_lm(ols("delta ~ C(fold)", pd.DataFrame({"delta": delta, "fold": fold})).fit())
    between, within = table["mean_sq"]
    expected = (between - within) / (between + (n_assets - 1) * within)
    assert intraclass_correlation(delta, asset, fold) == pytest.approx(expected, abs=1e-9)
    ratio = stats.f_oneway(*[delta[fold == number] for number in range(n_folds)]).statistic
    assert intraclass_correlation(delta, asset, fold) == pytest.approx((ratio - 1) / (ratio + n_assets - 1), abs=1e-9)


def test_effective_n_of_alike_assets_is_the_folds_and_of_unlike_ones_the_pairs() -> None:
    assert effective_n(25, 5, 5, 1.0) == pytest.approx(5)
    assert effective_n(25, 5, 5, 0.0) == pytest.approx(25)
    assert effective_n(25, 5, 5, 0.8) == pytest.approx(25 / 4.2)


def test_one_asset_has_no_intraclass_correlation_and_counts_its_folds() -> None:
    delta, asset, fold = grid(1, 7)
    assert intraclass_correlation(delta, asset, fold) is None
    assert effective_n(7, 1, 7, None) == 7.0


@pytest.mark.parametrize("drop", [slice(0, 1), slice(0, 5)])
def test_an_incomplete_grid_has_no_intraclass_correlation(drop: slice) -> None:
    delta, asset, fold = grid(5, 5)
    kept = np.delete(np.arange(25), drop)
    expected_none = len(kept) == 24  # dropping a whole asset leaves a full, smaller grid
    assert (intraclass_correlation(delta[kept], asset[kept], fold[kept]) is None) is expected_none


def test_equal_deltas_have_no_intraclass_correlation() -> None:
    _, asset, fold = grid(5, 5)
    assert intraclass_correlation(np.full(25, 0.1 + 0.2), asset, fold) is None


def test_folds_more_unlike_than_chance_can_leave_effective_n_undefined() -> None:
    assert effective_n(25, 5, 5, -0.25) is None


@pytest.mark.parametrize("n_folds", [2, 3, 5, 8, 11])
def test_sign_flip_equals_scipy_permutation_test(n_folds: int) -> None:
    means = np.random.default_rng(n_folds).normal(0.3, 1, n_folds)
    theirs = stats.permutation_test((means,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip(means) == pytest.approx(theirs.pvalue, abs=1e-12)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=9))
def test_sign_flip_counts_every_pattern(values: list[float]) -> None:
    means = np.array(values)
    signs = np.array(np.meshgrid(*[[1, -1]] * len(means))).reshape(len(means), -1)
    sums = np.abs((signs * means[:, None]).sum(axis=0))
    tolerance = 1e-12 * len(means)
    clear = np.abs(sums - abs(means.sum())) > 2 * tolerance
    at_least = sums >= abs(means.sum())
    low, high = (at_least & clear).mean(), (at_least | ~clear).mean()
    assert low - 1e-12 <= sign_flip(means) <= high + 1e-12


def test_five_folds_cannot_go_below_their_floor() -> None:
    assert sign_flip(np.array([0.1, 0.2, 0.3, 0.4, 0.5])) == sign_flip_floor(5) == 0.0625


def test_thirty_folds_are_counted_exactly() -> None:
    assert sign_flip(np.full(30, 0.1)) == sign_flip_floor(30) == 2.0**-29
    assert sign_flip(np.zeros(30)) == 1.0
    assert sign_flip(np.ones(41)) is None


def test_one_fold_leaves_every_fold_statistic_undefined() -> None:
    means = np.array([0.2])
    assert (fold_t(means, 0.95).p, nadeau_bengio(means, 0.95).p) == (None, None)
    assert (sign_flip(means), sign_flip_floor(1), rope_mass(means, 0.015)) == (None, None, None)


@pytest.mark.parametrize(("value", "inside"), [(0.015, 1.0), (0.016, 0.0), (-0.01, 1.0)])
def test_rope_without_spread_is_all_or_nothing(value: float, inside: float) -> None:
    assert rope_mass(np.full(5, value), 0.015) == inside

from __future__ import annotations

import math

import numpy as np
import pytest
import tea_tasting as tt
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats
from statsmodels.stats.power import TTestPower
from tea_tasting.aggr import Aggregates

from ftfkit.judge.power import folds_needed, mde80, mde_factor, power


def integrated_power(shift: float, df: int, alpha: float) -> float:
    """Power of a two-sided t test by integrating over the chi distribution of the sample sd."""
    critical = stats.t.ppf(1 - alpha / 2, df)
    root = np.sqrt(df)

    def missed(s: float) -> float:
        inside = stats.norm.cdf(critical * s - shift) - stats.norm.cdf(-critical * s - shift)
        return float(inside * stats.chi.pdf(s * root, df) * root)

    return 1 - integrate.quad(missed, 0, np.inf, epsabs=1e-12, epsrel=1e-12, limit=400)[0]


@pytest.mark.parametrize(("k", "factor"), [(5, 1.68), (8, 1.16), (10, 1.00)])
def test_factor_is_the_published_one(k: int, factor: float) -> None:
    assert mde_factor(k, "fold_t") == pytest.approx(factor, abs=0.005)
    assert mde_factor(k, "nadeau_bengio") == pytest.approx(
        mde_factor(k, "fold_t") * np.sqrt(1 + k / (k - 1)), rel=1e-12
    )


@pytest.mark.parametrize("k", [2, 3, 5, 10, 50])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_effect_of_the_factor_is_found_four_times_in_five(k: int, alpha: float) -> None:
    shift = mde_factor(k, "fold_t", alpha) * np.sqrt(k)
    assert integrated_power(shift, k - 1, alpha) == pytest.approx(0.8, abs=1e-9)


@pytest.mark.parametrize(("test", "factor"), [("fold_t", 1 / 5), ("nadeau_bengio", 1 / 5 + 1 / 4)])
def test_power_equals_the_integral(test: str, factor: float) -> None:
    shift = 0.05 / (0.03 * np.sqrt(factor))
    assert power(0.05, 0.03, 5, test) == pytest.approx(integrated_power(shift, 4, 0.05), abs=1e-9)
    assert power(-0.05, 0.03, 5, test) == power(0.05, 0.03, 5, test)


@pytest.mark.parametrize("k", [2, 5, 10, 30])
@pytest.mark.parametrize("lift", [0.01, 0.03])
def test_power_and_folds_needed_equal_statsmodels(k: int, lift: float) -> None:
    theirs = TTestPower()
    assert power(lift, 0.03, k, "fold_t") == pytest.approx(theirs.power(lift / 0.03, k, 0.05), abs=1e-9)
    needed = theirs.solve_power(lift / 0.03, power=0.8, alpha=0.05)
    assert folds_needed(lift, 0.03, "fold_t") == math.ceil(needed)


@pytest.mark.parametrize("k", [5, 10, 30])
@pytest.mark.parametrize("test", ["fold_t", "nadeau_bengio"])
def test_power_and_effect_equal_tea_tasting(k: int, test: str) -> None:
    """Its t test is of two samples: k + 1 values in all leave k - 1 degrees of freedom, as k fold means do."""
    variance_of_lift = 0.03**2 * (1 / k + (1 / (k - 1) if test == "nadeau_bengio" else 0))
    sample = Aggregates(count_=k + 1, mean_={"f1": 0.4}, var_={"f1": variance_of_lift * (k + 1) / 4}, cov_={})
    known = tt.Mean("f1", equal_var=True, alpha=0.05, effect_size=0.02)
    found = known.solve_power_from_aggregates(sample, "power")[0].power
    assert power(0.02, 0.03, k, test) == pytest.approx(found, abs=1e-9)
    wanted = tt.Mean("f1", equal_var=True, alpha=0.05, power=0.8)
    effect = wanted.solve_power_from_aggregates(sample, "effect_size")[0].effect_size
    assert mde80(0.03, k, test) == pytest.approx(effect, abs=1e-9)


def test_power_equals_a_simulation() -> None:
    rng = np.random.default_rng(0)
    folds = rng.normal(0.04, 0.03, (40_000, 5))
    found = (stats.ttest_1samp(folds, 0, axis=1).pvalue < 0.05).mean()
    assert power(0.04, 0.03, 5, "fold_t") == pytest.approx(found, abs=0.01)


def test_no_lift_is_found_at_the_level_and_a_huge_one_always() -> None:
    assert power(0.0, 0.03, 5) == pytest.approx(0.05, abs=1e-12)
    assert power(10.0, 0.03, 50) == 1.0


def test_one_fold_detects_nothing() -> None:
    assert mde80(0.03, 1) is None
    assert mde80(0.0, 5) == 0.0


@given(lift=st.floats(0.01, 0.2), sd=st.floats(0.01, 0.2), test=st.sampled_from(["fold_t", "nadeau_bengio"]))
def test_folds_needed_is_the_first_that_suffices(lift: float, sd: float, test: str) -> None:
    k = folds_needed(lift, sd, test)
    if k is None:
        assert power(lift, sd, 1000, test) < 0.8
    else:
        assert power(lift, sd, k, test) >= 0.8
        assert k == 2 or power(lift, sd, k - 1, test) < 0.8

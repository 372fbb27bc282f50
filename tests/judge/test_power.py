from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

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

from __future__ import annotations

from typing import Any

import pytest
from statsmodels.stats.proportion import proportion_confint

from ftfkit.judge.comparison import Planning
from ftfkit.judge.rates import ONE_SIDED, TWO_SIDED, Rate, rejection_rates, wilson
from ftfkit.types import Comparison, FoldTest, VariantVerdict, VerdictName

PLANNING = Planning(required_lift=0.015, test="nadeau_bengio", alpha=0.05)


@pytest.mark.parametrize(("hits", "n"), [(0, 200), (1, 200), (10, 200), (40, 200), (200, 200), (3, 7), (0, 1)])
def test_wilson_agrees_with_statsmodels(hits: int, n: int) -> None:
    found = wilson(hits, n)
    assert (found.hits, found.n, found.rate) == (hits, n, hits / n)
    assert found.ci95 == pytest.approx(proportion_confint(hits, n, method="wilson"), abs=1e-12)


def test_wilson_by_hand() -> None:
    """25 of 202, the published figure of noise locked by the naive rule: centre and half-width of Wilson's formula."""
    n, p, z = 202, 25 / 202, 1.959963984540054
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5
    assert wilson(25, 202).ci95 == pytest.approx((centre - half, centre + half), abs=1e-12)


def test_no_sweep_has_no_rate() -> None:
    assert wilson(0, 0) == Rate(0, 0, None, (None, None))


@pytest.mark.parametrize(("hits", "n"), [(-1, 5), (6, 5)])
def test_impossible_counts_are_refused(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match="must be in"):
        wilson(hits, n)


def _sweep(verdict: VerdictName = "ABANDON", **values: Any) -> VariantVerdict:
    """A sweep in which nothing rejects, but for what ``values`` say."""
    given = {"mean": 0.0, "ci95": (-0.01, 0.01), "p": 0.5, "fold_t": 0.5, "nadeau_bengio": 0.5} | values
    tests = {name: FoldTest(0.0, 4, given[name], given[name], (None, None)) for name in ("fold_t", "nadeau_bengio")}
    rest = dict.fromkeys(
        ("d_z", "t", "p_bh", "icc_fold", "n_eff", "sign_flip_p", "sign_flip_floor", "p_rope", "mde80"), None
    )
    comparison = Comparison("f1_buy", 25, given["mean"], given["ci95"], p=given["p"], **tests, **rest)  # type: ignore[arg-type]
    return VariantVerdict("B", verdict, (), comparison, {})


def _hits(*sweeps: VariantVerdict) -> set[str]:
    return {name for name, rate in rejection_rates(sweeps, PLANNING).items() if rate.hits}


LIFT = {"mean": 0.015, "ci95": (0.001, 0.03)}


@pytest.mark.parametrize(
    ("sweep", "hits"),
    [
        (_sweep(), set()),
        (_sweep(p=0.0499), {"naive_t"}),
        (_sweep(p=0.05), set()),
        (_sweep(fold_t=0.01), {"fold_t"}),
        (_sweep(nadeau_bengio=0.01), {"nadeau_bengio"}),
        (_sweep(ci95=(-0.02, -0.001), mean=-0.01), {"bootstrap"}),  # two-sided, yet no lift
        (_sweep(ci95=(0.001, 0.02), mean=0.0149), {"bootstrap"}),
        (_sweep(**LIFT), {"bootstrap", "published_rule"}),
        (_sweep(**LIFT, fold_t=0.01), {"bootstrap", "published_rule", "fold_t"}),
        (_sweep(**LIFT, nadeau_bengio=0.01), {"bootstrap", "published_rule", "nadeau_bengio", "dependence_rule"}),
        (_sweep("LOCK"), {"lock"}),
        (_sweep(p=None, fold_t=None, nadeau_bengio=None, ci95=(None, None), mean=None), set()),
    ],
)
def test_each_outcome_counts_where_it_belongs(sweep: VariantVerdict, hits: set[str]) -> None:
    assert _hits(sweep) == hits


def test_rates_are_over_the_sweeps_that_tell() -> None:
    sweeps = [_sweep("LOCK", p=0.01), _sweep(p=0.01), _sweep(), _sweep("INCOMPLETE", p=0.01)]
    rates = rejection_rates(sweeps, PLANNING)
    assert tuple(rates) == (*TWO_SIDED, *ONE_SIDED)
    assert (rates["lock"], rates["naive_t"]) == (wilson(1, 3), wilson(2, 3))


def test_the_gates_own_test_makes_the_dependence_rule() -> None:
    sweep = _sweep(**LIFT, fold_t=0.01)
    by_fold = Planning(required_lift=0.015, test="fold_t")
    assert rejection_rates([sweep], by_fold)["dependence_rule"].hits == 1
    assert rejection_rates([sweep], PLANNING)["dependence_rule"].hits == 0

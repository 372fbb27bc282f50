"""f1_lift, per_asset and dependence: the gates that read paired F1."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from pydantic import ValidationError

from ftfkit.builtin.gates.dependence import Dependence
from ftfkit.builtin.gates.f1_lift import F1Lift
from ftfkit.builtin.gates.per_asset import PerAsset

LINE = np.array([-2, -1, 0, 1, 2]) / np.sqrt(2.5)


@pytest.mark.parametrize(("baseline", "lift"), [(0.4, 0.015), (0.7, 0.015), (0.1, 0.015)])
def test_a_lift_of_exactly_the_required_size_passes_whatever_the_binary_digits(
    evidence, baseline: float, lift: float
) -> None:
    result = F1Lift().check(evidence(f1_buy=(baseline + lift, baseline)))
    assert (result.status, result.threshold, result.unit) == ("PASS", 0.015, "f1_buy")


def test_f1_lift_needs_an_interval_above_zero(evidence) -> None:
    result = F1Lift().check(evidence(f1_buy=(0.42 + 0.08 * np.outer(LINE, LINE), 0.4)))
    assert (result.status, result.observed) == ("FAIL", pytest.approx(0.02))


def test_f1_lift_without_pairs_is_an_error(evidence) -> None:
    assert F1Lift().check(evidence(f1_buy=(np.nan, 0.4))).status == "ERROR"


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.6, 0.7, 0.8, 0.9, 1.0])
def test_per_asset_needs_the_exact_ceiling(evidence, share: float) -> None:
    for n in (1, 2, 5, 7, 10, 35, 50):
        needed = math.ceil(Fraction(str(share)) * n)
        delta = np.where(np.arange(n)[:, None] < needed, 0.01, 0.0)
        result = PerAsset(min_share=share).check(evidence(n, 2, f1_buy=(0.4 + delta, 0.4)))
        assert (result.status, result.observed, result.threshold) == ("PASS", needed, needed)
        delta = np.where(np.arange(n)[:, None] < needed - 1, 0.01, 0.0)
        assert PerAsset(min_share=share).check(evidence(n, 2, f1_buy=(0.4 + delta, 0.4))).status == "FAIL"


def test_per_asset_does_not_count_rounding_as_improvement(evidence) -> None:
    up_and_down = np.array([0.1, -0.1, 0.2, -0.2, 0.0])
    assert PerAsset().check(evidence(f1_buy=(0.3 + up_and_down, 0.3))).observed == 0


@pytest.mark.parametrize(("test", "status"), [("fold_t", "PASS"), ("nadeau_bengio", "FAIL")])
def test_dependence_decides_by_its_own_test(evidence, test: str, status: str) -> None:
    f1 = 0.45 + np.broadcast_to(LINE, (5, 5)) * 0.05 * np.sqrt(5) / 3.0  # fold-t 3.0, Nadeau-Bengio 2.0
    given = evidence(f1_buy=(f1, 0.4))
    result = Dependence(test=test).check(given)
    assert result.status == status
    assert result.observed == getattr(given.comparison, test).p_bh
    assert "nadeau_bengio p_bh" in result.reason
    assert "fold_t p_bh" in result.reason


def test_dependence_fails_a_significant_loss(evidence) -> None:
    result = Dependence().check(evidence(f1_buy=(0.3 + 0.001 * LINE, 0.4)))
    assert (result.status, result.observed < 0.001) == ("FAIL", True)


def test_the_lift_is_that_of_the_metric_that_is_compared_by(evidence) -> None:
    """A ranking that got worse is not saved by an F1 that got better."""
    given = evidence(metric="average_precision", f1_buy=(0.5, 0.4), average_precision=(0.3 + 0.001 * LINE, 0.35))
    assert given.comparison.nadeau_bengio.p_bh < 0.001
    assert Dependence().check(given).status == "FAIL"
    result = F1Lift().check(given)
    assert (result.status, result.unit, result.observed) == ("FAIL", "average_precision", pytest.approx(-0.05))


def test_dependence_on_one_fold_is_an_error(evidence) -> None:
    assert Dependence().check(evidence(n_folds=1, f1_buy=(0.5, 0.4))).status == "ERROR"


@pytest.mark.parametrize(
    ("gate", "values"),
    [
        (Dependence, {"test": "t"}),
        (Dependence, {"alpha": 0.0}),
        (PerAsset, {"min_share": 1.1}),
        (F1Lift, {"required_lift": 0.1}),
    ],
)
def test_wrong_parameters_are_refused(gate: type, values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        gate(**values)

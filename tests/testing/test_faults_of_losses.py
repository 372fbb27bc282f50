"""Each suite for losses finds the faults it is there for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ftfkit.testing as suites
from ftfkit.plugins import registry
from ftfkit.testing.fits import TiltedLogistic

LogisticLoss: Any = registry().load("loss", "logistic")


class UnweightedLoss(LogisticLoss):
    def objective(self, y: Any, weight: Any) -> Any:
        return super().objective(y, np.ones_like(weight))


class WrongSlope(LogisticLoss):
    def value(self, logit: Any, y: Any) -> Any:
        return super().value(logit, y) * (1 + 0.3 * np.abs(logit))


class WrongHessian(LogisticLoss):
    """Right at the intercept, and so in its mean at the start."""

    def objective(self, y: Any, weight: Any) -> Any:
        bound = super().objective(y, weight)
        return Derivatives(bound, hessian=lambda z: 1 + 0.5 * np.tanh(z - bound.intercept))


class HeavyHessian(LogisticLoss):
    """Right near the intercept, 50 times too large elsewhere."""

    def objective(self, y: Any, weight: Any) -> Any:
        bound = super().objective(y, weight)
        return Derivatives(bound, hessian=lambda z: np.where(np.abs(z - bound.intercept) > 1, 50, 1))


class ConstantHessian(LogisticLoss):
    """The peak of the curvature at every logit: a majoriser, and no fault."""

    def objective(self, y: Any, weight: Any) -> Any:
        prevalence = np.average(y, weights=weight)
        return Derivatives(
            super().objective(y, weight),
            gradient=lambda z: np.full_like(z, 4 * prevalence * (1 - prevalence)),
            hessian=lambda z: prevalence * (1 - prevalence) * (2 + np.exp(z) + np.exp(-z)),  # over that of the logistic
        )


class TurnsFarOut(LogisticLoss):
    """Pulls the wrong way where |logit| > 8."""

    def objective(self, y: Any, weight: Any) -> Any:
        return Derivatives(super().objective(y, weight), gradient=lambda z: np.where(np.abs(z) > 8, -1, 1))


class HeavyOnMissedRows(LogisticLoss):
    """Right but for BUY events at low logits."""

    def objective(self, y: Any, weight: Any) -> Any:
        return Derivatives(super().objective(y, weight), hessian=lambda z: np.where((y == 1) & (z < -2), 50, 1))


class Derivatives:
    """Those of a bound loss, times a factor that depends on the logit."""

    def __init__(self, bound: Any, gradient: Any = np.ones_like, hessian: Any = np.ones_like) -> None:
        self.bound, self.intercept = bound, bound.intercept
        self.gradient, self.hessian = gradient, hessian

    def __call__(self, logit: Any) -> Any:
        gradient, hessian = self.bound(logit)
        own = gradient * self.gradient(logit), hessian * self.hessian(logit)
        return tuple(one.astype(np.float32) for one in own)


class Overflowing(TiltedLogistic):
    def value(self, logit: Any, y: Any) -> Any:
        return np.log(1 + np.exp(-np.asarray(logit, dtype=np.float64))) * y + np.log(1 + np.exp(logit)) * (1 - y)


class UndistortedTilt(TiltedLogistic):
    def class_probability(self, proba: Any) -> Any:
        return np.asarray(proba, dtype=np.float64)


FAULTS = [
    (suites.LossConformance, UnweightedLoss(), "test_a_weight_of_k_counts_as_k_copies_of_the_row"),
    (suites.LossConformance, WrongSlope(), "test_gradient_is_the_slope_of_the_value"),
    (suites.LossConformance, WrongHessian(), "test_hessian_is_not_below_the_curvature_of_the_value"),
    (suites.LossConformance, HeavyHessian(), "test_hessian_is_not_far_above_curvature_and_slope_of_the_value"),
    (suites.LossConformance, HeavyOnMissedRows(), "test_hessian_is_not_far_above_curvature_and_slope_of_the_value"),
    (suites.LossConformance, TurnsFarOut(), "test_gradient_is_the_slope_of_the_value"),
    (suites.LossConformance, Overflowing(tilt=1.0), "test_extreme_logits_stay_finite"),
    (suites.LossConformance, UndistortedTilt(tilt=3.0), "test_class_probability_undoes_the_distortion_of_the_loss"),
]


def test_a_fault_is_found_by_the_test_that_is_there_for_it(is_found: bool) -> None:
    assert is_found


@pytest.mark.parametrize(
    "test",
    [
        "test_gradient_is_the_slope_of_the_value",
        "test_hessian_is_not_below_the_curvature_of_the_value",
        "test_hessian_is_not_far_above_curvature_and_slope_of_the_value",
    ],
)
def test_an_upper_bound_of_the_curvature_is_no_false_alarm(test: str, run_with_every_parameter: Any) -> None:
    run_with_every_parameter(getattr(suites.LossConformance(), test), ConstantHessian())

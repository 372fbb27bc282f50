"""Conformance of losses: derivatives, normalisation, weights, soft labels, extreme logits."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit

from ftfkit.components import Loss
from ftfkit.testing.conformance import Conformance, assert_array, read_only
from ftfkit.testing.fits import planted_sample

Float32 = npt.NDArray[np.float32]
N = 400
STEP = 1e-4  # of the central differences
WIDE_STEP = 1e-3  # of those of second order
FLOAT32_SUM = 1e-6  # what rounding leaves of a difference between numbers near 1
CAREFUL = 2  # times as large as need be is a hessian that still learns
LABELS = ("hard", "soft")
REACHES = (6.0, 30.0)  # logits that a fit has, and those of a fit that went far
FAR = np.linspace(-30, 30, 121)


class LossConformance(Conformance):
    """A loss is consistent with its own value, normalised, honours weights and soft labels, and stays finite."""

    @pytest.mark.parametrize("labels", LABELS)
    @pytest.mark.parametrize("reach", REACHES)
    def test_gradient_is_the_slope_of_the_value(self, component: Loss, labels: str, reach: float) -> None:
        """Up to one positive factor for all rows: a loss may normalise itself."""
        y, weight, _ = _rows(labels)
        logit = np.linspace(-reach, reach, N, dtype=np.float32)
        gradient, _ = component.objective(y, weight)(logit)
        slope = weight * _slope(component, logit, y)
        factor = _factor(component, y, weight)
        assert factor > 0
        np.testing.assert_allclose(gradient, factor * slope, rtol=2e-3, atol=FLOAT32_SUM * np.abs(gradient).max())

    @pytest.mark.parametrize("labels", LABELS)
    def test_hessian_is_positive_everywhere(self, component: Loss, labels: str) -> None:
        y, weight, _ = _rows(labels)
        objective = component.objective(y, weight)
        for logit in np.linspace(-700, 700, 141):
            hessian = objective(np.full(N, logit, dtype=np.float32))[1]
            assert np.isfinite(hessian).all()
            assert (hessian > 0).all(), f"hessian {hessian.min()} at logit {logit}"

    @pytest.mark.parametrize("labels", LABELS)
    def test_hessian_is_not_below_the_curvature_of_the_value(self, component: Loss, labels: str) -> None:
        """One that is too small takes steps past the minimum; a larger one is a majoriser, and only more careful."""
        y, weight, _ = _rows(labels)
        objective, factor = component.objective(y, weight), _factor(component, y, weight)
        for logit in FAR:
            curvature = factor * weight * _curvature(component, np.full(N, logit), y)
            hessian = objective(np.full(N, logit))[1]
            short = curvature - hessian > 0.02 * curvature + FLOAT32_SUM * factor * weight
            assert not short.any(), f"hessian {hessian[short][0]} below {curvature[short][0]} at logit {logit}"

    @pytest.mark.parametrize("labels", LABELS)
    def test_hessian_is_not_far_above_curvature_and_slope_of_the_value(self, component: Loss, labels: str) -> None:
        """One that is far too large makes rows count for more than their weight, and their leaves hardly move.

        An upper bound of the curvature is no larger than its peak. Where the curvature is small or negative, as on rows
        that a focal loss badly misses, a stand-in as large as the slope still takes steps of a logit. The larger of
        the two is the measure, each class by itself.
        """
        y, weight, _ = _rows(labels)
        objective, factor = component.objective(y, weight), _factor(component, y, weight)
        classes = [np.full(len(FAR), label) for label in (0.0, 1.0)]
        peaks = [_curvature(component, FAR, label).max() for label in classes]
        slopes = [np.abs(_slope(component, FAR, label)) for label in classes]
        sell, buy = (np.maximum(slope, peak) for slope, peak in zip(slopes, peaks, strict=True))
        for i, logit in enumerate(FAR):
            most = CAREFUL * factor * weight * (y * buy[i] + (1 - y) * sell[i])
            hessian = objective(np.full(N, logit))[1]
            over = hessian > most
            assert not over.any(), f"hessian {hessian[over][0]} above {most[over][0]} at logit {logit}"

    def test_results_are_float32_of_the_shape_of_the_logits(self, component: Loss) -> None:
        y, weight, logit = _rows("hard")
        for result in component.objective(y, weight)(logit):
            assert_array(result, (N,), np.float32)
        assert_array(component.value(logit, y), (N,), np.float64)

    @pytest.mark.parametrize("labels", LABELS)
    def test_intercept_is_the_root_of_the_summed_gradient(self, component: Loss, labels: str) -> None:
        y, weight, _ = _rows(labels)
        objective = component.objective(y, weight)
        gradient = objective(np.full(N, objective.intercept, dtype=np.float32))[0].astype(np.float64)
        assert abs(gradient.sum()) <= 1e-4 * np.abs(gradient).sum()

    def test_mean_initial_hessian_is_that_of_the_logistic_loss(self, component: Loss) -> None:
        y, weight, _ = _rows("hard")
        objective = component.objective(y, weight)
        hessian = objective(np.full(N, objective.intercept, dtype=np.float32))[1].astype(np.float64)
        prevalence = float(np.average(y, weights=weight))
        assert hessian.sum() / weight.sum() == pytest.approx(prevalence * (1 - prevalence), rel=1e-3)

    def test_a_weight_of_k_counts_as_k_copies_of_the_row(self, component: Loss) -> None:
        y, _, logit = _rows("hard")
        copies = np.random.default_rng(5).integers(1, 4, N)
        weighted = component.objective(y, copies.astype(np.float32))(logit)
        repeated = component.objective(np.repeat(y, copies), np.ones(copies.sum(), dtype=np.float32))
        for own, single in zip(weighted, repeated(np.repeat(logit, copies)), strict=True):
            expected = single[np.cumsum(copies) - 1] * copies
            np.testing.assert_allclose(own, expected, rtol=1e-3, atol=1e-6)

    def test_soft_labels_mix_the_losses_of_both_classes(self, component: Loss) -> None:
        y, _, logit = _rows("soft")
        ones, zeros = np.ones(N, dtype=np.float32), np.zeros(N, dtype=np.float32)
        mixed = y * component.value(logit, ones) + (1 - y) * component.value(logit, zeros)
        np.testing.assert_allclose(component.value(logit, y), mixed, rtol=1e-6, atol=1e-9)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_extreme_logits_stay_finite(self, component: Loss, dtype: Any) -> None:
        logit = np.array([-700, -90, -40, 0, 40, 90, 700] * 3, dtype=dtype)
        y = np.repeat(np.array([0.0, 0.3, 1.0], dtype=np.float32), 7)
        objective = component.objective(y, np.ones(len(y), dtype=np.float32))
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            results: list[npt.NDArray[Any]] = [component.value(logit, y), *objective(logit)]
        assert all(np.isfinite(result).all() for result in results)

    @pytest.mark.parametrize("label", [0.0, 1.0])
    def test_one_class_alone_is_no_obstacle(self, component: Loss, label: float) -> None:
        y = np.full(N, label, dtype=np.float32)
        objective = component.objective(y, np.ones(N, dtype=np.float32))
        assert np.isfinite(objective.intercept)
        for result in objective(np.full(N, objective.intercept, dtype=np.float32)):
            assert np.isfinite(result).all()

    @pytest.mark.parametrize("probability", [0.1, 0.3, 0.5, 0.7, 0.9])
    def test_class_probability_undoes_the_distortion_of_the_loss(self, component: Loss, probability: float) -> None:
        """At the logit that minimises the expected loss, the class probability must come out."""
        one, zero = np.ones(1), np.zeros(1)

        def expected(logit: float) -> float:
            z = np.array([logit])
            return float(probability * component.value(z, one)[0] + (1 - probability) * component.value(z, zero)[0])

        best = minimize_scalar(expected, bounds=(-15, 15), method="bounded", options={"xatol": 1e-7}).x
        undone = component.class_probability(np.array([expit(best)]))
        assert undone[0] == pytest.approx(probability, abs=2e-3)

    def test_class_probability_keeps_the_order(self, component: Loss) -> None:
        undone = component.class_probability(np.linspace(0, 1, 101, dtype=np.float32))
        assert ((undone >= 0) & (undone <= 1)).all()
        assert (np.diff(undone) >= 0).all()

    def test_a_native_objective_computes_this_very_loss(self, component: Loss) -> None:
        if component.native is None:
            pytest.skip("no native objective declared")
        sample = planted_sample(N).sample
        np.testing.assert_allclose(_boosted(component, sample, True), _boosted(component, sample, False), atol=1e-5)

    def test_input_is_left_alone_and_results_are_repeatable(self, component: Loss) -> None:
        y, weight, logit = _rows("soft")
        read_only((y, weight, logit))
        copied = pickle.loads(pickle.dumps(component))
        first = [result.copy() for result in component.objective(y, weight)(logit)]
        for own, other in zip(first, copied.objective(y, weight)(logit), strict=True):
            np.testing.assert_array_equal(own, other)


def _rows(labels: str) -> tuple[Float32, Float32, Float32]:
    """Labels, weights and logits of N rows; a third of them BUY."""
    rng = np.random.default_rng(3)
    hard = (rng.random(N) < 0.3).astype(np.float32)
    y = hard if labels == "hard" else (0.8 * hard + 0.1).astype(np.float32)
    return y, rng.uniform(0.5, 3, N).astype(np.float32), rng.normal(0, 2, N).astype(np.float32)


def _slope(loss: Loss, logit: npt.NDArray[Any], y: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """First derivative of the value in the logit."""
    z = logit.astype(np.float64)
    return (loss.value(z + STEP, y) - loss.value(z - STEP, y)) / (2 * STEP)


def _curvature(loss: Loss, logit: npt.NDArray[Any], y: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Second derivative of the value in the logit."""
    z = logit.astype(np.float64)
    return (loss.value(z + WIDE_STEP, y) - 2 * loss.value(z, y) + loss.value(z - WIDE_STEP, y)) / WIDE_STEP**2


def _factor(loss: Loss, y: Float32, weight: Float32) -> float:
    """By how much the objective's derivatives are scaled, fitted near the middle, where every row has some."""
    logit = np.linspace(-3, 3, len(y), dtype=np.float32)
    gradient = loss.objective(y, weight)(logit)[0].astype(np.float64)
    slope = weight * _slope(loss, logit, y)
    return float(gradient @ slope / (slope @ slope))


def _boosted(loss: Loss, sample: Any, native: bool) -> npt.NDArray[np.float32]:
    """Probabilities after 20 rounds of XGBoost under the native objective or under the loss's own."""
    import xgboost

    data = xgboost.DMatrix(sample.X, label=sample.y, weight=sample.weight, nthread=1)
    objective = loss.objective(sample.y, sample.weight)
    settings = {"objective": loss.native, "base_score": float(expit(objective.intercept)), "nthread": 1, "seed": 0}
    booster = xgboost.Booster(settings, cache=[data])
    for iteration in range(20):
        if native:
            booster.update(data, iteration)
        else:
            gradient, hessian = objective(booster.predict(data, output_margin=True, training=True))
            booster.boost(data, iteration, grad=gradient, hess=hessian)
    proba: npt.NDArray[np.float32] = booster.predict(data)
    return proba

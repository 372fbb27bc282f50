from __future__ import annotations

import pickle

import numpy as np
import numpy.typing as npt
import pytest
from ftfkit_track06_focal_loss.focal import FocalLoss
from pydantic import ValidationError
from scipy.special import expit

from ftfkit.builtin.losses.logistic import LogisticLoss
from ftfkit.builtin.models.xgboost import XGBoostModel
from ftfkit.components import FitContext, Loss, Objective
from ftfkit.types import Sample

SETTINGS = [(0, 0.5), (0.5, 0.25), (1, 0.25), (2, 0.25), (4, 0.25), (2, 0.75)]
LOGITS = np.linspace(-12, 12, 97)


def bind(loss: Loss, n: int, label: float) -> Objective:
    """One row of either class beside ``n`` rows of ``label``, so that the intercept exists."""
    y = np.concatenate([np.full(n, label), [0, 1]]).astype(np.float32)
    return loss.objective(y, np.ones(n + 2, dtype=np.float32))


def scale(objective: Objective, loss: Loss, label: float, logit: float) -> float:
    """The loss's normalisation, read off the gradient at one logit."""
    step = 1e-5
    slope = (loss.value(np.array([logit + step]), label) - loss.value(np.array([logit - step]), label)) / (2 * step)
    gradient, _ = objective(np.array([*np.zeros(len(LOGITS)), 0, 0]) + logit)
    return float(gradient[0] / slope[0])


@pytest.mark.parametrize(("gamma", "alpha"), SETTINGS)
@pytest.mark.parametrize("label", [0.0, 0.3, 1.0])
def test_gradient_is_the_derivative_of_the_value(gamma: float, alpha: float, label: float) -> None:
    loss = FocalLoss(gamma=gamma, alpha=alpha)
    objective = bind(loss, len(LOGITS), label)
    gradient, _ = objective(np.concatenate([LOGITS, [0, 0]]))
    step = 1e-5
    slope = (loss.value(LOGITS + step, label) - loss.value(LOGITS - step, label)) / (2 * step)
    factor = scale(objective, loss, label, 0.7)
    np.testing.assert_allclose(gradient[:-2], factor * slope, rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize(("gamma", "alpha"), SETTINGS)
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_hessian_is_exact_where_it_exceeds_the_frozen_curvature(gamma: float, alpha: float, label: float) -> None:
    loss = FocalLoss(gamma=gamma, alpha=alpha)
    objective = bind(loss, len(LOGITS), label)
    _, hessian = objective(np.concatenate([LOGITS, [0, 0]]))
    step = 1e-3
    below, here, above = (loss.value(LOGITS + shift, label) for shift in (-step, 0, step))
    margin = LOGITS if label else -LOGITS
    p, q, nats = expit(margin), expit(-margin), np.logaddexp(0, -margin)
    weight = (alpha if label else 1 - alpha) * q**gamma
    expected = np.maximum((above - 2 * here + below) / step**2, weight * p * (q + gamma * p * nats))
    factor = scale(objective, loss, label, 0.7)
    np.testing.assert_allclose(hessian[:-2], factor * expected, rtol=2e-3, atol=1e-6)
    assert (hessian > 0).all()


@pytest.mark.parametrize(("gamma", "alpha"), SETTINGS)
@pytest.mark.parametrize("label", [0.0, 0.5, 1.0])
def test_finite_far_out(gamma: float, alpha: float, label: float) -> None:
    far = np.array([-1e30, -700, -90, 90, 700, 1e30])
    objective = bind(FocalLoss(gamma=gamma, alpha=alpha), len(far), label)
    gradient, hessian = objective(np.concatenate([far, [0, 0]]))
    assert np.isfinite(gradient).all()
    assert np.isfinite(hessian).all()
    assert (hessian > 0).all()


@pytest.mark.parametrize(("gamma", "alpha"), SETTINGS)
@pytest.mark.parametrize("soft", [False, True])
def test_intercept_and_normalisation(gamma: float, alpha: float, soft: bool) -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(1000) < 0.2).astype(np.float32)
    y = np.clip(y, 0.05, 0.95) if soft else y
    weight = rng.uniform(0.2, 3, 1000).astype(np.float32)
    objective = FocalLoss(gamma=gamma, alpha=alpha).objective(y, weight)
    gradient, hessian = objective(np.full(1000, objective.intercept))
    prevalence = np.average(y, weights=weight)
    assert gradient.sum() == pytest.approx(0, abs=1e-3)
    assert hessian.sum() / weight.sum() == pytest.approx(prevalence * (1 - prevalence), rel=1e-5)


@pytest.mark.parametrize(("gamma", "alpha"), SETTINGS)
def test_soft_label_is_the_mixture_of_the_hard_ones(gamma: float, alpha: float) -> None:
    logit, loss = LOGITS.astype(np.float32), FocalLoss(gamma=gamma, alpha=alpha)
    mixed = loss.value(logit, 0.3)
    np.testing.assert_allclose(mixed, 0.3 * loss.value(logit, 1.0) + 0.7 * loss.value(logit, 0.0), rtol=1e-12)


def fitted(loss: Loss, weight: npt.NDArray[np.float32], rounds: int = 200) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(3000, 12)).astype(np.float32)
    y = (rng.random(3000) < expit(X[:, 0] + 0.5 * X[:, 1] * X[:, 2] - 1.2)).astype(np.int8)
    time = np.arange(3000)
    train = Sample(X, y.astype(np.float32), y, weight, time, time)
    params = {"learning_rate": 0.1, "max_depth": 4, "subsample": 0.8, "colsample_bytree": 0.7, "min_child_weight": 5}
    return XGBoostModel(max_rounds=rounds).bind(FitContext(train, X, loss, seed=4)).predict(params, rounds)


@pytest.mark.parametrize("weighted", [False, True])
def test_without_focus_it_is_binary_logistic(weighted: bool) -> None:
    weight = np.random.default_rng(6).uniform(0.3, 3, 3000) if weighted else np.ones(3000)
    native = fitted(LogisticLoss(), weight.astype(np.float32))
    focal = fitted(FocalLoss(gamma=0, alpha=0.5), weight.astype(np.float32))
    np.testing.assert_allclose(focal, native, rtol=0, atol=1e-6)


def test_focus_is_not_binary_logistic() -> None:
    weight = np.ones(3000, dtype=np.float32)
    assert np.abs(fitted(FocalLoss(gamma=2, alpha=0.25), weight, 20) - fitted(LogisticLoss(), weight, 20)).max() > 0.05


@pytest.mark.parametrize(("gamma", "alpha"), SETTINGS)
def test_class_probability_inverts_the_minimiser_of_the_expected_loss(gamma: float, alpha: float) -> None:
    loss = FocalLoss(gamma=gamma, alpha=alpha)
    grid = np.linspace(-6, 6, 24_001)
    for eta in (0.05, 0.2, 0.5, 0.9):
        expected = eta * loss.value(grid, 1.0) + (1 - eta) * loss.value(grid, 0.0)
        best = expit(grid[np.argmin(expected)])
        assert loss.class_probability(np.array([best]))[0] == pytest.approx(eta, abs=1e-3)
    np.testing.assert_array_equal(loss.class_probability(np.array([0.0, 1.0])), [0, 1])


def test_every_call_returns_arrays_of_its_own() -> None:
    objective = bind(FocalLoss(gamma=2, alpha=0.25), 3, 1.0)
    first = objective(np.zeros(5))[0].copy()
    gradient, _ = objective(np.zeros(5))
    objective(np.ones(5))
    np.testing.assert_array_equal(gradient, first)


def test_pickles_bound_and_unbound() -> None:
    loss = FocalLoss(gamma=2, alpha=0.25)
    assert pickle.loads(pickle.dumps(loss)) == loss
    objective = bind(loss, 3, 1.0)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(objective))(np.ones(5))[0], objective(np.ones(5))[0])


@pytest.mark.parametrize("values", [{"gamma": -1, "alpha": 0.5}, {"gamma": 2, "alpha": 1}, {"gamma": 2}])
def test_refuses_parameters_out_of_range(values: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        FocalLoss(**values)


def test_hessian_stays_positive_where_the_exact_one_is_negative() -> None:
    # Rows missed by far: p_t below .05, where the exact hessian of gamma = 2 is negative
    y = np.array([1, 1, 0, 0], dtype=np.float32)
    objective = FocalLoss(gamma=2, alpha=0.25).objective(y, np.ones(4, dtype=np.float32))
    _, hessian = objective(np.array([-5.0, -4.0, 5.0, 4.0]))
    assert (hessian > 1e-4).all()

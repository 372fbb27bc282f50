from __future__ import annotations

import numpy as np
import pytest
import xgboost

from ftfkit.builtin.losses.logistic import LogisticLoss

LOGITS = np.linspace(-8, 8, 41)


@pytest.mark.parametrize("label", [0.0, 0.3, 1.0])
def test_gradient_and_hessian_are_derivatives_of_the_value(label: float) -> None:
    y = np.full(len(LOGITS), label, dtype=np.float32)
    weight = np.linspace(0.5, 2, len(LOGITS)).astype(np.float32)
    gradient, hessian = LogisticLoss().objective(y, weight)(LOGITS)
    step = 1e-4
    below, here, above = (LogisticLoss().value(LOGITS + shift, label) for shift in (-step, 0, step))
    np.testing.assert_allclose(gradient, weight * (above - below) / (2 * step), atol=1e-6)
    np.testing.assert_allclose(hessian, weight * (above - 2 * here + below) / step**2, atol=1e-6)


def test_intercept_is_where_the_summed_gradient_vanishes() -> None:
    y = np.array([1, 0, 0, 0], dtype=np.float32)
    weight = np.array([2, 1, 1, 0.5], dtype=np.float32)
    objective = LogisticLoss().objective(y, weight)
    gradient, _ = objective(np.full(4, objective.intercept))
    assert gradient.sum() == pytest.approx(0, abs=1e-6)


def test_extreme_logits_and_one_class_stay_finite() -> None:
    objective = LogisticLoss().objective(np.ones(4, dtype=np.float32), np.ones(4, dtype=np.float32))
    gradient, hessian = objective(np.array([-700.0, 700.0, -1e6, 0.0]))
    assert np.isfinite(gradient).all()
    assert (hessian > 0).all()
    assert np.isfinite(objective.intercept)


def test_same_gradient_as_xgboost_binary_logistic() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 3)).astype(np.float32), (rng.random(400) < 0.3).astype(np.float32)
    weight = rng.uniform(0.5, 2, 400).astype(np.float32)
    objective = LogisticLoss().objective(y, weight)
    train = xgboost.DMatrix(X, label=y, weight=weight, nthread=1)
    base = 1 / (1 + np.exp(-objective.intercept))
    settings = {"objective": "binary:logistic", "base_score": base, "max_depth": 3, "nthread": 1}
    native = xgboost.train(settings, train, num_boost_round=20)
    ours = xgboost.train(settings, train, num_boost_round=20, obj=lambda margin, _: objective(margin))
    np.testing.assert_allclose(native.predict(train), ours.predict(train), atol=1e-6)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xgboost

from ftfkit.builtin.models.xgboost_rounds import Rounds

PARAMS = {
    "objective": "binary:logistic",
    "base_score": 0.4,
    "max_depth": 3,
    "subsample": 0.7,
    "seed": 5,
    "seed_per_iteration": True,  # else two boosters would draw from one stream
    "nthread": 1,
}


@pytest.fixture
def train() -> xgboost.QuantileDMatrix:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(300, 5)).astype(np.float32)
    X[rng.random(X.shape) < 0.05] = np.nan
    y = (rng.random(300) < 1 / (1 + np.exp(-np.nan_to_num(X[:, 0])))).astype(np.float32)
    return xgboost.QuantileDMatrix(X, label=y, weight=1 + y, nthread=1)


def gradients(margin: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> tuple[Any, Any]:
    p = 1 / (1 + np.exp(-margin))
    return (p - y).astype(np.float32), (p * (1 - p)).astype(np.float32)


def test_update_is_the_booster_s_own(train: xgboost.QuantileDMatrix) -> None:
    ours, theirs = xgboost.Booster(PARAMS, cache=[train]), xgboost.Booster(PARAMS, cache=[train])
    rounds = Rounds(ours, train)
    for iteration in range(15):
        rounds.update(iteration)
        theirs.update(train, iteration)
    assert ours.get_dump(with_stats=True) == theirs.get_dump(with_stats=True)


def test_margin_and_boost_are_the_booster_s_own(train: xgboost.QuantileDMatrix) -> None:
    ours, theirs = xgboost.Booster(PARAMS, cache=[train]), xgboost.Booster(PARAMS, cache=[train])
    rounds, y = Rounds(ours, train), train.get_label()
    for iteration in range(15):
        expected = theirs.predict(train, output_margin=True, training=True)
        np.testing.assert_array_equal(rounds.margin(), expected)
        rounds.boost(iteration, *gradients(rounds.margin(), y))
        gradient, hessian = gradients(expected, y)
        theirs.boost(train, iteration, grad=gradient, hess=hessian)
    assert ours.get_dump(with_stats=True) == theirs.get_dump(with_stats=True)


@pytest.mark.parametrize(
    "gradient",
    [np.zeros(300), np.zeros(299, dtype=np.float32), np.zeros(600, dtype=np.float32)[::2]],
    ids=["float64", "too short", "strided"],
)
def test_refuses_gradients_it_would_misread(
    train: xgboost.QuantileDMatrix, gradient: np.ndarray[Any, np.dtype[np.float32]]
) -> None:
    rounds = Rounds(xgboost.Booster(PARAMS, cache=[train]), train)
    with pytest.raises(ValueError, match=r"must be contiguous float32 of shape \(300,\)"):
        rounds.boost(0, gradient, np.ones(300, dtype=np.float32))


def test_what_xgboost_refuses_is_raised(train: xgboost.QuantileDMatrix) -> None:
    booster = xgboost.Booster({**PARAMS, "objective": "rank:ndcg"}, cache=[train])
    with pytest.raises(xgboost.core.XGBoostError):
        Rounds(booster, train).update(0)

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from ftfkit.builtin.losses.logistic import LogisticLoss
from ftfkit.builtin.models.xgboost import XGBoostModel, _BoundXGBoost, gpu_present
from ftfkit.components import FitContext
from ftfkit.errors import ConfigError
from ftfkit.types import Sample

PARAMS = {"learning_rate": 0.1, "max_depth": 3, "subsample": 0.7, "colsample_bytree": 0.6}


@pytest.fixture
def context() -> FitContext:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(500, 6)).astype(np.float32)
    X[rng.random(X.shape) < 0.05] = np.nan
    y = (rng.random(500) < 1 / (1 + np.exp(1 - np.nan_to_num(X[:, 0])))).astype(np.int8)
    time = np.arange(500)
    sample = Sample(X, y.astype(np.float32), y, np.where(y == 1, 2, 1).astype(np.float32), time, time)
    return FitContext(sample.rows(time[:400]), X[400:], LogisticLoss(), seed=11)


def test_path_ends_at_max_rounds_and_agrees_with_predict(context: FitContext) -> None:
    bound = XGBoostModel(max_rounds=40).bind(context)
    stages = list(bound.path(PARAMS, every_rounds=25))
    assert [stage.rounds for stage in stages] == [25, 40]
    for stage in stages:
        np.testing.assert_array_equal(stage.proba, bound.predict(PARAMS, stage.rounds))


def test_repeatable_even_when_two_paths_are_interleaved(context: FitContext) -> None:
    bound = XGBoostModel(max_rounds=30).bind(context)
    alone = [stage.proba for stage in bound.path(PARAMS, 10)]
    other = {**PARAMS, "max_depth": 5}
    mixed = [first.proba for first, _ in zip(bound.path(PARAMS, 10), bound.path(other, 10), strict=True)]
    np.testing.assert_array_equal(alone, mixed)


def test_seed_moves_row_and_column_samples(context: FitContext) -> None:
    model = XGBoostModel(max_rounds=30)
    first, second = (model.bind(replace(context, seed=seed)).predict(PARAMS, 30) for seed in (1, 2))
    assert np.abs(first - second).max() > 1e-3


def test_starts_from_the_weighted_prevalence(context: FitContext) -> None:
    proba = XGBoostModel().bind(context).predict({**PARAMS, "learning_rate": 1e-9}, 1)
    train = context.train
    np.testing.assert_allclose(proba, np.average(train.y_hard, weights=train.weight), atol=1e-6)


def test_bins_do_not_depend_on_weights(context: FitContext) -> None:
    skewed = replace(context.train, weight=np.linspace(1e-3, 10, 400).astype(np.float32))
    cuts = [
        XGBoostModel().bind(replace(context, train=train))._train.get_quantile_cut()[1]
        for train in (context.train, skewed)
    ]
    np.testing.assert_array_equal(*cuts)


def test_soft_labels_lie_between_the_hard_ones(context: FitContext) -> None:
    flat = {**PARAMS, "max_depth": 1}
    means = []
    for value in (0.2, 0.5, 0.8):
        soft = replace(context.train, y=np.full(400, value, dtype=np.float32))
        means.append(float(XGBoostModel().bind(replace(context, train=soft)).predict(flat, 20).mean()))
    np.testing.assert_allclose(means, [0.2, 0.5, 0.8], atol=1e-3)


@pytest.mark.parametrize("key", ["scale_pos_weight", "max_dept", "n_estimators", "nthread"])
def test_refuses_parameters_that_xgboost_would_ignore_or_the_model_owns(key: str) -> None:
    with pytest.raises(ValidationError, match=f"{key} must be among"):
        XGBoostModel(params={key: 2})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"params": {"max_depth": -1}}, "max_depth must be >= 0"),
        ({"params": {"max_depth": 4.0}}, "max_depth must be an integer"),
        ({"params": {"subsample": 0}}, r"subsample must be in \(0, 1\]"),
        ({"space": {"colsample_bytree": {"low": 0.5, "high": 1.5}}}, r"colsample_bytree must be in \(0, 1\]"),
        ({"space": {"max_leaves": {"low": 2, "high": 8}}}, "max_leaves must be an integer"),
        ({"space": {"gamma": {"low": -1, "high": 5}}}, "gamma must be >= 0"),
    ],
)
def test_refuses_values_that_xgboost_would_refuse_in_every_cell(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        XGBoostModel(**values)


@pytest.mark.skipif(gpu_present(), reason="a GPU is present")
def test_refuses_a_gpu_that_is_not_there(context: FitContext) -> None:
    with pytest.raises(ValidationError, match="no usable CUDA GPU"):
        XGBoostModel(device="cuda")
    elsewhere = XGBoostModel().model_copy(update={"device": "cuda"})
    with pytest.raises(ConfigError, match="CUDA GPU on this worker"):
        elsewhere.bind(context)


def test_the_device_reaches_xgboost(context: FitContext) -> None:
    for device in ("cpu", "cuda"):
        model = XGBoostModel().model_copy(update={"device": device})
        assert _BoundXGBoost(model, context)._fixed["device"] == device


@pytest.mark.skipif(not gpu_present(), reason="no GPU is present")
def test_a_gpu_fits_about_what_a_cpu_does(context: FitContext) -> None:
    on_cpu, on_gpu = (XGBoostModel(device=device).bind(context).predict(PARAMS, 20) for device in ("cpu", "cuda"))
    np.testing.assert_allclose(on_gpu, on_cpu, atol=0.05)


def test_is_quiet(context: FitContext, capfd: pytest.CaptureFixture[str]) -> None:
    XGBoostModel(max_rounds=5).bind(context).predict(PARAMS, 5)
    assert capfd.readouterr() == ("", "")

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from ftfkit_track11_architecture import conf_dir
from ftfkit_track11_architecture.bagged_seeds import BaggedSeeds
from ftfkit_track11_architecture.hist_gradient_boosting import HistGradientBoostingModel
from ftfkit_track11_architecture.lightgbm import LightGBMModel
from ftfkit_track11_architecture.logistic_regression import LogisticRegressionModel
from ftfkit_track11_architecture.rows import hard_rows
from ftfkit_track11_architecture.stacked import StackedModel, _member_logits
from pydantic import ValidationError

import ftfkit
from ftfkit.components import BoundModel, FitContext, Loss, Model
from ftfkit.errors import ConfigError
from ftfkit.plugins import Registration, registry
from ftfkit.testing.fits import TiltedLogistic, with_rounds
from ftfkit.testing.models import planted_fit


def option(name: str) -> Model:
    values: dict[str, Any] = yaml.safe_load(Path(conf_dir() / "model" / f"{name}.yaml").read_text())
    model: Model = registry().load("model", values.pop("name"))(**values)
    return model


NAMES = ("lightgbm", "hist_gradient_boosting", "logistic_regression", "bagged_xgboost", "stacked")


def test_soft_rows_cost_what_the_soft_label_costs() -> None:
    sample = planted_fit().train.rows(np.arange(3))
    soft = replace(sample, y=np.array([0.25, 1, 0], np.float32), weight=np.array([2, 1, 3], np.float32))
    rows = hard_rows(soft)
    assert sorted(zip(rows.y.tolist(), rows.weight.tolist(), strict=True)) == [(0, 1.5), (0, 3.0), (1, 0.5), (1, 1.0)]
    np.testing.assert_array_equal(rows.X[:2], sample.X[:2])


@pytest.mark.parametrize("name", NAMES)
def test_a_label_that_is_almost_hard_moves_no_probability(name: str) -> None:
    model, context = with_rounds(option(name), 40), planted_fit()
    soft = replace(context.train, y=np.clip(context.train.y, 1e-6, 1 - 1e-6).astype(np.float32))
    expected = model.bind(context).predict(model.params, model.max_rounds)
    found = model.bind(replace(context, train=soft)).predict(model.params, model.max_rounds)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)


def test_hist_gradient_boosting_on_hard_labels_is_that_of_scikit_learn() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model, context = option("hist_gradient_boosting"), planted_fit()
    train = replace(context.train, weight=np.linspace(0.5, 2, len(context.train.y), dtype=np.float32))
    found = model.bind(replace(context, train=train)).predict(model.params, 30)
    plain = HistGradientBoostingClassifier(
        **model.params, max_iter=30, max_bins=63, early_stopping=False, random_state=context.seed
    )
    plain.fit(train.X, train.y_hard, sample_weight=train.weight)
    np.testing.assert_array_equal(found, plain.predict_proba(context.X_eval)[:, 1].astype(np.float32))


def test_hist_gradient_boosting_minimises_the_loss_of_soft_labels() -> None:
    """With one leaf a distinct row, the probability of each is its mean soft label."""
    context = planted_fit()
    X = (np.arange(600) % 3).astype(np.float32).reshape(-1, 1)
    y = np.array([0.15, 0.5, 0.9], dtype=np.float32)[np.arange(600) % 3]
    train = replace(context.train, X=X, y=y)
    params = {"learning_rate": 0.3, "min_samples_leaf": 5, "l2_regularization": 0.0}
    bound = HistGradientBoostingModel().bind(replace(context, train=train, X_eval=X[:3]))
    np.testing.assert_allclose(bound.predict(params, 100), [0.15, 0.5, 0.9], atol=1e-3)


def test_lightgbm_custom_logistic_equals_its_own() -> None:
    """The road of custom losses, taken with the logistic loss, ends where LightGBM's own objective does."""
    from ftfkit.builtin.losses.logistic import LogisticLoss

    class Unnamed(LogisticLoss):
        native = None

    model = LightGBMModel(params={"num_leaves": 7}, max_rounds=40)
    own = model.bind(planted_fit()).predict(model.params, 40)
    custom = model.bind(replace(planted_fit(), loss=Unnamed())).predict(model.params, 40)
    assert np.abs(own - custom).max() < 0.02


def test_a_bag_is_the_mean_of_its_members() -> None:
    bag = BaggedSeeds(base={"name": "lightgbm"}, n_models=2, params={"bagging_fraction": 0.5}, max_rounds=10)
    both = bag.bind(planted_fit()).predict(bag.params, 10)
    alone = bag.member().bind(planted_fit()).predict(bag.params, 10)
    assert not np.array_equal(both, alone)
    assert np.corrcoef(both, alone)[0, 1] > 0.8


@pytest.mark.parametrize("model", [HistGradientBoostingModel(), LogisticRegressionModel()])
def test_one_class_gives_that_class(model: Model) -> None:
    context = planted_fit()
    ones = np.ones_like(context.train.y)
    bound = model.bind(replace(context, train=replace(context.train, y=ones, y_hard=ones.astype(np.int8))))
    assert (bound.predict({}, 1) == 1).all()


LINEAR = {"name": "logistic_regression"}


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: LightGBMModel(params={"max_dept": 3}), "max_dept must be among"),
        (lambda: BaggedSeeds(base={"name": "xgbost"}), "did you mean 'xgboost'"),
        (lambda: BaggedSeeds(base={"name": "xgboost"}, params={"num_leaves": 3}), "num_leaves must be among"),
        (lambda: StackedModel(members=[{"name": "xgboost"}]), "at least 2"),
        (lambda: LightGBMModel(params={"num_leaves": 1}), r"num_leaves must be in \[2, 131072\]"),
        (lambda: LightGBMModel(params={"num_leaves": 15.0}), "num_leaves must be an integer"),
        (lambda: LightGBMModel(params={"bagging_fraction": 0}), r"bagging_fraction must be in \(0, 1\]"),
        (lambda: LightGBMModel(space={"lambda_l2": {"low": -1, "high": 5}}), "lambda_l2 must be >= 0"),
        (lambda: LightGBMModel(space={"num_leaves": {"low": 2, "high": 8}}), "num_leaves must be an integer"),
        (lambda: HistGradientBoostingModel(params={"learning_rate": 0}), "learning_rate must be > 0"),
        (lambda: HistGradientBoostingModel(space={"max_features": {"low": 0.5, "high": 2}}), "max_features must be in"),
        (lambda: LogisticRegressionModel(params={"C": -1}), "C must be > 0"),
        (lambda: StackedModel(members=[LINEAR, LINEAR], params={"C": 0}), "C must be > 0"),
        (lambda: BaggedSeeds(base={"name": "lightgbm"}, params={"max_depth": 2.5}), "max_depth must be an integer"),
    ],
)
def test_a_config_that_cannot_be_trained_is_refused_before_any_data(build: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        build()


@pytest.mark.parametrize(
    "model",
    [
        LightGBMModel(params={"max_depth": -1, "num_leaves": 2, "min_child_samples": 0, "bagging_fraction": 1}),
        HistGradientBoostingModel(params={"max_leaf_nodes": 2, "max_depth": 1, "min_samples_leaf": 1}),
        HistGradientBoostingModel(params={"l2_regularization": 0, "max_features": 1}),
        LogisticRegressionModel(params={"C": 1e-9}),
    ],
)
def test_what_the_library_takes_at_its_bounds_is_taken(model: Model) -> None:
    assert np.isfinite(model.bind(planted_fit()).predict(model.params, 2)).all()


class Asking(LogisticRegressionModel):
    """Asks its context for some of its rows, as an ensemble does."""

    def bind(self, context: FitContext) -> BoundModel:
        rows = np.arange(5)
        np.testing.assert_array_equal(context.sample(rows).X, context.train.X[rows])
        assert context.oof_proba is None
        return super().bind(context)


def test_a_member_is_told_of_no_row_outside_its_fold() -> None:
    context = planted_fit()
    logits = _member_logits((Asking(),), replace(context, resample=context.train.rows))
    assert np.isfinite(logits).all()


def test_a_stack_holds_no_stack() -> None:
    inner = {"name": "stacked", "members": [{"name": "xgboost"}, {"name": "lightgbm"}]}
    with pytest.raises(ValidationError, match="must not be stacked"):
        StackedModel(members=[inner, {"name": "xgboost"}])


def test_a_stack_holds_no_bag_of_stacks() -> None:
    stack = {"name": "stacked", "members": [{"name": "xgboost"}, {"name": "lightgbm"}]}
    bag = {"name": "bagged_seeds", "n_models": 2, "base": {"name": "bagged_seeds", "n_models": 2, "base": stack}}
    with pytest.raises(ValidationError, match="must not be stacked"):
        StackedModel(members=[bag, {"name": "xgboost"}])
    assert BaggedSeeds(base=stack).member()  # by itself it can be fitted


@pytest.mark.parametrize(
    ("model", "refusing"),
    [
        (HistGradientBoostingModel(), "HistGradientBoosting"),
        (LogisticRegressionModel(), "logistic regression"),
        (BaggedSeeds(base={"name": "bagged_seeds", "base": LINEAR}), "logistic regression"),
        (StackedModel(members=[{"name": "xgboost"}, {"name": "lightgbm"}]), "the stacker"),
    ],
)
def test_a_loss_that_cannot_be_honoured_is_refused_before_any_data(model: Model, refusing: str) -> None:
    with pytest.raises(ConfigError, match=f"loss == TiltedLogistic must be the logistic loss: {refusing} has") as told:
        model.check_loss(TiltedLogistic(tilt=2.0))
    assert told.value.key == "loss"
    model.check_loss(planted_fit().loss)
    with pytest.raises(ConfigError, match=f"{refusing} has"):
        model.bind(replace(planted_fit(), loss=TiltedLogistic(tilt=2.0)))


class Picky(LightGBMModel):
    """Takes no loss at all."""

    def check_loss(self, loss: Loss) -> None:
        raise ConfigError("model", "loss", type(loss).__name__, "must be another", "plugin acme-picky")


def test_a_stack_asks_its_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stacker takes the loss, one of its members may not."""
    picky = Registration("model", "picky", Picky, "picky", "acme-picky", "1.0")
    monkeypatch.setitem(registry().registrations["model"], "picky", picky)  # type: ignore[arg-type]
    stack = StackedModel(members=[{"name": "xgboost"}, {"name": "bagged_seeds", "base": {"name": "picky"}}])
    with pytest.raises(ConfigError, match=r"must be another \(plugin acme-picky\)"):
        stack.check_loss(planted_fit().loss)


def test_track_composes_with_all_variants() -> None:
    experiment = ftfkit.compose("track=11_architecture")
    assert tuple(variant.name for variant in experiment.variants) == NAMES
    assert experiment.baseline.name == "xgboost"

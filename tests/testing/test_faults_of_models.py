"""Each suite for models finds the faults it is there for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import ftfkit.testing as suites
from ftfkit.components import FitContext, Loss
from ftfkit.errors import ConfigError
from ftfkit.plugins import registry
from ftfkit.types import Stage

LogisticLoss: Any = registry().load("loss", "logistic")
XGBoostModel: Any = registry().load("model", "xgboost")


class Changed:
    """A bound model with its fit changed."""

    def __init__(self, bound: Any) -> None:
        self.bound = bound

    def path(self, params: Any, every_rounds: int) -> Iterator[Stage]:
        yield from self.bound.path(params, every_rounds)

    def predict(self, params: Any, rounds: int) -> Any:
        return self.bound.predict(params, rounds)


class IgnoresWeights(XGBoostModel):
    def bind(self, context: FitContext) -> Any:
        plain = np.ones_like(context.train.weight)
        return super().bind(replace(context, train=replace(context.train, weight=plain)))


class RoundsSoftLabels(XGBoostModel):
    def bind(self, context: FitContext) -> Any:
        return super().bind(replace(context, train=replace(context.train, y=np.round(context.train.y))))


class SoftAsTwoRows(XGBoostModel):
    """Splits a row with a soft label into two weighted ones: the same loss, but row samples of twice as many rows."""

    def bind(self, context: FitContext) -> Any:
        train = context.train
        if np.isin(train.y, (0, 1)).all():
            return super().bind(context)
        both = train.rows(np.tile(np.arange(len(train.y)), 2))
        y = np.repeat(np.array([1, 0], dtype=np.float32), len(train.y))
        weight = both.weight * np.concatenate([train.y, 1 - train.y])
        return super().bind(replace(context, train=replace(both, y=y, weight=weight)))


class IgnoresLosses(XGBoostModel):
    def bind(self, context: FitContext) -> Any:
        return super().bind(replace(context, loss=LogisticLoss()))


class RefusesOnPaper(XGBoostModel):
    """Asked, it refuses; given the loss all the same, it trains."""

    def check_loss(self, loss: Loss) -> None:
        raise ConfigError("model", "loss", type(loss).__name__, "must be another")


class RefusesLate(XGBoostModel):
    def bind(self, context: FitContext) -> Any:
        raise ConfigError("model.bind", "loss", type(context.loss).__name__, "must be another")


class RanksScoredRows(XGBoostModel):
    def bind(self, context: FitContext) -> Any:
        return Ranked(super().bind(context))


class Ranked(Changed):
    def predict(self, params: Any, rounds: int) -> Any:
        proba = super().predict(params, rounds)
        return ((np.argsort(np.argsort(proba)) + 1) / len(proba)).astype(np.float32)


class UnseededNoise(XGBoostModel):
    def bind(self, context: FitContext) -> Any:
        return Noisy(super().bind(context))


class Noisy(Changed):
    def predict(self, params: Any, rounds: int) -> Any:
        proba = super().predict(params, rounds)
        return np.clip(proba + np.random.default_rng().normal(0, 1e-3, len(proba)), 0, 1).astype(np.float32)


class EveryCore(XGBoostModel):
    def bind(self, context: FitContext) -> Any:
        bound = super().bind(context)
        bound._fixed["nthread"] = 2
        return bound


FAULTS = [
    (suites.ModelConformance, IgnoresWeights(), "test_honours_weights_or_refuses"),
    (suites.ModelConformance, RoundsSoftLabels(), "test_honours_soft_labels_or_refuses"),
    (
        suites.ModelConformance,
        SoftAsTwoRows(params={"subsample": 0.5}),
        "test_soft_labels_that_are_almost_hard_give_almost_the_same_model",
    ),
    (suites.ModelConformance, IgnoresLosses(), "test_honours_losses_or_refuses"),
    (suites.ModelConformance, RefusesOnPaper(), "test_a_loss_is_refused_before_any_data_or_not_at_all"),
    (suites.ModelConformance, RanksScoredRows(), "test_scores_each_row_by_itself"),
    (suites.ModelConformance, UnseededNoise(), "test_is_deterministic_also_after_pickling"),
]


def test_a_fault_is_found_by_the_test_that_is_there_for_it(is_found: bool) -> None:
    assert is_found


@pytest.mark.parametrize("test", ["test_honours_weights_or_refuses", "test_honours_losses_or_refuses"])
def test_a_model_without_parameters_of_its_own_is_no_false_alarm(test: str) -> None:
    """XGBoost's defaults are deep trees at a high rate, which settle most rows whatever they weigh."""
    getattr(suites.ModelConformance(), test)(XGBoostModel())


def test_a_model_that_refuses_a_loss_within_its_fits_is_told_of_the_earlier_way() -> None:
    with pytest.raises(pytest.skip.Exception, match="override check_loss, so that no sweep starts with it"):
        suites.ModelConformance().test_a_loss_is_refused_before_any_data_or_not_at_all(RefusesLate())


def test_threads_are_counted(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The class must live in a module that the counting process can import."""
    import shutil
    import sys

    shutil.copy(__file__, tmp_path / "faulty_models.py")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    from importlib import import_module

    model = import_module("faulty_models").EveryCore()
    with pytest.raises(AssertionError, match="threads and child processes"):
        suites.ModelConformance().test_fits_on_one_thread(model)

"""Gradient-boosted trees by XGBoost, one thread, histogram splits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator

from ftfkit.builtin.models.xgboost_rounds import Rounds
from ftfkit.components import BoundModel, FitContext, Model, Objective, Params, Proba, SearchRange
from ftfkit.errors import ConfigError
from ftfkit.types import Stage

LOGISTIC = "binary:logistic"
COUNTS = frozenset({"max_depth", "max_leaves"})
SHARES = frozenset({"subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode"})
SIZES = frozenset({"learning_rate", "min_child_weight", "max_delta_step", "reg_lambda", "reg_alpha", "gamma"})
TREE_PARAMETERS = COUNTS | SHARES | SIZES


class XGBoostModel(Model):
    """Boosted trees; takes soft labels, weights and any loss.

    Attributes
    ----------
    max_bin : int
        Histogram bins a feature; real bars lose nothing by 32.
    device : {"cpu", "cuda"}
        Where trees are grown. Rows from another device are other cells.

    Notes
    -----
    ``params`` and ``space`` take the tree parameters above and nothing else: XGBoost ignores names it does not know,
    and class balance belongs to ``balancing`` (``scale_pos_weight`` is ignored under a custom objective).
    """

    max_rounds: int = Field(default=300, ge=1)
    max_bin: int = Field(default=32, ge=2, le=65_535)
    device: Literal["cpu", "cuda"] = "cpu"

    @field_validator("params", "space")
    @classmethod
    def _known_parameters(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        unknown = sorted(set(value) - TREE_PARAMETERS)
        if unknown:
            raise ValueError(f"{', '.join(unknown)} must be among {', '.join(sorted(TREE_PARAMETERS))}")
        for name, given in value.items():
            _check_bounds(name, given)
        return value

    @field_validator("device")
    @classmethod
    def _device_present(cls, value: str) -> str:
        if value == "cuda" and not gpu_present():
            raise ValueError("must be cpu: XGBoost finds no usable CUDA GPU on this machine")
        return value

    def bind(self, context: FitContext) -> BoundModel:
        if self.device == "cuda" and not gpu_present():  # the worker may be another machine than the validating one
            raise ConfigError("model.bind", "model.device", "cuda", "needs a CUDA GPU on this worker", "plugin ftfkit")
        return _BoundXGBoost(self, context)


def _check_bounds(name: str, given: float | SearchRange) -> None:
    """Refuse here what XGBoost would refuse in every cell."""
    ends = (given.low, given.high) if isinstance(given, SearchRange) else (given, given)
    if name in SHARES and not 0 < ends[0] <= ends[1] <= 1:
        raise ValueError(f"{name} must be in (0, 1]")
    if ends[0] < 0:
        raise ValueError(f"{name} must be >= 0")
    if name in COUNTS and not (given.kind == "int" if isinstance(given, SearchRange) else isinstance(given, int)):
        raise ValueError(f"{name} must be an integer")


class _BoundXGBoost:
    """One fit: binned matrices shared by all trials, and the loss bound to its rows."""

    def __init__(self, model: XGBoostModel, context: FitContext) -> None:
        import xgboost

        train = context.train
        # Bins are made without weights, so that arms which weight rows differently still see the same bins.
        self._train = xgboost.QuantileDMatrix(train.X, max_bin=model.max_bin, nthread=1)
        self._train.set_info(label=train.y, weight=train.weight)
        self._eval = xgboost.QuantileDMatrix(context.X_eval, max_bin=model.max_bin, ref=self._train, nthread=1)
        objective = context.loss.objective(train.y, train.weight)
        self._objective: Objective | None = objective if context.loss.native is None else None
        self._max_rounds = model.max_rounds
        self._fixed = {
            "tree_method": "hist",
            "device": model.device,
            "max_bin": model.max_bin,
            "nthread": 1,
            "verbosity": 0,
            # Beside a custom objective too: it turns margins into probabilities and base_score into a logit.
            "objective": context.loss.native or LOGISTIC,
            "base_score": 1 / (1 + float(np.exp(-objective.intercept))),
            "seed": context.seed,
            "seed_per_iteration": True,  # row and column samples depend on seed and round alone: paired arms share them
        }

    def path(self, params: Params, every_rounds: int) -> Iterator[Stage]:
        booster = self._booster(params)
        boosting = Rounds(booster, self._train)
        for start in range(0, self._max_rounds, every_rounds):
            rounds = min(start + every_rounds, self._max_rounds)
            self._boost(boosting, start, rounds)
            yield Stage(rounds, self._score(booster))

    def predict(self, params: Params, rounds: int) -> Proba:
        booster = self._booster(params)
        self._boost(Rounds(booster, self._train), 0, rounds)
        return self._score(booster)

    def _booster(self, params: Params) -> Any:
        import xgboost

        return xgboost.Booster({**params, **self._fixed}, cache=[self._train, self._eval])

    def _boost(self, boosting: Rounds, start: int, stop: int) -> None:
        for iteration in range(start, stop):
            if self._objective is None:
                boosting.update(iteration)
            else:
                boosting.boost(iteration, *self._objective(boosting.margin()))

    def _score(self, booster: Any) -> Proba:
        proba: Proba = booster.predict(self._eval, validate_features=False)  # only trees since the last call are run
        return proba


def gpu_present() -> bool:
    """Whether XGBoost was built with CUDA and finds a GPU; it would otherwise fall back to the CPU silently."""
    import json

    import xgboost

    if not xgboost.build_info()["USE_CUDA"]:
        return False
    probe = xgboost.DMatrix(np.zeros((2, 1), dtype=np.float32), label=[0, 1], nthread=1)
    with xgboost.config_context(verbosity=0):  # the fallback warns, and is itself the answer
        booster = xgboost.train({"device": "cuda", "nthread": 1}, probe, num_boost_round=1)
        settings = json.loads(booster.save_config())
    return bool(settings["learner"]["generic_param"]["device"] != "cpu")

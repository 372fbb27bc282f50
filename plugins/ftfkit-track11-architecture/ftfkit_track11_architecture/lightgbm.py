"""Gradient-boosted trees by LightGBM, leaf-wise, one thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator
from scipy.special import expit

from ftfkit.components import BoundModel, FitContext, Model, Objective, Params, Proba
from ftfkit.types import Stage
from ftfkit_track11_architecture.bounds import NOT_NEGATIVE, POSITIVE, SHARE, Bounds, check_parameters

LARGEST_INT = 2**31 - 1
TREE_PARAMETERS = {
    "learning_rate": POSITIVE,
    "num_leaves": Bounds(2, 131_072, whole=True),
    "max_depth": Bounds(-1, LARGEST_INT, whole=True),  # up to 0 there is no limit
    "min_child_samples": Bounds(0, LARGEST_INT, whole=True),
    "min_sum_hessian_in_leaf": NOT_NEGATIVE,
    "bagging_fraction": SHARE,
    "feature_fraction": SHARE,
    "lambda_l1": NOT_NEGATIVE,
    "lambda_l2": NOT_NEGATIVE,
    "min_gain_to_split": NOT_NEGATIVE,
    "path_smooth": NOT_NEGATIVE,
}


class LightGBMModel(Model):
    """Boosted trees; takes soft labels, weights and any loss.

    The logistic loss is LightGBM's own ``cross_entropy``, which takes labels in [0, 1]; any other is handed over as a
    custom objective that starts from its own intercept.

    Attributes
    ----------
    max_bin : int
        Histogram bins a feature.
    """

    max_rounds: int = Field(default=300, ge=1)
    max_bin: int = Field(default=63, ge=2, le=65_535)

    @field_validator("params", "space")
    @classmethod
    def _known_parameters(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        return check_parameters(value, TREE_PARAMETERS)

    def bind(self, context: FitContext) -> BoundModel:
        return _BoundLightGBM(self, context)


class _BoundLightGBM:
    """One fit: the binned training rows are shared by all trials."""

    def __init__(self, model: LightGBMModel, context: FitContext) -> None:
        import lightgbm

        train = context.train
        objective = context.loss.objective(train.y, train.weight)
        self._objective: Objective | None = None if context.loss.native == "binary:logistic" else objective
        self._start = 0.0 if self._objective is None else objective.intercept
        self._X_eval = context.X_eval
        self._max_rounds = model.max_rounds
        self._fixed = {
            "objective": "cross_entropy" if self._objective is None else "custom",
            "max_bin": model.max_bin,
            "feature_pre_filter": False,  # otherwise the first trial's leaf size would decide which features exist
            "bagging_freq": 1,
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
            "seed": context.seed,
        }
        self._train = lightgbm.Dataset(
            train.X,
            label=train.y,
            weight=train.weight,
            init_score=None if self._objective is None else np.full(len(train.y), self._start),
            params=self._fixed,
            free_raw_data=False,
        ).construct()

    def path(self, params: Params, every_rounds: int) -> Iterator[Stage]:
        booster = self._booster(params)
        logit = np.full(len(self._X_eval), self._start)
        for first in range(0, self._max_rounds, every_rounds):
            rounds = min(first + every_rounds, self._max_rounds)
            logit = logit + self._boosted(booster, first, rounds)
            yield Stage(rounds, expit(logit).astype(np.float32))

    def predict(self, params: Params, rounds: int) -> Proba:
        logit = self._start + self._boosted(self._booster(params), 0, rounds)
        proba: Proba = expit(logit).astype(np.float32)
        return proba

    def _booster(self, params: Params) -> Any:
        import lightgbm

        return lightgbm.Booster({**params, **self._fixed}, self._train)

    def _boosted(self, booster: Any, first: int, stop: int) -> npt.NDArray[np.float64]:
        """Boost rounds ``first`` to ``stop`` and return what they add to the logits of the scored rows."""
        for _ in range(first, stop):
            booster.update(fobj=None if self._objective is None else self._gradient_hessian)
        added: npt.NDArray[np.float64] = booster.predict(
            self._X_eval, raw_score=True, start_iteration=first, num_iteration=stop - first, num_threads=1
        )
        return added

    def _gradient_hessian(self, logit: npt.NDArray[np.float64], _: Any) -> tuple[Any, Any]:
        assert self._objective is not None
        gradient, hessian = self._objective(logit)
        return gradient.copy(), hessian.copy()

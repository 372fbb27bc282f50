"""Regularised logistic regression on standardised features: the linear yardstick."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from ftfkit.components import BoundModel, FitContext, Loss, Model, Params, Proba
from ftfkit.types import Stage
from ftfkit_track11_architecture.bounds import POSITIVE, check_parameters
from ftfkit_track11_architecture.rows import hard_rows, one_class, refuse_other_losses


class LogisticRegressionModel(Model):
    """L2-regularised logistic regression; takes weights, soft labels and the logistic loss only. It has no rounds.

    Missing values take the median, and features the location and scale, of the training rows; ``C`` is the inverse
    strength of the penalty.

    Attributes
    ----------
    max_iterations : int
        Most iterations of the solver.
    clip : float
        Standardised features are cut at plus and minus this many standard deviations.
    """

    clip: float = Field(default=5.0, gt=0)
    max_iterations: int = Field(default=500, ge=1)

    @field_validator("params", "space")
    @classmethod
    def _known_parameters(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        return check_parameters(value, {"C": POSITIVE})

    def check_loss(self, loss: Loss) -> None:
        refuse_other_losses(loss, "logistic regression")

    def bind(self, context: FitContext) -> BoundModel:
        self.check_loss(context.loss)
        return _BoundLogisticRegression(self, context)


class _BoundLogisticRegression:
    """One fit: imputation and scaling are shared by all trials."""

    def __init__(self, model: LogisticRegressionModel, context: FitContext) -> None:
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self._model, self._constant, self._seed = model, one_class(context), context.seed
        scaling = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
        scaling.fit(context.train.X.astype(np.float64))
        rows = hard_rows(context.train)
        self._X = self._scaled(scaling, rows.X)
        self._X_eval = self._scaled(scaling, context.X_eval)
        self._y, self._weight = rows.y, rows.weight

    def path(self, params: Params, every_rounds: int) -> Iterator[Stage]:
        yield Stage(self._model.max_rounds, self.predict(params, self._model.max_rounds))

    def predict(self, params: Params, rounds: int) -> Proba:
        if self._constant is not None:
            return self._constant
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        with threadpool_limits(1):
            regression = LogisticRegression(**params, max_iter=self._model.max_iterations, random_state=self._seed)
            regression.fit(self._X, self._y, sample_weight=self._weight)
            proba: Proba = regression.predict_proba(self._X_eval)[:, 1].astype(np.float32)
        return proba

    def _scaled(self, scaling: Any, X: Any) -> Any:
        if len(X) == 0:
            return np.empty(X.shape)
        return np.clip(scaling.transform(X.astype(np.float64)), -self._model.clip, self._model.clip)

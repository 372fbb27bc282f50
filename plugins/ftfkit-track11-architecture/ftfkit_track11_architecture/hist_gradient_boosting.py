"""Gradient-boosted trees by scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from ftfkit.components import BoundModel, FitContext, Loss, Model, Params, Proba
from ftfkit.types import Stage
from ftfkit_track11_architecture.bounds import NOT_NEGATIVE, POSITIVE, SHARE, Bounds, check_parameters
from ftfkit_track11_architecture.rows import one_class, refuse_other_losses

TREE_PARAMETERS = {
    "learning_rate": POSITIVE,
    "max_leaf_nodes": Bounds(2, whole=True),
    "max_depth": Bounds(1, whole=True),
    "min_samples_leaf": Bounds(1, whole=True),
    "l2_regularization": NOT_NEGATIVE,
    "max_features": SHARE,
}


class HistGradientBoostingModel(Model):
    """Boosted trees; takes weights, soft labels and the logistic loss only.

    Attributes
    ----------
    max_bins : int
        Histogram bins a feature.
    """

    max_rounds: int = Field(default=300, ge=1)
    max_bins: int = Field(default=63, ge=2, le=255)

    @field_validator("params", "space")
    @classmethod
    def _known_parameters(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        return check_parameters(value, TREE_PARAMETERS)

    def check_loss(self, loss: Loss) -> None:
        refuse_other_losses(loss, "HistGradientBoosting")

    def bind(self, context: FitContext) -> BoundModel:
        self.check_loss(context.loss)
        return _BoundHistGradientBoosting(self, context)


class _BoundHistGradientBoosting:
    """One fit. scikit-learn cannot bin a column without any value, so such columns are left out."""

    def __init__(self, model: HistGradientBoostingModel, context: FitContext) -> None:
        # Imported before any limit is set: threads of a library that is loaded later would escape it.
        from ftfkit_track11_architecture.soft_boosting import SoftHistGradientBoosting

        self._classifier = SoftHistGradientBoosting
        train = context.train
        filled = ~np.isnan(train.X).all(axis=0)
        self._model, self._X, self._X_eval = model, train.X[:, filled], context.X_eval[:, filled]
        self._y, self._weight = train.y.astype(np.float64), train.weight.astype(np.float64)
        self._seed, self._constant = context.seed, one_class(context)

    def path(self, params: Params, every_rounds: int) -> Iterator[Stage]:
        most = self._model.max_rounds
        if self._constant is not None:
            yield Stage(most, self._constant)
            return
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        with threadpool_limits(1):
            fitted = self._fitted(params, most)
            staged = [proba[:, 1] for proba in fitted.staged_predict_proba(self._X_eval)]
        ends = [*range(every_rounds, most, every_rounds), most]
        for rounds in ends:
            yield Stage(rounds, staged[min(rounds, len(staged)) - 1].astype(np.float32))

    def predict(self, params: Params, rounds: int) -> Proba:
        if self._constant is not None:
            return self._constant
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            fitted = self._fitted(params, rounds)
            last = next(islice(fitted.staged_predict_proba(self._X_eval), fitted.n_iter_ - 1, None))
        proba: Proba = last[:, 1].astype(np.float32)
        return proba

    def _fitted(self, params: Params, rounds: int) -> Any:
        # scikit-learn would take the whole share 1 for a count, and refuses it.
        typed = {name: value if TREE_PARAMETERS[name].whole else float(value) for name, value in params.items()}
        classifier = self._classifier(
            **typed, max_iter=rounds, max_bins=self._model.max_bins, early_stopping=False, random_state=self._seed
        )
        return classifier.fit(self._X, self._y, sample_weight=self._weight)

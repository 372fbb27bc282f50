"""Logistic loss: what XGBoost's ``binary:logistic`` minimises."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from ftfkit.components import Loss, Objective

PREVALENCE_FLOOR = 1e-6  # keeps the intercept finite where a fit has one class only
HESSIAN_FLOOR = np.float32(1e-16)


class LogisticLoss(Loss):
    """Negative log-likelihood of a Bernoulli label; XGBoost computes it natively."""

    native: ClassVar[str | None] = "binary:logistic"

    def value(self, logit: npt.NDArray[Any], y: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        z = np.asarray(logit, dtype=np.float64)
        return np.asarray(np.logaddexp(0, z) - y * z, dtype=np.float64)

    def objective(self, y: npt.NDArray[np.float32], weight: npt.NDArray[np.float32]) -> Objective:
        return _BoundLogistic(y, weight)


class _BoundLogistic:
    """The loss on one fit's rows; the intercept is the logit of the weighted prevalence."""

    def __init__(self, y: npt.NDArray[np.float32], weight: npt.NDArray[np.float32]) -> None:
        self._y, self._weight = y, weight
        mean = np.average(y, weights=weight.astype(np.float64))
        prevalence = float(np.clip(mean, PREVALENCE_FLOOR, 1 - PREVALENCE_FLOOR))
        self.intercept = math.log(prevalence / (1 - prevalence))

    def __call__(self, logit: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        z = np.asarray(logit, dtype=np.float32)
        p = expit(z)
        return (p - self._y) * self._weight, np.maximum(p * expit(-z) * self._weight, HESSIAN_FLOOR)

"""From raw probabilities to class probabilities, fitted on out-of-fold evidence alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from ftfkit.components import Loss, Proba
from ftfkit.config.sections import CalibrationConfig

LOGIT_LIMIT = 1e-6  # probabilities are kept this far from 0 and 1 before a logit is taken

Calibrator = Callable[[npt.NDArray[Any]], npt.NDArray[np.float64]]


def fit_calibrator(
    config: CalibrationConfig, loss: Loss, weight_ratio: float, oof_proba: Proba, oof_y: npt.NDArray[np.int8]
) -> Calibrator:
    """A map from raw to calibrated probabilities.

    Parameters
    ----------
    loss : Loss
        Its ``class_probability`` is what ``loss_inverse`` applies.
    weight_ratio : float
        BUY class weight over the other's, which ``loss_inverse`` undoes too.
    oof_proba, oof_y : ndarray, shape (n,)
        Pooled out-of-fold evidence; used by ``platt`` and ``isotonic``.

    Notes
    -----
    ``none`` is the identity. ``platt`` is a logistic regression on the logit, without penalty; ``isotonic`` clips
    outside the range it has seen. Both give the prevalence where the evidence has one class only.
    """
    if config.method == "loss_inverse":
        return lambda proba: _unweighted(loss.class_probability(proba), weight_ratio)
    if config.method == "none":
        return lambda proba: np.asarray(proba, dtype=np.float64)
    if oof_y.min() == oof_y.max():
        prevalence = float(oof_y[0])
        return lambda proba: np.full(len(proba), prevalence)
    return _platt(oof_proba, oof_y) if config.method == "platt" else _isotonic(oof_proba, oof_y)


def _unweighted(proba: npt.NDArray[np.float64], weight_ratio: float) -> npt.NDArray[np.float64]:
    """Class probability without class weights: their ratio divides the odds."""
    return np.asarray(proba / (proba + weight_ratio * (1 - proba)), dtype=np.float64)


def _platt(oof_proba: Proba, oof_y: npt.NDArray[np.int8]) -> Calibrator:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=np.inf).fit(_logits(oof_proba), oof_y)
    return lambda proba: np.asarray(fitted.predict_proba(_logits(proba))[:, 1], dtype=np.float64)


def _isotonic(oof_proba: Proba, oof_y: npt.NDArray[np.int8]) -> Calibrator:
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    fitted.fit(np.asarray(oof_proba, dtype=np.float64), oof_y)
    return lambda proba: np.asarray(fitted.predict(np.asarray(proba, dtype=np.float64)), dtype=np.float64)


def _logits(proba: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    clipped = np.clip(np.asarray(proba, dtype=np.float64), LOGIT_LIMIT, 1 - LOGIT_LIMIT)
    return np.asarray(logit(clipped), dtype=np.float64)[:, None]

"""Samples and fits with known truth: the probability of each label is known, and so what a model should find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from ftfkit.components import FitContext, Loss, Model, Objective, Proba
from ftfkit.plugins import registry
from ftfkit.purging import consecutive_splits
from ftfkit.run.fit import REGISTERED_MODELS
from ftfkit.types import HOUR_NS, IntArray, Sample, Split

BAR_NS = 4 * HOUR_NS
EMBARGO_NS = 24 * BAR_NS
START_NS = 1_640_995_200_000_000_000  # 2022-01-01
OOF_ROUNDS = 30


@dataclass(frozen=True, eq=False)
class Planted:
    """Rows whose labels were drawn with the known probability ``truth``, float64, shape (n,)."""

    sample: Sample
    truth: npt.NDArray[np.float64]


def planted_sample(n: int = 600, seed: int = 0, strength: float = 1.0) -> Planted:
    """Rows of six features, of which the first two tell the label and the others nothing.

    Parameters
    ----------
    n : int
    seed : int
    strength : float
        Scale of the logit; 0 plants nothing.

    Returns
    -------
    Planted
        One event a 4 h bar, labels of 1 to 12 bars; a tenth of the fourth feature is NaN, the fifth is constant.
    """
    rng = np.random.default_rng([seed, 11])
    X = rng.standard_normal((n, 6)).astype(np.float32)
    truth = expit(strength * (1.6 * X[:, 0] - 1.2 * X[:, 1]) - 0.6)
    X[rng.random(n) < 0.1, 3] = np.nan
    X[:, 4] = 1
    y = (rng.random(n) < truth).astype(np.int8)
    t0 = START_NS + BAR_NS * np.arange(n, dtype=np.int64)
    t1 = t0 + BAR_NS * rng.integers(1, 13, n)
    return Planted(Sample(X, y.astype(np.float32), y, np.ones(n, dtype=np.float32), t0, t1), truth.astype(np.float64))


def fit_context(sample: Sample, X_eval: npt.NDArray[np.float32], loss: Loss | None = None, seed: int = 7) -> FitContext:
    """Everything a model or target transform gets: purged splits, the registered models, out-of-fold probabilities.

    Parameters
    ----------
    sample : Sample
        Sorted by ``t0``.
    X_eval : ndarray of float32, shape (m, p)
    loss : Loss, optional
        Logistic when not given.
    seed : int
    """
    oof_proba = _out_of_fold(sample, _groups(sample.t0, sample.t1))
    return FitContext(sample, X_eval, loss or _logistic(), seed, _groups, REGISTERED_MODELS, oof_proba)


def _groups(t0: IntArray, t1: IntArray) -> tuple[Split, ...]:
    return consecutive_splits(t0, t1, 4, EMBARGO_NS)


def _logistic() -> Loss:
    loss: Loss = registry().load("loss", "logistic")()
    return loss


def _out_of_fold(sample: Sample, splits: tuple[Split, ...]) -> Callable[[], Proba]:
    @cache
    def oof_proba() -> Proba:
        proba = np.empty(len(sample.t0), dtype=np.float32)
        model = REGISTERED_MODELS["xgboost"](max_rounds=OOF_ROUNDS)
        for split in splits:
            hard = replace(sample, y=sample.y_hard.astype(np.float32)).rows(split.train)
            bound = model.bind(FitContext(hard, sample.X[split.test], _logistic(), 7))
            proba[split.test] = bound.predict(model.params, OOF_ROUNDS)
        return proba

    return oof_proba


class TiltedLogistic(Loss):
    """Logistic loss in which BUY events weigh ``tilt`` times as much: raises the probabilities of any model it trains.

    It has no native objective, so that a model which takes it is known to honour losses.
    """

    tilt: float

    def value(self, logit: npt.NDArray[Any], y: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        z = np.asarray(logit, dtype=np.float64)
        return np.asarray(self.tilt * y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z), dtype=np.float64)

    def objective(self, y: npt.NDArray[np.float32], weight: npt.NDArray[np.float32]) -> Objective:
        return _BoundTilted(self.tilt, y, weight)

    def class_probability(self, proba: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        p = np.asarray(proba, dtype=np.float64)
        return np.asarray(p / (p + self.tilt * (1 - p)), dtype=np.float64)


class _BoundTilted:
    def __init__(self, tilt: float, y: npt.NDArray[np.float32], weight: npt.NDArray[np.float32]) -> None:
        prevalence = float(np.clip(np.average(y, weights=weight.astype(np.float64)), 1e-6, 1 - 1e-6))
        buy, other = tilt * prevalence, 1 - prevalence
        self.intercept = float(np.log(buy / other))
        share = buy / (buy + other)
        scale = prevalence * other / ((buy + other) * share * (1 - share))
        self._buy, self._other = scale * tilt * weight * y, scale * weight * (1 - y)

    def __call__(self, logit: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        p = expit(np.asarray(logit, dtype=np.float64))
        gradient = -self._buy * (1 - p) + self._other * p
        hessian = np.maximum((self._buy + self._other) * p * (1 - p), 1e-16)
        return gradient.astype(np.float32), hessian.astype(np.float32)


def with_rounds(model: Model, rounds: int) -> Model:
    """The same model with at most so many rounds, so that a suite stays quick."""
    return model.model_copy(update={"max_rounds": min(rounds, model.max_rounds)})

"""Binary focal loss with an exact gradient and a hessian that stays positive.

With s = 2y - 1, z the logit, m = s z, p = sigmoid(m), q = 1 - p, L = -log p, alpha_t = alpha for y = 1 else 1 - alpha,
and w = alpha_t q^gamma:

    loss      w L
    gradient  -s w (q + gamma p L)
    hessian   w p [(1 + 2 gamma) q + gamma L (gamma p - q)]

References
----------
Lin, T.-Y. et al. (2017), Focal loss for dense object detection, ICCV, eq. 5. arXiv:1708.02002.
Charoenphakdee, N. et al. (2021), On focal loss for class-posterior probability estimation, CVPR. arXiv:2011.09172.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy.special import expit, xlogy

from ftfkit.components import Loss, Objective

Float32Array = npt.NDArray[np.float32]

PREVALENCE_FLOOR = 1e-6  # keeps the intercept finite where a fit has one class only
MARGIN_FLOOR = np.float32(-80)  # exp(80) still fits a float32; below it the gradient has reached its limit
HESSIAN_FLOOR = np.float32(1e-16)


class FocalLoss(Loss):
    """Down-weights events that the model already gets right.

    Attributes
    ----------
    gamma : float
        Focusing exponent, >= 0; 0 is the logistic loss weighted by ``alpha``.
    alpha : float
        Weight of the BUY class, in (0, 1); the other class has ``1 - alpha``.

    Notes
    -----
    A model cut at p >= .5 buys where eta / (1 - eta) >= (1 - alpha) w0 / (alpha w1), eta the true probability and w0,
    w1 the class weights, for any gamma: alpha moves the operating point, gamma does not.
    """

    gamma: float = Field(ge=0, le=10)
    alpha: float = Field(gt=0, lt=1)

    neutral: ClassVar[Mapping[str, float]] = {"gamma": 0.0, "alpha": 0.5}

    def value(self, logit: npt.NDArray[Any], y: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        z = np.asarray(logit, dtype=np.float64)
        positive = self.alpha * expit(-z) ** self.gamma * np.logaddexp(0, -z)
        negative = (1 - self.alpha) * expit(z) ** self.gamma * np.logaddexp(0, z)
        return np.asarray(y * positive + (1 - y) * negative, dtype=np.float64)

    def objective(self, y: Float32Array, weight: Float32Array) -> Objective:
        return _BoundFocal(self.gamma, self.alpha, y, weight)

    def class_probability(self, proba: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Invert eta -> argmin of the expected loss, where alpha eta g1(p) = (1 - alpha) (1 - eta) g0(p)."""
        p = np.asarray(proba, dtype=np.float64)
        g1 = self.alpha * _pull(p, self.gamma)
        g0 = (1 - self.alpha) * _pull(1 - p, self.gamma)
        return np.asarray(g0 / (g0 + g1), dtype=np.float64)


class _BoundFocal:
    """The loss on one fit's rows.

    Gradient and hessian are scaled so that the mean initial hessian is pi (1 - pi), as under the logistic loss: only
    then do ``min_child_weight`` and ``reg_lambda`` mean the same for every gamma and alpha.
    """

    def __init__(self, gamma: float, alpha: float, y: Float32Array, weight: Float32Array) -> None:
        from scipy.optimize import brentq

        self._gamma = gamma
        mean = np.average(y, weights=weight.astype(np.float64))
        prevalence = float(np.clip(mean, PREVALENCE_FLOOR, 1 - PREVALENCE_FLOOR))
        positive, negative = alpha * prevalence, (1 - alpha) * (1 - prevalence)

        def summed_gradient(logit: float) -> float:
            p = float(expit(logit))
            pull = _pull(np.array([1 - p, p]), gamma)
            return float(negative * pull[0] - positive * pull[1])

        self.intercept = float(brentq(summed_gradient, -40.0, 40.0, xtol=1e-12))
        hessian = positive * _curvature(self.intercept, gamma) + negative * _curvature(-self.intercept, gamma)
        scale = prevalence * (1 - prevalence) / hessian
        full = scale * weight.astype(np.float64)
        self._sides: tuple[tuple[Float32Array, Float32Array], ...]
        if np.all((y == 0) | (y == 1)):  # one pass does for hard labels
            self._sides = ((_signs(y == 1), (np.where(y == 1, alpha, 1 - alpha) * full).astype(np.float32)),)
        else:
            buy, other = alpha * y * full, (1 - alpha) * (1 - y) * full
            every = np.ones(len(y), dtype=bool)
            self._sides = ((_signs(every), buy.astype(np.float32)), (_signs(~every), other.astype(np.float32)))

    def __call__(self, logit: npt.NDArray[Any]) -> tuple[Float32Array, Float32Array]:
        z = np.asarray(logit, dtype=np.float32)
        gradient, hessian = _focal(z, *self._sides[0], self._gamma)
        for side in self._sides[1:]:
            more_gradient, more_hessian = _focal(z, *side, self._gamma)
            gradient += more_gradient
            hessian += more_hessian
        return gradient, np.maximum(hessian, HESSIAN_FLOOR, out=hessian)


def _signs(positive: npt.NDArray[np.bool_]) -> Float32Array:
    """-s of each row: the sign that turns its logit into minus its margin."""
    return np.where(positive, np.float32(-1), np.float32(1))


def _focal(
    logit: Float32Array, sign: Float32Array, coefficient: Float32Array, gamma: float
) -> tuple[Float32Array, Float32Array]:
    """Gradient and hessian of ``coefficient`` x focal loss; ``sign`` is -s. Works in place: allocation costs time.

    Where the exact hessian falls below the curvature w p (q + gamma p L) of the loss with frozen weight w, that one is
    taken: the exact one turns negative for badly missed rows, and XGBoost sums negative hessians as they are.
    """
    g = np.float32(gamma)
    t = sign * logit
    np.minimum(t, -MARGIN_FLOOR, out=t)
    q = np.exp(t)  # exp(-m), becomes q
    loss = np.log1p(q)
    p = q + np.float32(1)
    np.reciprocal(p, out=p)
    q *= p
    t -= loss  # log q
    t *= g
    w = np.exp(t, out=t)
    w *= coefficient
    pull = p * loss
    pull *= g
    gradient = q + pull
    hessian = loss
    hessian *= -g
    hessian += np.float32(1 + 2 * gamma)
    hessian *= q
    pull *= g
    hessian += pull
    np.maximum(hessian, gradient, out=hessian)
    hessian *= p
    hessian *= w
    gradient *= w
    gradient *= sign
    return gradient, hessian


def _pull(p: npt.NDArray[np.float64], gamma: float) -> npt.NDArray[np.float64]:
    """|gradient| of (1 - p)^gamma (-log p) in the logit of p: (1-p)^gamma [(1-p) - gamma p log p]."""
    return np.asarray((1 - p) ** gamma * ((1 - p) - gamma * xlogy(p, p)), dtype=np.float64)


def _curvature(logit: float, gamma: float) -> float:
    """Hessian of a positive event's unweighted loss, with the floor that training uses."""
    p, loss = float(expit(logit)), float(np.logaddexp(0, -logit))
    q = 1 - p
    frozen = q + gamma * p * loss
    exact = (1 + 2 * gamma) * q + gamma * loss * (gamma * p - q)
    return math.pow(q, gamma) * p * max(exact, frozen)

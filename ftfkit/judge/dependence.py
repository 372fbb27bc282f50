"""The second opinion: tests on fold means, which stay honest when assets move together."""

from __future__ import annotations

import numpy as np
from scipy import special

from ftfkit.judge.paired import FloatVector, MeanTest, mean_test
from ftfkit.types import ROUNDING, IntArray

MAX_EXACT_FOLDS = 40  # beyond, 2^k sign patterns are out of reach even by halves


def fold_means(delta: FloatVector, fold: IntArray) -> FloatVector:
    """Mean of the deltas over assets, fold by fold in rising order, shape (k,)."""
    return np.array([delta[fold == number].mean() for number in np.unique(fold)], dtype=np.float64)


def fold_t(means: FloatVector, confidence: float) -> MeanTest:
    """t test on fold means, ``t = m / sqrt(s^2 / k)`` with k - 1 degrees of freedom."""
    return mean_test(means, confidence)


def nadeau_bengio(means: FloatVector, confidence: float) -> MeanTest:
    """t test on fold means corrected for overlapping training sets, ``t = m / sqrt(s^2 (1/k + 1/(k-1)))``.

    References
    ----------
    Nadeau & Bengio (2003), Inference for the Generalization Error, Machine Learning 52, 239-281; the ratio of test
    to training size of a k-fold is 1/(k-1).
    """
    return mean_test(means, confidence, variance_factor(len(means), "nadeau_bengio"))


def variance_factor(k: int, test: str) -> float:
    """Variance of the mean lift over the variance of fold means, as ``fold_t`` or ``nadeau_bengio`` has it."""
    if k < 2:
        return 1.0
    return 1 / k + 1 / (k - 1) if test == "nadeau_bengio" else 1 / k


def intraclass_correlation(delta: FloatVector, asset: np.ndarray, fold: IntArray) -> float | None:
    """How alike the assets' deltas of one fold are: ``(MS_f - MS_e) / (MS_f + (a - 1) MS_e)``.

    None for one asset, one fold, an incomplete grid, or deltas that are all the same.

    References
    ----------
    Shrout & Fleiss (1979), ICC(1,1), with folds as targets and assets as raters.
    """
    a, k = len(np.unique(asset)), len(np.unique(fold))
    if a < 2 or k < 2 or len(delta) != a * k:
        return None
    means = fold_means(delta, fold)
    between = a * float(means.var(ddof=1))
    residual = delta - means[np.unique(fold, return_inverse=True)[1]]
    within = float((residual**2).sum()) / (k * (a - 1))
    total = between + (a - 1) * within
    return (between - within) / total if total > ROUNDING**2 else None


def effective_n(n_pairs: int, n_assets: int, n_folds: int, icc: float | None) -> float | None:
    """Independent pairs that carry the same information: ``n / (1 + (a - 1) icc)``; the folds for one asset."""
    if n_assets == 1:
        return float(n_folds)
    if icc is None:
        return None
    inflation = 1 + (n_assets - 1) * icc
    return n_pairs / inflation if inflation > ROUNDING else None


def sign_flip_floor(k: int) -> float | None:
    """Smallest p that ``sign_flip`` can give: the observed pattern and its mirror among 2^k; None for one fold."""
    return 2.0 ** (1 - k) if k >= 2 else None


def sign_flip(means: FloatVector) -> float | None:
    """Exact two-sided p of the mean of ``means`` under all sign patterns; None for one fold or more than 40.

    Patterns are counted by halves (meet in the middle), so that 30 folds cost 2^15 sums and not 2^30.
    """
    k = len(means)
    if not 2 <= k <= MAX_EXACT_FOLDS:
        return None
    observed = abs(float(means.sum())) - ROUNDING * k
    if observed <= 0:
        return 1.0
    left, right = _signed_sums(means[: k // 2]), np.sort(_signed_sums(means[k // 2 :]))
    as_high = len(right) - np.searchsorted(right, observed - left, side="left")
    return float(2 * as_high.sum() / 2.0**k)


def rope_mass(means: FloatVector, required_lift: float) -> float | None:
    """Posterior mass of the mean lift inside +-``required_lift``: t(k-1) at the mean, Nadeau-Bengio scale.

    References
    ----------
    Corani & Benavoli (2015), A Bayesian approach for comparing cross-validated algorithms, Machine Learning 100.
    """
    k = len(means)
    if k < 2:
        return None
    mean, sd = float(means.mean()), float(means.std(ddof=1))
    if sd <= ROUNDING:
        return float(abs(mean) <= required_lift + ROUNDING)
    scale = sd * variance_factor(k, "nadeau_bengio") ** 0.5
    low, high = special.stdtr(k - 1, (np.array([-required_lift, required_lift]) - mean) / scale)
    return float(high - low)


def _signed_sums(values: FloatVector) -> FloatVector:
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums

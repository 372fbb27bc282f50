"""How much of a result the search for it explains: deflated Sharpe ratio and probability of backtest overfitting."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy import special

from ftfkit.types import ROUNDING

MIN_BLOCKS = 4  # a kurtosis needs four values, two halves of two blocks as many
MAX_SPLITS = 10  # 252 ways to choose half of the blocks

_Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DeflatedSharpe:
    """Sharpe ratio of one strategy held against the best that luck would give among all that were tried.

    ``benchmark`` is that luck, ``probability`` that the true ratio exceeds it; ratios are per observation.
    """

    sharpe: float
    benchmark: float
    probability: float


@dataclass(frozen=True)
class Overfitting:
    """Share of splits in which the best of one half is below the median of the other; .5 is no better than chance."""

    probability: float
    n_strategies: int
    n_splits: int
    n_combinations: int


def sharpe(returns: Sequence[float]) -> float | None:
    """Mean over standard deviation (ddof 0) of per-observation returns; None where they do not vary."""
    values = np.asarray(returns, dtype=np.float64)
    sd = float(values.std()) if len(values) else 0.0
    return float(values.mean()) / sd if sd > ROUNDING else None


def deflated_sharpe(returns: Sequence[float], n_trials: int, trial_variance: float) -> DeflatedSharpe | None:
    """Deflated Sharpe ratio; None for fewer than four returns, returns that do not vary, or moments too extreme.

    Parameters
    ----------
    returns : sequence of float
        One a block, any unit.
    n_trials : int
        Strategies tried, at least 1.
    trial_variance : float
        Variance of their Sharpe ratios per observation.

    References
    ----------
    Bailey, D. H. & López de Prado, M. (2014), The deflated Sharpe ratio, Journal of Portfolio Management 40(5), eq. 1
    and 2; skewness and kurtosis are the unbiased ones.
    """
    ratio, n = sharpe(returns), len(returns)
    if n < MIN_BLOCKS or ratio is None:
        return None
    skewness, kurtosis = _moments(np.asarray(returns, dtype=np.float64))
    spread = 1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2
    if spread <= 0:  # the higher moments leave the approximation without a variance
        return None
    benchmark = math.sqrt(trial_variance) * _expected_maximum(n_trials)
    probability = float(special.ndtr((ratio - benchmark) * math.sqrt((n - 1) / spread)))
    return DeflatedSharpe(ratio, benchmark, probability)


def _moments(values: _Vector) -> tuple[float, float]:
    """Unbiased skewness and kurtosis (3 for a normal distribution)."""
    n, deviation = len(values), (values - values.mean()) / values.std()
    skewness, excess = float((deviation**3).mean()), float((deviation**4).mean()) - 3
    unbiased = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * excess + 6)
    return skewness * math.sqrt(n * (n - 1)) / (n - 2), unbiased + 3


def _expected_maximum(n_trials: int) -> float:
    """Of as many independent standard normal variables; 0 of one."""
    if n_trials == 1:
        return 0.0
    one, other = special.ndtri([1 - 1 / n_trials, 1 - 1 / (n_trials * math.e)])
    return float((1 - np.euler_gamma) * one + np.euler_gamma * other)


def overfitting_probability(scores: npt.NDArray[np.float64]) -> Overfitting | None:
    """Probability of backtest overfitting by combinatorially symmetric cross-validation.

    Parameters
    ----------
    scores : ndarray of float64, shape (n_strategies, n_blocks)
        Larger is better; blocks in order of time. A strategy's score over several blocks is their mean.

    Returns
    -------
    Overfitting or None
        None for fewer than two strategies or four blocks.

    References
    ----------
    Bailey, D. H., Borwein, J., López de Prado, M. & Zhu, Q. J. (2017), The probability of backtest overfitting, Journal
    of Computational Finance 20(4).
    """
    n_strategies, n_blocks = scores.shape
    if n_strategies < 2 or n_blocks < MIN_BLOCKS:
        return None
    n_splits = min(n_blocks - n_blocks % 2, MAX_SPLITS)
    below = [_best_falls_below(scores, inside) for inside in _halves(n_blocks, n_splits)]
    return Overfitting(float(np.mean(below)), n_strategies, n_splits, len(below))


def _halves(n_blocks: int, n_splits: int) -> Iterator[npt.NDArray[np.bool_]]:
    """Every way to choose half of ``n_splits`` contiguous groups of blocks, as the blocks in them."""
    group = np.concatenate(
        [np.full(len(part), i) for i, part in enumerate(np.array_split(np.arange(n_blocks), n_splits))]
    )
    for chosen in combinations(range(n_splits), n_splits // 2):
        yield np.isin(group, chosen)


def _best_falls_below(scores: npt.NDArray[np.float64], inside: npt.NDArray[np.bool_]) -> bool:
    """Whether the best strategy of the chosen blocks, the first of equals, ranks below the median of the others."""
    best = int(scores[:, inside].mean(axis=1).argmax())
    outside = scores[:, ~inside].mean(axis=1)
    rank = (outside < outside[best]).sum() + ((outside == outside[best]).sum() + 1) / 2  # ties share theirs
    return bool(rank / (len(scores) + 1) < 0.5)

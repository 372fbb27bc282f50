"""How much of a result the search for it explains: deflated Sharpe ratio and probability of backtest overfitting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
    Bailey, D. H. & López de Prado, M. (2014), The deflated Sharpe ratio, Journal of Portfolio Management 40(5).
    """
    from purgedcv import deflated_sharpe_ratio_full

    if len(returns) < MIN_BLOCKS or sharpe(returns) is None:
        return None
    try:
        found = deflated_sharpe_ratio_full(np.asarray(returns, dtype=np.float64), n_trials, trial_variance)
    except ValueError:  # the higher moments leave the approximation without a variance
        return None
    return DeflatedSharpe(found.observed_sr, found.sr_star, found.dsr)


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
    from purgedcv import probability_of_backtest_overfitting

    n_strategies, n_blocks = scores.shape
    if n_strategies < 2 or n_blocks < MIN_BLOCKS:
        return None
    n_splits = min(n_blocks - n_blocks % 2, MAX_SPLITS)
    found = probability_of_backtest_overfitting(scores, n_splits, metric=_mean)
    return Overfitting(found.pbo, n_strategies, n_splits, found.n_combos)


def _mean(scores: _Vector) -> float:
    return float(np.mean(scores))

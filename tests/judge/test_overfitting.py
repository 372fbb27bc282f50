from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from ftfkit.judge.overfitting import deflated_sharpe, overfitting_probability, sharpe


def test_sharpe_is_mean_over_population_sd() -> None:
    assert sharpe([1.0, 3.0]) == pytest.approx(2.0, abs=1e-12)
    assert sharpe([2.0, 2.0]) is None
    assert sharpe([]) is None


def _bailey_lopez_de_prado(returns: np.ndarray, n_trials: int, variance: float) -> tuple[float, float]:
    """Equations 1 and 2 of the paper, written out: benchmark and probability."""
    n, ratio = len(returns), returns.mean() / returns.std()
    euler = 0.5772156649015329
    luck = (1 - euler) * stats.norm.ppf(1 - 1 / n_trials) + euler * stats.norm.ppf(1 - 1 / (n_trials * math.e))
    benchmark = math.sqrt(variance) * luck
    skew, kurtosis = stats.skew(returns, bias=False), stats.kurtosis(returns, bias=False, fisher=False)
    spread = 1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2
    return benchmark, float(stats.norm.cdf((ratio - benchmark) * math.sqrt(n - 1) / math.sqrt(spread)))


@pytest.mark.parametrize(("n", "n_trials", "variance"), [(5, 2, 0.1), (10, 40, 0.3), (30, 7, 0.01)])
def test_deflated_sharpe_is_the_published_formula(n: int, n_trials: int, variance: float) -> None:
    returns = np.random.default_rng(n).normal(0.3, 1.0, n)
    found = deflated_sharpe(returns.tolist(), n_trials, variance)
    benchmark, probability = _bailey_lopez_de_prado(returns, n_trials, variance)
    assert found is not None
    assert found.sharpe == pytest.approx(returns.mean() / returns.std(), abs=1e-9)
    assert found.benchmark == pytest.approx(benchmark, abs=1e-9)
    assert found.probability == pytest.approx(probability, abs=1e-9)


def test_more_trials_deflate_more() -> None:
    returns = np.random.default_rng(0).normal(0.5, 1.0, 20).tolist()
    found = [deflated_sharpe(returns, n, 0.1) for n in (1, 10, 1000)]
    values = [one.probability for one in found if one is not None]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 3


@pytest.mark.parametrize("returns", [[1.0, 2.0, 3.0], [1.0] * 6, [], [-5.7, -2.4, -2.4, -4.1]])
def test_deflated_sharpe_is_undefined_for_few_constant_or_extreme_returns(returns: list[float]) -> None:
    assert deflated_sharpe(returns, 2, 0.1) is None


def _brute_force(scores: np.ndarray, n_splits: int) -> float:
    """Share of splits in which the winner of the one half is below the median of the other."""
    blocks = np.array_split(np.arange(scores.shape[1]), n_splits)
    below = []
    for chosen in itertools.combinations(range(n_splits), n_splits // 2):
        outside = np.concatenate([blocks[b] for b in chosen])
        inside = np.concatenate([blocks[b] for b in range(n_splits) if b not in chosen])
        best = int(np.argmax(scores[:, inside].mean(axis=1)))
        rank = stats.rankdata(scores[:, outside].mean(axis=1))[best]
        below.append(rank / (len(scores) + 1) < 0.5)
    return float(np.mean(below))


@pytest.mark.parametrize(("n_strategies", "n_blocks", "n_splits"), [(2, 4, 4), (5, 5, 4), (7, 10, 10), (3, 23, 10)])
def test_overfitting_probability_by_brute_force(n_strategies: int, n_blocks: int, n_splits: int) -> None:
    scores = np.random.default_rng(n_blocks).normal(size=(n_strategies, n_blocks))
    found = overfitting_probability(scores)
    assert found is not None
    assert (found.n_strategies, found.n_splits) == (n_strategies, n_splits)
    assert found.n_combinations == math.comb(n_splits, n_splits // 2)
    assert found.probability == pytest.approx(_brute_force(scores, n_splits), abs=1e-12)


def test_a_strategy_that_is_always_best_is_not_overfitted() -> None:
    scores = np.random.default_rng(1).normal(size=(4, 8))
    scores[2] += 100
    found = overfitting_probability(scores)
    assert found is not None
    assert found.probability == 0.0


@pytest.mark.parametrize("shape", [(1, 10), (3, 3)])
def test_overfitting_needs_two_strategies_and_four_blocks(shape: tuple[int, int]) -> None:
    assert overfitting_probability(np.zeros(shape)) is None

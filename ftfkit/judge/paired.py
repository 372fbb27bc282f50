"""The published comparison: paired deltas, one-sample t, percentile bootstrap, Benjamini-Hochberg."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from ftfkit.types import ROUNDING

FloatVector = npt.NDArray[np.float64]
Interval = tuple[float | None, float | None]

_BLOCK = 2_000_000  # resampled values held at once


@dataclass(frozen=True, eq=False)
class Pairs:
    """Rows of one variant and of the baseline where both are ``ok``, sorted by (asset, fold) and row-aligned."""

    rows: pd.DataFrame
    baseline_rows: pd.DataFrame

    @property
    def test_events_differ(self) -> bool:
        """True when a pair was scored on different events; rows without the hash are taken to share theirs."""
        if "test_events" not in self.rows:
            return False
        own, other = (frame["test_events"].fillna("").to_numpy() for frame in (self.rows, self.baseline_rows))
        return bool((own != other).any())


@dataclass(frozen=True)
class MeanTest:
    """A two-sided t test of mean 0; None where it is undefined."""

    mean: float | None
    sd: float | None  # ddof 1
    t: float | None
    df: int
    p: float | None
    ci: Interval


def pair(rows: pd.DataFrame, baseline: str, variant: str) -> Pairs:
    """Pair one variant's ``ok`` rows with the baseline's by (asset, fold)."""
    ok = rows[rows["status"] == "ok"]
    own, other = (ok[ok["variant"] == name].set_index(["asset", "fold"]) for name in (variant, baseline))
    shared = own.index.intersection(other.index).sort_values()
    return Pairs(own.loc[shared].reset_index(), other.loc[shared].reset_index())


def mean_test(values: FloatVector, confidence: float, variance_factor: float | None = None) -> MeanTest:
    """One-sample t test with a chosen variance of the mean.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
    confidence : float
        Of the two-sided interval.
    variance_factor : float, optional
        Variance of the mean over the sample variance; ``1/n``, as for independent values, when not given.

    Notes
    -----
    With sd 0 a mean of 0 gives t = 0 and p = 1, any other mean t = None and p = 0. Fewer than two values give a
    mean alone.
    """
    n = len(values)
    if n == 0:
        return MeanTest(None, None, None, 0, None, (None, None))
    mean = float(values.mean())
    if n == 1:
        return MeanTest(mean, None, None, 0, None, (None, None))
    sd, df = float(values.std(ddof=1)), n - 1
    if sd <= ROUNDING:
        null = abs(mean) <= ROUNDING
        return MeanTest(mean, 0.0, 0.0 if null else None, df, 1.0 if null else 0.0, (mean, mean))
    error = sd * math.sqrt(1 / n if variance_factor is None else variance_factor)
    t = mean / error
    half = float(special.stdtrit(df, (1 + confidence) / 2)) * error
    return MeanTest(mean, sd, t, df, float(2 * special.stdtr(df, -abs(t))), (mean - half, mean + half))


def effect_size(test: MeanTest) -> float | None:
    """``d_z``: mean over sd of the paired deltas; None where it is undefined."""
    if test.mean is None or test.sd is None:
        return None
    return test.mean / test.sd if test.sd > 0 else test.t


def bootstrap_means(values: FloatVector, n_resamples: int, seed: int) -> FloatVector:
    """Means of ``values[default_rng(seed).integers(0, n, (n_resamples, n))]``, shape (n_resamples,).

    Equal seeds and lengths mean equal draws, so that all variants of a run share theirs.
    """
    n = len(values)
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // n)  # the generator's stream is the same drawn whole or in blocks
    sizes = [min(block, n_resamples - start) for start in range(0, n_resamples, block)]
    return np.concatenate([values[rng.integers(0, n, (size, n))].mean(axis=1) for size in sizes])


def bootstrap_interval(values: FloatVector, n_resamples: int, seed: int, confidence: float) -> Interval:
    """Percentile bootstrap interval of the mean, linear interpolation; None for no values."""
    if len(values) == 0:
        return None, None
    tail = (1 - confidence) / 2
    low, high = np.quantile(bootstrap_means(values, n_resamples, seed), [tail, 1 - tail])
    return float(low), float(high)


def benjamini_hochberg(p: Sequence[float | None]) -> list[float | None]:
    """Adjusted p of a family, step-up with cumulative minimum; an undefined p counts as 1 and stays undefined.

    Notes
    -----
    What ``scipy.stats.false_discovery_control`` gives; importing scipy.stats would take longer than a judgement.

    References
    ----------
    Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57(1), 289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, None])
    [0.03, 0.06, None]
    """
    if not p:
        return []
    family = np.array([1.0 if value is None else value for value in p])
    falling = np.argsort(-family, kind="stable")
    factor = len(p) / np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[falling] = np.minimum(np.minimum.accumulate(family[falling] * factor), 1)
    return [None if value is None else float(q) for value, q in zip(p, adjusted, strict=True)]

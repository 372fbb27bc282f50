"""What a number of folds can find: power and minimum detectable effect of the two tests on fold means."""

from __future__ import annotations

import math
from typing import Literal

from scipy import special
from scipy.optimize import brentq

from ftfkit.judge.dependence import variance_factor

FoldTestName = Literal["nadeau_bengio", "fold_t"]
TARGET_POWER = 0.8
MAX_FOLDS = 1000


def power(lift: float, sd_fold: float, k: int, test: FoldTestName = "nadeau_bengio", alpha: float = 0.05) -> float:
    """Probability that the two-sided test on ``k`` fold means finds a true mean lift of ``lift``.

    Parameters
    ----------
    lift : float
        True mean lift, in units of the metric.
    sd_fold : float
        Standard deviation of the fold means; must be > 0.
    k : int
        Number of folds, at least 2.
    test : {"nadeau_bengio", "fold_t"}
        Under ``nadeau_bengio`` the mean lift varies as that test assumes.
    alpha : float
        Two-sided level, unadjusted.
    """
    return _power(abs(lift) / (sd_fold * math.sqrt(variance_factor(k, test))), k - 1, alpha)


def mde_factor(k: int, test: FoldTestName = "nadeau_bengio", alpha: float = 0.05) -> float:
    """Minimum detectable effect at 80 % power, in standard deviations of the fold means.

    Notes
    -----
    Root of the noncentral t's power. For ``fold_t``: 1.68 for 5 folds, 1.16 for 8, 1.00 for 10; ``nadeau_bengio``
    multiplies by ``sqrt(1 + k/(k-1))``.

    Examples
    --------
    >>> [round(mde_factor(k, "fold_t"), 2) for k in (5, 8, 10)]
    [1.68, 1.16, 1.0]
    """
    critical = float(special.stdtrit(k - 1, 1 - alpha / 2))
    shift = brentq(lambda d: _power(d, k - 1, alpha) - TARGET_POWER, 0.0, 2 * critical + 2, xtol=1e-13)
    return float(shift) * math.sqrt(variance_factor(k, test))


def mde80(sd_fold: float, k: int, test: FoldTestName = "nadeau_bengio", alpha: float = 0.05) -> float | None:
    """Minimum detectable effect at 80 % power, in units of the metric; None for one fold."""
    return mde_factor(k, test, alpha) * sd_fold if k >= 2 else None


def folds_needed(lift: float, sd_fold: float, test: FoldTestName = "nadeau_bengio", alpha: float = 0.05) -> int | None:
    """Fewest folds of the present length that give 80 % power at ``lift``; None when more than 1,000."""
    low, high = 1, MAX_FOLDS
    if power(lift, sd_fold, high, test, alpha) < TARGET_POWER:
        return None
    while high - low > 1:  # power rises with k
        middle = (low + high) // 2
        enough = power(lift, sd_fold, middle, test, alpha) >= TARGET_POWER
        low, high = (low, middle) if enough else (middle, high)
    return high


def _power(shift: float, df: int, alpha: float) -> float:
    """P(|T| > critical) for T noncentral t, as T^2 is noncentral F; NaN where the distribution's tail underflows."""
    critical = float(special.stdtrit(df, 1 - alpha / 2))
    missed = float(special.ncfdtr(1, df, shift**2, critical**2))
    return 1.0 if math.isnan(missed) else 1 - missed

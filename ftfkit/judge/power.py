"""What a number of folds can find: power and minimum detectable effect of the two tests on fold means."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import Literal

from scipy import special

from ftfkit.judge.dependence import variance_factor

FoldTestName = Literal["nadeau_bengio", "fold_t"]
TARGET_POWER = 0.8
MAX_FOLDS = 1000
_GRID = 2**50  # steps of the bracket in which a root is sought


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
    multiplies by ``sqrt(1 + k/(k-1))``. By bisection: ``scipy.special.ncfdtrinc`` is good to four digits only, and
    importing ``scipy.optimize`` takes longer than a judgement.

    Examples
    --------
    >>> [round(mde_factor(k, "fold_t"), 2) for k in (5, 8, 10)]
    [1.68, 1.16, 1.0]
    """
    critical = float(special.stdtrit(k - 1, 1 - alpha / 2))
    step = (2 * critical + 2) / _GRID
    shift = step * bisect_left(range(_GRID), TARGET_POWER, key=lambda i: _power(i * step, k - 1, alpha))
    return shift * math.sqrt(variance_factor(k, test))


def mde80(sd_fold: float, k: int, test: FoldTestName = "nadeau_bengio", alpha: float = 0.05) -> float | None:
    """Minimum detectable effect at 80 % power, in units of the metric; None for one fold."""
    return mde_factor(k, test, alpha) * sd_fold if k >= 2 else None


def folds_needed(lift: float, sd_fold: float, test: FoldTestName = "nadeau_bengio", alpha: float = 0.05) -> int | None:
    """Fewest folds of the present length that give 80 % power at ``lift``; None when more than 1,000."""
    ks = range(2, MAX_FOLDS + 1)
    enough = bisect_left(ks, TARGET_POWER, key=lambda k: power(lift, sd_fold, k, test, alpha))  # power rises with k
    return ks[enough] if enough < len(ks) else None


def _power(shift: float, df: int, alpha: float) -> float:
    """P(|T| > critical) for T noncentral t, as T^2 is noncentral F; NaN where the distribution's tail underflows."""
    critical = float(special.stdtrit(df, 1 - alpha / 2))
    missed = float(special.ncfdtr(1, df, shift**2, critical**2))
    return 1.0 if math.isnan(missed) else 1 - missed

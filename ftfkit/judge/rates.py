"""How often verdicts and tests came out one way over repeated sweeps, with Wilson intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ftfkit.judge.comparison import Planning
from ftfkit.types import ROUNDING, Comparison, VariantVerdict

CONFIDENCE = 0.95
TWO_SIDED = ("naive_t", "bootstrap", "fold_t", "nadeau_bengio")
ONE_SIDED = ("published_rule", "dependence_rule", "lock")


@dataclass(frozen=True)
class Rate:
    """Share of ``n`` that ``hits`` are, with its Wilson interval; ``rate`` is None for n = 0."""

    hits: int
    n: int
    rate: float | None
    ci95: tuple[float | None, float | None]


def wilson(hits: int, n: int) -> Rate:
    """Rate with its Wilson score interval, without continuity correction.

    Raises
    ------
    ValueError
        Unless 0 <= hits <= n.

    References
    ----------
    Wilson (1927), Probable inference, J. Am. Stat. Assoc. 22, 209-212.

    Examples
    --------
    >>> [round(bound, 4) for bound in wilson(10, 200).ci95]
    [0.0274, 0.0896]
    """
    from scipy.stats import binomtest

    if not 0 <= hits <= n:
        raise ValueError(f"hits == {hits} must be in [0, n == {n}]")
    if n == 0:
        return Rate(0, 0, None, (None, None))
    interval = binomtest(hits, n).proportion_ci(CONFIDENCE, method="wilson")
    return Rate(hits, n, hits / n, (float(interval.low), float(interval.high)))


def rejection_rates(verdicts: Sequence[VariantVerdict], planning: Planning) -> dict[str, Rate]:
    """How often each test rejected "no difference", and each rule locked, over independent sweeps of one variant.

    Parameters
    ----------
    verdicts : sequence of VariantVerdict
        One a sweep. Those that are INCOMPLETE are left out: they say nothing either way.
    planning : Planning
        Level of the tests and the lift that the rules require.

    Returns
    -------
    dict of str to Rate
        ``naive_t``, ``fold_t`` and ``nadeau_bengio`` reject where p < alpha, ``bootstrap`` where its CI95 excludes 0;
        these are two-sided. ``published_rule`` (mean >= the required lift and CI95 above 0), ``dependence_rule`` (that,
        and the dependence gate's test) and ``lock`` (the verdict) are about a lift, and so one-sided.
    """
    told = [verdict for verdict in verdicts if verdict.verdict != "INCOMPLETE"]
    outcomes = [_outcomes(verdict, planning) for verdict in told]
    return {name: wilson(sum(one[name] for one in outcomes), len(outcomes)) for name in (*TWO_SIDED, *ONE_SIDED)}


def _outcomes(verdict: VariantVerdict, planning: Planning) -> dict[str, bool]:
    found = verdict.comparison
    tests = {"naive_t": found.p, "fold_t": found.fold_t.p, "nadeau_bengio": found.nadeau_bengio.p}
    rejected = {name: p is not None and p < planning.alpha for name, p in tests.items()}
    low, high = found.ci95
    lifted = _lifted(found, planning.required_lift)
    return {
        **rejected,
        "bootstrap": low is not None and high is not None and (low > ROUNDING or high < -ROUNDING),
        "published_rule": lifted,
        "dependence_rule": lifted and rejected[planning.test],
        "lock": verdict.verdict == "LOCK",
    }


def _lifted(comparison: Comparison, required_lift: float) -> bool:
    mean, low = comparison.mean, comparison.ci95[0]
    return mean is not None and low is not None and mean >= required_lift - ROUNDING and low > ROUNDING

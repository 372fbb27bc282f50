"""What a reader must know beside the verdict: few folds, little power, the winner's curse, fragile tests."""

from __future__ import annotations

from ftfkit.judge.comparison import Planning
from ftfkit.judge.power import TARGET_POWER, mde_factor, power
from ftfkit.types import ROUNDING, Comparison, VerdictName

FEW_FOLDS = 6
THIN_SHARE = 0.5  # effective n below this share of the pairs is worth saying


def fragile(comparison: Comparison, alpha: float) -> bool:
    """True where the two tests on fold means disagree about significance."""
    first, second = comparison.fold_t.p_bh, comparison.nadeau_bengio.p_bh
    return first is not None and second is not None and (first < alpha) != (second < alpha)


def warnings(comparison: Comparison, n_folds: int, verdict: VerdictName, planning: Planning) -> tuple[str, ...]:
    """Warnings of one variant, each one sentence."""
    found = (
        _few_folds(n_folds, comparison),
        _dependent(comparison),
        _underpowered(comparison, planning),
        _winners_curse(comparison, verdict, planning),
    )
    return tuple(text for text in found if text)


def _few_folds(n_folds: int, comparison: Comparison) -> str:
    if n_folds >= FEW_FOLDS:
        return ""
    floor = comparison.sign_flip_floor
    limit = "" if floor is None else f"; a sign-flip p cannot go below {floor:g}"
    return f"{n_folds} folds are few (below {FEW_FOLDS}): {comparison.fold_t.df} degrees of freedom{limit}"


def _dependent(comparison: Comparison) -> str:
    n_eff, icc = comparison.n_eff, comparison.icc_fold
    if n_eff is None or icc is None or n_eff >= THIN_SHARE * comparison.n_pairs:
        return ""
    return (
        f"{comparison.n_pairs} pairs carry the information of about {n_eff:.1f} independent ones "
        f"(fold intraclass correlation {icc:.2f}): the pairwise p is too small"
    )


def _underpowered(comparison: Comparison, planning: Planning) -> str:
    reached = _power(comparison, planning)
    if reached is None or reached >= TARGET_POWER:
        return ""
    return (
        f"underpowered: the minimum detectable effect at 80 % power is {comparison.mde80:.4f}, the required lift "
        f"{planning.required_lift:g} would be found with probability {reached:.2f} ({planning.test})"
    )


def _winners_curse(comparison: Comparison, verdict: VerdictName, planning: Planning) -> str:
    mean = comparison.mean
    if mean is None or (verdict != "LOCK" and mean < planning.required_lift - ROUNDING):
        return ""
    low = comparison.nadeau_bengio.ci95[0]
    bound = "" if low is None else f"; the Nadeau-Bengio interval starts at {low:+.4f}"
    return f"winner's curse: a lift noticed for being large ({mean:+.4f}) overstates the true one{bound}"


def _power(comparison: Comparison, planning: Planning) -> float | None:
    """Power at the required lift, from the fold sd that ``mde80`` rests on; None where that is undefined or 0."""
    if not comparison.mde80:
        return None
    k = comparison.fold_t.df + 1
    sd_fold = comparison.mde80 / mde_factor(k, planning.test, planning.alpha)
    return power(planning.required_lift, sd_fold, k, planning.test, planning.alpha)

"""Gate: the variant ranks events better than random scores do."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from pydantic import Field
from scipy import special

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.types import ROUNDING, FloatArray, GateResult


class NoSkill(GateCheck):
    """PASS iff average precision exceeds that of random scores: mean above 0, t on fold means, two-sided p < alpha.

    Attributes
    ----------
    alpha : float
        The two-sided p must lie below it.
    """

    alpha: float = Field(default=0.05, gt=0, lt=0.5)

    requires: ClassVar[tuple[str, ...]] = ("average_precision", "ap_chance")

    def check(self, evidence: GateEvidence) -> GateResult:
        skill = evidence.rows["average_precision"] - evidence.rows["ap_chance"]
        folds = skill.groupby(evidence.rows["fold"]).mean().to_numpy(np.float64)
        if len(folds) < 2:
            reason = "a test on folds needs two folds"
            return GateResult("ERROR", threshold=self.alpha, unit="average_precision", reason=reason)
        mean, p = float(skill.mean()), _two_sided_p(folds)
        passed = mean > ROUNDING and p < self.alpha
        reason = f"average precision {mean:+.4f} above chance, p {p:.3g} on fold means (needed < {self.alpha:g})"
        return GateResult("PASS" if passed else "FAIL", mean, 0.0, "average_precision", reason)


def _two_sided_p(means: FloatArray) -> float:
    """One-sample t test; with sd 0 the mean alone decides."""
    mean, error = float(means.mean()), float(means.std(ddof=1)) / math.sqrt(len(means))
    if error <= ROUNDING:
        return 1.0 if abs(mean) <= ROUNDING else 0.0
    return float(2 * special.stdtr(len(means) - 1, -abs(mean / error)))

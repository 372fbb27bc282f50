"""Gate: the variant lifts f1_buy."""

from __future__ import annotations

from typing import ClassVar

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.types import ROUNDING, GateResult


class F1Lift(GateCheck):
    """PASS iff the mean paired delta reaches the required lift and its bootstrap CI95 lies above 0.

    The delta is that of the metric that the run compares by, ``f1_buy`` unless ``stats.metric`` says otherwise.
    """

    requires: ClassVar[tuple[str, ...]] = ("f1_buy",)
    compares_f1: ClassVar[bool] = True

    def check(self, evidence: GateEvidence) -> GateResult:
        metric, mean, (low, high) = evidence.comparison.metric, evidence.comparison.mean, evidence.comparison.ci95
        if mean is None or low is None or high is None:
            return GateResult("ERROR", threshold=evidence.required_lift, unit=metric, reason="no paired delta")
        passed = mean >= evidence.required_lift - ROUNDING and low > ROUNDING
        reason = f"mean delta {mean:+.4f} (required {evidence.required_lift:+g}), CI95 [{low:+.4f}, {high:+.4f}]"
        return GateResult("PASS" if passed else "FAIL", mean, evidence.required_lift, metric, reason)

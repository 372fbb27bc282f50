"""Gate: the lift is the model's, not the threshold's."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.types import ROUNDING, GateResult


class OperatingPoint(GateCheck):
    """PASS iff tuned thresholds keep a share of the required lift and average precision does not fall.

    Attributes
    ----------
    min_share_of_lift : float
        Share of ``gates.required_lift`` that must be left at tuned thresholds.
    """

    min_share_of_lift: float = Field(default=0.5, ge=0)

    requires: ClassVar[tuple[str, ...]] = ("f1_buy_tuned", "average_precision")
    compares_f1: ClassVar[bool] = True

    def check(self, evidence: GateEvidence) -> GateResult:
        tuned, precision = (
            float((evidence.rows[column] - evidence.baseline_rows[column]).mean()) for column in self.requires
        )
        needed = self.min_share_of_lift * evidence.required_lift
        passed = tuned >= needed - ROUNDING and precision >= -ROUNDING
        reason = (
            f"mean delta of f1_buy_tuned {tuned:+.4f} (needed {needed:+.4f}), "
            f"of average_precision {precision:+.4f} (needed >= 0)"
        )
        return GateResult("PASS" if passed else "FAIL", tuned, needed, "f1_buy_tuned", reason)

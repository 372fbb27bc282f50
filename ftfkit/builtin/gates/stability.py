"""Gate: f1_buy does not swing from fold to fold."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.types import ROUNDING, GateResult, GateStatus


class Stability(GateCheck):
    """PASS iff, for every asset, the variance (ddof 1) of f1_buy over folds stays within a bound.

    Attributes
    ----------
    max_variance : float
        Largest variance that an asset may have.
    """

    max_variance: float = Field(default=0.05, ge=0)

    requires: ClassVar[tuple[str, ...]] = ("f1_buy",)

    def check(self, evidence: GateEvidence) -> GateResult:
        variance = evidence.rows.groupby("asset")["f1_buy"].var(ddof=1)
        undefined = variance[variance.isna()]
        if len(undefined):
            reason = f"{undefined.index[0]} has one fold, a variance needs two"
            return GateResult("ERROR", threshold=self.max_variance, unit="variance of f1_buy", reason=reason)
        worst, asset = float(variance.max()), variance.idxmax()
        status: GateStatus = "PASS" if worst <= self.max_variance + ROUNDING else "FAIL"
        reason = f"largest variance over folds {worst:.4f} ({asset}), allowed {self.max_variance:g}"
        return GateResult(status, worst, self.max_variance, "variance of f1_buy", reason)

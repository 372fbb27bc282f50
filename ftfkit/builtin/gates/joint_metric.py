"""Gate: the trades do not get worse."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.types import ROUNDING, GateResult


class JointMetric(GateCheck):
    """PASS iff expectancy and Sortino do not fall and drawdown does not grow beyond a bound.

    Each figure is the mean over assets of per-asset mean deltas.
    """

    max_drawdown_increase_pct: float = Field(default=1.0, ge=0)

    requires: ClassVar[tuple[str, ...]] = ("expectancy_bps", "sortino", "max_drawdown_pct")

    def check(self, evidence: GateEvidence) -> GateResult:
        columns = list(self.requires)
        delta = evidence.rows[columns] - evidence.baseline_rows[columns]
        means = delta.groupby(evidence.rows["asset"]).mean().mean()
        expectancy, sortino, drawdown = (float(means[column]) for column in columns)
        bound = self.max_drawdown_increase_pct
        passed = expectancy >= -ROUNDING and sortino >= -ROUNDING and drawdown <= bound + ROUNDING
        return GateResult(
            "PASS" if passed else "FAIL",
            observed=f"{expectancy:+.2f} bps, {sortino:+.3f}, {drawdown:+.2f} pct",
            threshold=f">= 0 bps, >= 0, <= {bound:+g} pct",
            unit="delta expectancy_bps, sortino, max_drawdown_pct",
            reason=f"delta expectancy {expectancy:+.2f} bps, sortino {sortino:+.3f}, max drawdown {drawdown:+.2f} pct",
        )

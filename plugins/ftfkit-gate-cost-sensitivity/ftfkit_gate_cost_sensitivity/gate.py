"""Gate: the trades still pay when trading gets dearer."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.types import ROUNDING, GateResult
from ftfkit_gate_cost_sensitivity.costs import bearable_bps, pooled_bps, profit_bps


class CostSensitivity(GateCheck):
    """PASS iff, with the costs of each side multiplied, the variant still earns and still earns what its baseline does.

    Both are means over cells of the profit of a cell: trades times expectancy, in bps of equity. A lead in expectancy
    alone would not do, for dearer trading takes the same from every trade of either side; it is the side that trades
    more often that loses by it.

    Attributes
    ----------
    factor : float
        What the costs of each side are multiplied by.
    fee_bps, slippage_bps : float
        Costs of one side that the rows have paid; a config takes them from its ``trade``.
    """

    factor: float = Field(default=1.5, gt=1)
    fee_bps: float = Field(ge=0)
    slippage_bps: float = Field(ge=0)

    requires: ClassVar[tuple[str, ...]] = ("expectancy_bps", "n_trades")

    def check(self, evidence: GateEvidence) -> GateResult:
        cost = self.fee_bps + self.slippage_bps
        extra = (self.factor - 1) * cost
        own, other = (float(profit_bps(frame, cost, extra).mean()) for frame in (evidence.rows, evidence.baseline_rows))
        traded = float(evidence.rows["n_trades"].sum()) > 0
        passed = traded and own >= -ROUNDING and own - other >= -ROUNDING
        bearable = bearable_bps(pooled_bps(evidence.rows), cost)
        reason = f"with {extra:g} bps more on each side {own:+.1f} bps a cell, the baseline {other:+.1f}"
        tail = f"; bears {bearable:+.1f} bps more on each side" if traded else "; no trade at all"
        return GateResult(
            "PASS" if passed else "FAIL",
            observed=f"{own:+.1f} bps, {own - other:+.1f} bps",
            threshold=">= 0 bps, >= 0 bps",
            unit=f"profit a cell, its lead, at {self.factor:g}x costs",
            reason=reason + tail,
        )

"""Gate: enough trades to mean something."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.types import ROUNDING, GateResult, GateStatus


class SampleSize(GateCheck):
    """PASS iff the variant's rows hold at least ``min_trades`` trades on average; the baseline's figure is told.

    Attributes
    ----------
    min_trades : float
        Mean number of trades a row that is needed.
    """

    min_trades: float = Field(default=50, gt=0)

    requires: ClassVar[tuple[str, ...]] = ("n_trades",)

    def check(self, evidence: GateEvidence) -> GateResult:
        own, other = (float(frame["n_trades"].mean()) for frame in (evidence.rows, evidence.baseline_rows))
        status: GateStatus = "PASS" if own >= self.min_trades - ROUNDING else "FAIL"
        reason = f"{own:.1f} trades a row, needed {self.min_trades:g}; the baseline has {other:.1f}"
        return GateResult(status, own, self.min_trades, "trades a row", reason)

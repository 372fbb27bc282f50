"""Gate: the lift is not one asset's."""

from __future__ import annotations

import math
from typing import ClassVar

from pydantic import Field

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.types import ROUNDING, GateResult, GateStatus


class PerAsset(GateCheck):
    """PASS iff the mean delta of f1_buy is above 0 on at least ``ceil(min_share * n)`` of the n assets.

    Attributes
    ----------
    min_share : float
        Share of the assets that must improve.
    """

    min_share: float = Field(default=0.8, gt=0, le=1)

    requires: ClassVar[tuple[str, ...]] = ("f1_buy",)
    compares_f1: ClassVar[bool] = True

    def check(self, evidence: GateEvidence) -> GateResult:
        delta = evidence.rows["f1_buy"] - evidence.baseline_rows["f1_buy"]
        improved = int((delta.groupby(evidence.rows["asset"]).mean() > ROUNDING).sum())
        n = len(evidence.assets)
        needed = math.ceil(self.min_share * n - ROUNDING * n)  # 0.8 * 35 is 28.000000000000004 in binary
        status: GateStatus = "PASS" if improved >= needed else "FAIL"
        return GateResult(status, improved, needed, "assets", f"f1_buy improves on {improved} of {n}, needed {needed}")

"""Metric: how much a cell trades."""

from __future__ import annotations

from collections.abc import Mapping

from ftfkit.components import Metric
from ftfkit.types import Scored

HOURS_A_YEAR = 8760


class Turnover(Metric):
    """``turnover_per_year``: how many times a year all equity is bought and sold again; 0 without a trade.

    Every trade is all-in, so that is the number of trades a year of the marked period.
    """

    def compute(self, scored: Scored) -> Mapping[str, float]:
        hours = len(scored.trades.returns) * scored.bar_hours
        return {"turnover_per_year": len(scored.trades.event) * HOURS_A_YEAR / hours if hours else 0.0}

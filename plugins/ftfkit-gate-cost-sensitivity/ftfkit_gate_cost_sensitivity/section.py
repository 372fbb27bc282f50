"""Dossier section: profit of each variant as trading gets dearer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pandas as pd

from ftfkit.components import DossierSection
from ftfkit.types import Comparison
from ftfkit_gate_cost_sensitivity.costs import bearable_bps, pooled_bps, profit_bps

TURNOVER = "turnover_per_year"
EXTRA_BPS = (0, 3, 6, 12, 24)
_FREE = 0.0  # rows do not tell the costs they paid; at 30 bps a side that moves no figure by .01 bps a trade


class CostSection(DossierSection):
    """Profit a cell at rising costs of each side, and what costs each variant can bear."""

    title: ClassVar[str] = "Cost sensitivity"

    def render(self, rows: pd.DataFrame, comparisons: Mapping[str, Comparison]) -> str:
        scored = rows[rows["status"] == "ok"]
        if scored.empty:
            return "No row was scored."
        told = [TURNOVER] if TURNOVER in scored else []
        columns = ["Variant", "Trades a cell", *(["Turnover a year"] if told else []), "Expectancy (bps)"]
        columns += [f"Profit at +{extra:g} (bps)" for extra in EXTRA_BPS]
        columns += ["Bears (bps a side)"]
        lines = [columns, ["---", *["---:"] * (len(columns) - 1)]]
        lines += [self._line(str(variant), own, told) for variant, own in scored.groupby("variant", sort=False)]
        table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        return f"{self._legend()}\n\n{table}"

    def _line(self, variant: str, rows: pd.DataFrame, told: list[str]) -> list[str]:
        expectancy = pooled_bps(rows)
        traded = bool(rows["n_trades"].sum())
        return [
            variant,
            f"{rows['n_trades'].mean():,.1f}",
            *(f"{rows[column].mean():,.0f}" for column in told),
            f"{expectancy:+.1f}" if traded else "n/a",
            *(f"{round(profit_bps(rows, _FREE, extra).mean()):+,d}" for extra in EXTRA_BPS),
            f"{bearable_bps(expectancy, _FREE):+.1f}" if traded else "n/a",
        ]

    def _legend(self) -> str:
        return (
            "Expectancy is the mean of all trades, so that cells with more trades weigh more than in tables that "
            "average cells. Profit is the mean over cells of trades times expectancy, in bps of equity, had each side "
            'of a trade cost so many bps more than it did. "Bears" is how much dearer each side may get before the '
            "trades of all cells earn nothing; negative where they lose already. Dearer trading takes the same from "
            "every trade, so the variant that trades more often loses more by it."
        )

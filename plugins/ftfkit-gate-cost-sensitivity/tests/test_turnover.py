from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ftfkit_gate_cost_sensitivity.turnover import Turnover

from ftfkit.testing.metrics import scored_block
from ftfkit.types import Scored, Trades


def block(n_trades: int, n_bars: int, bar_hours: int) -> Scored:
    trades = Trades(np.arange(n_trades), np.zeros(n_trades), np.zeros(n_bars))
    return replace(scored_block("planted"), trades=trades, bar_hours=bar_hours)


@pytest.mark.parametrize(
    ("n_trades", "n_bars", "bar_hours", "turnover"),
    [(50, 8760 // 4, 4, 50.0), (50, 8760 // 8, 4, 100.0), (7, 8760 // 8, 8, 7.0), (0, 100, 4, 0.0), (0, 0, 4, 0.0)],
)
def test_is_trades_a_year_of_the_marked_period(n_trades: int, n_bars: int, bar_hours: int, turnover: float) -> None:
    assert Turnover().compute(block(n_trades, n_bars, bar_hours)) == {"turnover_per_year": pytest.approx(turnover)}

"""The arithmetic against trades that are simulated again at the other costs."""

from __future__ import annotations

import doctest

import numpy as np
import pandas as pd
import pytest
from ftfkit_gate_cost_sensitivity import costs
from ftfkit_gate_cost_sensitivity.costs import bearable_bps, pooled_bps, profit_bps, stressed_bps

from ftfkit.run.trades import simulate_trades
from ftfkit.types import HOUR_NS, Bars, DataQuality, Events, Trades

N = 600
BLOCK = (0, N * 4 * HOUR_NS)


def traded(cost_bps: float, seed: int = 0) -> Trades:
    """Trades of a random walk, each held for one to six bars."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal(N)))
    time = np.arange(N, dtype=np.int64) * 4 * HOUR_NS
    bars = Bars("AAVEUSDT", 4, time, close, close, close, close, np.ones(N), DataQuality("test", N))
    bar = np.arange(0, N - 10, 3, dtype=np.int64)
    exit_bar = bar + rng.integers(1, 7, len(bar))
    hit = np.zeros(len(bar), dtype=np.int8)
    events = Events(bar, exit_bar, bars.close_time[bar], bars.close_time[exit_bar], hit, close[bar], close[exit_bar])
    buy = rng.random(len(bar)) < 0.6
    return simulate_trades(bars, events, np.arange(len(bar)), buy, BLOCK, cost_bps)


@pytest.mark.parametrize("extra_bps", [0, 1, 6, 50, 400])
def test_every_trade_is_as_if_simulated_at_the_other_costs(extra_bps: float) -> None:
    paid, dearer = traded(12), traded(12 + extra_bps)
    assert len(paid.event) > 80
    np.testing.assert_allclose(stressed_bps(paid.net_bps, 12, extra_bps), dearer.net_bps, rtol=0, atol=1e-9)


@pytest.mark.parametrize("extra_bps", [0, 6, 50])
def test_the_mean_needs_no_trades(extra_bps: float) -> None:
    paid, dearer = traded(12), traded(12 + extra_bps)
    assert stressed_bps(float(paid.net_bps.mean()), 12, extra_bps) == pytest.approx(dearer.net_bps.mean(), abs=1e-9)


def test_costs_that_are_not_known_hardly_matter() -> None:
    """What the dossier section stands on."""
    net = float(traded(30).net_bps.mean())
    assert stressed_bps(net, 0, 24) == pytest.approx(stressed_bps(net, 30, 24), abs=0.01)
    assert bearable_bps(80.0, 0) == pytest.approx(bearable_bps(80.0, 30), abs=0.01)


@pytest.mark.parametrize(
    ("net_bps", "cost_bps"), [(0.0, 12.0), (35.0, 0.0), (35.0, 12.0), (-35.0, 12.0), (900.0, 40.0)]
)
def test_nothing_is_left_at_the_costs_that_can_just_be_borne(net_bps: float, cost_bps: float) -> None:
    extra = bearable_bps(net_bps, cost_bps)
    assert stressed_bps(net_bps, cost_bps, extra) == pytest.approx(0, abs=1e-9)
    assert np.sign(round(extra, 9)) == np.sign(net_bps)


def test_the_examples_hold() -> None:
    assert doctest.testmod(costs) == (0, 3)


def test_a_row_is_weighted_by_its_trades() -> None:
    rows = pd.DataFrame({"expectancy_bps": [10.0, -50.0, 0.0], "n_trades": [90, 10, 0]})
    assert profit_bps(rows, 12, 0).tolist() == pytest.approx([900, -500, 0], abs=1e-9)
    assert pooled_bps(rows) == pytest.approx(4.0)
    assert pooled_bps(rows.iloc[2:]) == 0


def test_a_row_without_trades_earns_nothing_at_any_costs() -> None:
    rows = pd.DataFrame({"expectancy_bps": [0.0], "n_trades": [0]})
    assert profit_bps(rows, 12, 100).tolist() == [0]

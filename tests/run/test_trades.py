from __future__ import annotations

import numpy as np
import pytest

from ftfkit.run.trades import simulate_trades
from ftfkit.types import HOUR_NS, Bars, DataQuality, Events, Trades

BAR = 4 * HOUR_NS


def random_bars(n: int, rng: np.random.Generator) -> Bars:
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, n)))
    time = np.arange(n, dtype=np.int64) * BAR
    quality = DataQuality("test", n)
    return Bars("X", 4, time, close, close * 1.01, close * 0.99, close, np.ones(n), quality)


def random_events(bars: Bars, rng: np.random.Generator) -> Events:
    """Every bar but the last ten starts an event of 1 to 8 bars."""
    start = np.arange(len(bars) - 10, dtype=np.int64)
    end = start + rng.integers(1, 9, len(start))
    exit_price = bars.close[end] * rng.uniform(0.97, 1.03, len(start))
    close_time = bars.close_time
    y = (exit_price > bars.close[start]).astype(np.int8)
    return Events(start, end, close_time[start], close_time[end], y, bars.close[start], exit_price)


def oracle(
    bars: Bars, events: Events, buys: set[int], block: tuple[int, int], cost: float
) -> tuple[list[int], list[float], list[float]]:
    """Walk bar by bar with a cash account: buy at the close, sell at the exit price, mark at each close."""
    cash, units, held = 1.0, 0.0, -1
    entered, net, equity = [], [], []
    previous, spent = 1.0, 0.0
    for bar in range(len(bars)):
        closes_at = bars.close_time[bar]
        if closes_at < block[0]:
            continue
        if closes_at >= block[1] and units == 0:
            break
        if units and events.exit_bar[held] == bar:
            cash = units * events.exit_price[held] * (1 - cost)
            net.append((cash / spent - 1) * 1e4)
            units = 0.0
        worth = units * bars.close[bar] if units else cash
        equity.append(worth / previous - 1)
        previous = worth
        starts = np.flatnonzero(events.bar == bar)
        if units == 0 and len(starts) and int(starts[0]) in buys and closes_at < block[1]:
            held = int(starts[0])
            spent, units, cash = cash, cash / (bars.close[bar] * (1 + cost)), 0.0
            entered.append(held)
    return entered, net, equity


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("cost_bps", [0.0, 12.0])
def test_agrees_with_an_account_kept_bar_by_bar(seed: int, cost_bps: float) -> None:
    rng = np.random.default_rng(seed)
    bars = random_bars(120, rng)
    events = random_events(bars, rng)
    block = int(bars.close_time[20]), int(bars.close_time[100])
    test = np.flatnonzero((events.t0 >= block[0]) & (events.t0 < block[1]))
    buy = rng.random(len(test)) < 0.4
    trades = simulate_trades(bars, events, test, buy, block, cost_bps)
    entered, net, equity = oracle(bars, events, set(test[buy].tolist()), block, cost_bps / 1e4)
    assert test[trades.event].tolist() == entered
    np.testing.assert_allclose(trades.net_bps, net, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(trades.returns, equity, rtol=1e-9, atol=1e-12)
    assert np.prod(1 + trades.returns) == pytest.approx(np.prod(1 + trades.net_bps / 1e4))


def handmade(buys: list[bool], last_exit: int = 3) -> Trades:
    """Six bars at 100, 110, 121, 110, 100, 100; events at bars 0, 2 and 3; block of the first four bars."""
    rng = np.random.default_rng(0)
    bars = random_bars(6, rng)
    bars = Bars("X", 4, bars.open_time, *(np.array([100.0, 110, 121, 110, 100, 100]),) * 4, bars.volume, bars.quality)
    start, end = np.array([0, 2, 3]), np.array([2, last_exit, 5])
    close = bars.close
    events = Events(
        start, end, bars.close_time[start], bars.close_time[end], np.ones(3, dtype=np.int8), close[start], close[end]
    )
    block = int(bars.close_time[0]), int(bars.close_time[4])
    return simulate_trades(bars, events, np.arange(3), np.array(buys), block, 0.0)


def test_can_be_entered_again_from_the_close_of_the_exit_bar() -> None:
    trades = handmade([True, True, True])
    assert trades.event.tolist() == [0, 1, 2]
    np.testing.assert_allclose(trades.returns, [0, 0.1, 0.1, 110 / 121 - 1, 100 / 110 - 1, 0])


def test_an_open_position_blocks_later_buys_and_its_tail_is_marked() -> None:
    trades = handmade([False, True, True], last_exit=5)
    assert trades.event.tolist() == [1]
    np.testing.assert_allclose(trades.returns, [0, 0, 0, 110 / 121 - 1, 100 / 110 - 1, 0])
    np.testing.assert_allclose(trades.net_bps, [(100 / 121 - 1) * 1e4])


def test_no_buy_is_flat_over_the_block() -> None:
    trades = handmade([False, False, False])
    assert len(trades.event) == 0
    np.testing.assert_array_equal(trades.returns, np.zeros(4))

"""Trades of one test block: one position at a time, all-in, compounding, costs on each side."""

from __future__ import annotations

import numpy as np

from ftfkit.types import Bars, BoolArray, Events, IntArray, Trades


def simulate_trades(
    bars: Bars, events: Events, test: IntArray, buy: BoolArray, block: tuple[int, int], cost_bps: float
) -> Trades:
    """Trade the BUY events of one block.

    Parameters
    ----------
    bars : Bars
        Label bars that ``events`` point into.
    test : ndarray of int64, shape (n,)
        Positions of the block's events, sorted.
    buy : ndarray of bool, shape (n,)
    block : tuple of int
        Block [start, end), ns UTC.
    cost_bps : float
        Fee and slippage of one side.

    Returns
    -------
    Trades
        ``returns`` covers the label bars that close in the block and, where the last trade ends later, those up to
        its exit.

    Notes
    -----
    A BUY is entered at its bar's close unless a position is open; the first close that can be entered again is that of
    the exit bar. Bar returns are close to close while a position is held, from entry price to exit price with the costs
    of each side at its end; they compound to the trade's net return.
    """
    entered = _entered(events, test, buy)
    cost = cost_bps / 1e4
    paid = events.entry[test[entered]] * (1 + cost)
    received = events.exit_price[test[entered]] * (1 - cost)
    first, stop = (int(np.searchsorted(bars.close_time, time)) for time in block)
    if len(entered):
        stop = max(stop, int(events.exit_bar[test[entered[-1]]]) + 1)
    returns = np.zeros(stop - first)
    for k, cash_out, cash_in in zip(test[entered], paid, received, strict=True):
        opened, closed = int(events.bar[k]), int(events.exit_bar[k])
        marks = np.concatenate([[cash_out], bars.close[opened + 1 : closed], [cash_in]])
        returns[opened + 1 - first : closed + 1 - first] = marks[1:] / marks[:-1] - 1
    return Trades(event=entered, net_bps=(received / paid - 1) * 1e4, returns=returns)


def _entered(events: Events, test: IntArray, buy: BoolArray) -> IntArray:
    """Positions into ``test`` of the BUYs that find no position open."""
    entered: list[int] = []
    free_from = 0
    for position in np.flatnonzero(buy):
        if events.bar[test[position]] >= free_from:
            entered.append(int(position))
            free_from = int(events.exit_bar[test[position]])
    return np.array(entered, dtype=np.int64)

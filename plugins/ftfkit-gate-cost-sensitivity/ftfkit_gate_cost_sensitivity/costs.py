"""What dearer trading does to returns that are already net of costs.

A trade pays entry (1 + c) and receives exit (1 - c), c the costs of one side. Its net return at other costs d is
therefore affine in the one at c: 1 + net(d) = (1 + net(c)) (1 - d)/(1 + d) (1 + c)/(1 - c). So the mean over any set of
trades follows from their mean alone, without the trades; costs do not change which trades are entered.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

BPS = 1e4
_Figures = TypeVar("_Figures", float, npt.NDArray[np.float64], "pd.Series[float]")


def stressed_bps(net_bps: _Figures, cost_bps: float, extra_bps: float) -> _Figures:
    """Mean net return of trades, had each side cost ``extra_bps`` more.

    Parameters
    ----------
    net_bps : float, ndarray of float64 or Series
        Net returns of trades, or means over trades.
    cost_bps : float
        Costs of one side that ``net_bps`` has paid, >= 0.
    extra_bps : float
        Costs of one side beyond those.

    Examples
    --------
    >>> round(stressed_bps(30.0, cost_bps=12.0, extra_bps=6.0), 2)
    17.97
    """
    return BPS * ((1 + net_bps / BPS) * _kept(cost_bps + extra_bps) / _kept(cost_bps) - 1)


def bearable_bps(net_bps: float, cost_bps: float) -> float:
    """Extra costs of one side at which the mean net return is zero; negative for trades that lose already.

    Examples
    --------
    >>> extra = bearable_bps(30.0, cost_bps=12.0)
    >>> round(extra, 2), abs(stressed_bps(30.0, 12.0, extra)) < 1e-9
    (14.98, True)
    """
    kept = _kept(cost_bps) / (1 + net_bps / BPS)
    return BPS * (1 - kept) / (1 + kept) - cost_bps


def profit_bps(rows: pd.DataFrame, cost_bps: float, extra_bps: float) -> pd.Series[float]:
    """Profit of each row in bps of equity, trades added up and not compounded, had each side cost ``extra_bps`` more.

    Parameters
    ----------
    rows : DataFrame
        Columns ``expectancy_bps`` and ``n_trades``.
    """
    return rows["n_trades"] * stressed_bps(rows["expectancy_bps"], cost_bps, extra_bps)


def pooled_bps(rows: pd.DataFrame) -> float:
    """Mean net return of all trades of the rows, bps; 0 without a trade."""
    n_trades = float(rows["n_trades"].sum())
    return float((rows["n_trades"] * rows["expectancy_bps"]).sum()) / n_trades if n_trades else 0.0


def _kept(cost_bps: float) -> float:
    """Share of equity left by a round trip at an unchanged price."""
    return (1 - cost_bps / BPS) / (1 + cost_bps / BPS)

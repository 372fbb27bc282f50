"""Columns of a row, from labels, probabilities, BUYs and trades; every one finite."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import fields
from numbers import Real
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from ftfkit.components import Metric
from ftfkit.errors import PluginError
from ftfkit.operating_points import average_precision
from ftfkit.run.payloads import sealed
from ftfkit.types import HOUR_NS, BoolArray, FloatArray, Row, Scored, Trades

CORE_COLUMNS = frozenset({"variant", *(field.name for field in fields(Row))})
HOURS_A_YEAR = 8760
SORTINO_LIMIT = 100.0
RELIABILITY_BINS = 20
PROBABILITY_FLOOR = 1e-7  # of log loss: an isotonic 0 or 1 that misses costs 16 nats, not infinity


class BlockMetrics(TypedDict):
    """Columns that describe the test block under the chosen rule."""

    f1_buy: float
    precision: float
    recall: float
    buy_rate: float
    prevalence: float
    f1_always_buy: float
    average_precision: float
    ap_chance: float
    brier: float
    brier_calibrated: float
    logloss: float
    logloss_calibrated: float


class TradeMetrics(TypedDict):
    """Columns that describe the trades of the test block."""

    expectancy_bps: float
    sortino: float
    max_drawdown_pct: float
    n_trades: int
    no_trade: bool


def block_metrics(scored: Scored) -> BlockMetrics:
    """Classification columns of one test block (n >= 1 events)."""
    y, buy = scored.y, scored.buy
    n_hits = int(np.sum(buy & (y == 1)))
    prevalence = float(np.mean(y))
    return {
        "f1_buy": f1_score(y, buy),
        "precision": n_hits / max(int(buy.sum()), 1),
        "recall": n_hits / max(int(y.sum()), 1),
        "buy_rate": float(np.mean(buy)),
        "prevalence": prevalence,
        "f1_always_buy": 2 * prevalence / (1 + prevalence),
        "average_precision": average_precision(y, scored.proba),
        "ap_chance": ap_chance(int(y.sum()), len(y)),
        "brier": brier(y, scored.proba),
        "brier_calibrated": brier(y, scored.calibrated),
        "logloss": logloss(y, scored.proba),
        "logloss_calibrated": logloss(y, scored.calibrated),
    }


def trade_metrics(trades: Trades, bar_hours: int) -> TradeMetrics:
    """Trade columns; all four are 0 and flagged where there is no trade."""
    n_trades = len(trades.event)
    return {
        "expectancy_bps": float(np.mean(trades.net_bps)) if n_trades else 0.0,
        "sortino": sortino(trades.returns, bar_hours),
        "max_drawdown_pct": max_drawdown_pct(trades.returns),
        "n_trades": n_trades,
        "no_trade": n_trades == 0,
    }


def reliability(scored: Scored) -> dict[str, list[list[float]]]:
    """Counts behind a reliability diagram, for ``raw`` and ``calibrated`` probabilities.

    Returns
    -------
    dict
        Three lists each, over ``RELIABILITY_BINS`` equal bins of [0, 1]: number of test events, their summed
        probability, number of BUY events. Sums, not means, so that cells can be pooled.
    """
    return {"raw": _binned(scored.proba, scored.y), "calibrated": _binned(scored.calibrated, scored.y)}


def _binned(proba: npt.NDArray[np.float32], y: npt.NDArray[np.int8]) -> list[list[float]]:
    bins = np.minimum((proba * RELIABILITY_BINS).astype(np.int64), RELIABILITY_BINS - 1)
    weights = (np.ones(len(y)), proba.astype(np.float64), y.astype(np.float64))
    return [np.bincount(bins, weight, RELIABILITY_BINS).tolist() for weight in weights]


def extra_metrics(metrics: Mapping[str, Metric], scored: Scored) -> dict[str, float]:
    """Columns of the plugin metrics.

    Raises
    ------
    PluginError
        When a column is not named by a string, is one of the core's, is not a finite number, or two metrics give it.
    """
    extra: dict[str, float] = {}
    for name, metric in metrics.items():
        for column, value in metric.compute(scored).items():
            rule = _broken_rule(column, value, extra)
            if rule is not None:
                owner = type(metric).__module__.partition(".")[0]
                raise PluginError(f"metric {name}: {column} == {value} {rule} ({owner})")
            extra[column] = float(value)
    return extra


def check_metrics(metrics: Mapping[str, Metric]) -> None:
    """Ask each metric about a made-up block, so that one that no row can take is refused before any cell is run.

    Raises
    ------
    PluginError
        As ``extra_metrics`` does, and for a metric that cannot be computed.
    """
    for name, metric in metrics.items():
        try:
            extra_metrics({name: metric}, made_up_scored())
        except PluginError:
            raise
        except (Exception, SystemExit) as error:
            owner, cause = type(metric).__module__.partition(".")[0], " ".join(str(error).split())
            raise PluginError(
                f"metric {name}: cannot be computed: {type(error).__name__}: {cause} ({owner})"
            ) from error
    extra_metrics(metrics, made_up_scored())


def made_up_scored(n: int = 240) -> Scored:
    """A test block of 4 h bars with both labels, BUYs that hit and miss, and a trade for every other BUY."""
    place = np.arange(n)
    proba = ((place * 37 % n + 0.5) / n).astype(np.float32)
    buy = proba >= 0.6
    event = np.flatnonzero(buy)[::2]
    net_bps = np.where(event % 3 == 0, 80.0, -45.0)
    returns = np.zeros(n)
    returns[event] = net_bps / 1e4
    trades = Trades(event=event, net_bps=net_bps, returns=returns)
    y, t0 = (place % 3 == 0).astype(np.int8), place * 4 * HOUR_NS
    return sealed(Scored(y, proba, proba.copy(), buy, t0, threshold=0.6, trades=trades, bar_hours=4))


def _broken_rule(column: object, value: object, taken: Collection[str]) -> str | None:
    """What a column of a plugin metric breaks; None where it may stand in a row."""
    if not isinstance(column, str):
        return f"must be named by a string, not by {type(column).__name__}"
    if column in CORE_COLUMNS:
        return "must have a name of its own: the core's rows hold that column"
    if not isinstance(value, (Real, np.bool_)) or not math.isfinite(value) or column in taken:
        return "must be finite and of one metric only"
    return None


def f1_score(y: npt.NDArray[Any], buy: BoolArray) -> float:
    """F1 of BUY; 0 where undefined."""
    n_hits, n_positive = int(np.count_nonzero(buy & (y == 1))), int(np.count_nonzero(y == 1))
    return 2 * n_hits / max(int(np.count_nonzero(buy)) + n_positive, 1)


def brier(y: npt.NDArray[Any], proba: npt.NDArray[Any]) -> float:
    """Mean squared error of probabilities."""
    return float(np.mean((np.asarray(proba, dtype=np.float64) - y) ** 2))


def logloss(y: npt.NDArray[Any], proba: npt.NDArray[Any]) -> float:
    """Mean negative log-likelihood, nats; probabilities are clipped to [1e-7, 1 - 1e-7]."""
    p = np.clip(np.asarray(proba, dtype=np.float64), PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)
    return float(-np.mean(np.log(np.where(y == 1, p, 1 - p))))


def ap_chance(n_positive: int, n: int) -> float:
    """Expected average precision of random scores: (P-1)/(n-1) (1 - H_n/n) + H_n/n, H_n the harmonic number.

    References
    ----------
    Bestgen, Y. (2015), Exact expected average precision of the random baseline for system evaluation, PBML 103.
    """
    if n_positive == 0:
        return 0.0
    first = float(np.sum(1.0 / np.arange(1, n + 1))) / n
    return first + (n_positive - 1) / max(n - 1, 1) * (1 - first)


def sortino(returns: FloatArray, bar_hours: int) -> float:
    """Annualised Sortino ratio, target 0, downside over all bars; 0 when all returns are 0, clipped to +-100."""
    if len(returns) < 2 or not np.any(returns):
        return 0.0
    import empyrical

    ratio = empyrical.sortino_ratio(np.asarray(returns), annualization=HOURS_A_YEAR / bar_hours)
    return float(np.clip(ratio, -SORTINO_LIMIT, SORTINO_LIMIT))


def max_drawdown_pct(returns: FloatArray) -> float:
    """Largest fall of equity from its highest mark so far, the start included; percent, >= 0."""
    import empyrical

    return 100.0 * abs(float(empyrical.max_drawdown(np.asarray(returns)))) if len(returns) else 0.0

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

from ftfkit.components import Metric
from ftfkit.errors import PluginError
from ftfkit.run.metrics import (
    ap_chance,
    block_metrics,
    check_metrics,
    extra_metrics,
    logloss,
    max_drawdown_pct,
    reliability,
    sortino,
    trade_metrics,
)
from ftfkit.types import Scored, Trades

NO_TRADES = Trades(np.empty(0, dtype=np.int64), np.empty(0), np.zeros(10))


def scored(y: list[int], proba: list[float], cut: float = 0.5, trades: Trades = NO_TRADES) -> Scored:
    values = np.array(proba, dtype=np.float32)
    time = np.arange(len(y), dtype=np.int64)
    return Scored(np.array(y, dtype=np.int8), values, values**2, values >= cut, time, cut, trades, 4)


def test_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    y, proba = rng.integers(0, 2, 200), rng.random(200).astype(np.float32)
    block = block_metrics(scored(y.tolist(), proba.tolist()))
    buy = proba >= 0.5
    assert block["f1_buy"] == pytest.approx(reference.f1_score(y, buy))
    assert block["precision"] == pytest.approx(reference.precision_score(y, buy))
    assert block["recall"] == pytest.approx(reference.recall_score(y, buy))
    assert block["average_precision"] == pytest.approx(reference.average_precision_score(y, proba))
    assert block["brier"] == pytest.approx(reference.brier_score_loss(y, proba))
    assert block["brier_calibrated"] == pytest.approx(reference.brier_score_loss(y, proba**2), rel=1e-6)
    assert block["logloss"] == pytest.approx(reference.log_loss(y, proba.astype(np.float64)))
    assert block["f1_always_buy"] == pytest.approx(reference.f1_score(y, np.ones(200)))
    assert block["buy_rate"] == pytest.approx(buy.mean())


@pytest.mark.parametrize(("y", "proba"), [([0, 0, 0], [0.1, 0.2, 0.3]), ([0, 0], [0.9, 0.8]), ([1, 1], [0.1, 0.2])])
def test_undefined_is_zero_and_never_nan(y: list[int], proba: list[float]) -> None:
    block = block_metrics(scored(y, proba))
    assert np.isfinite(list(block.values())).all()
    assert block["f1_buy"] == 0


@pytest.mark.parametrize(("n_positive", "n"), [(1, 4), (2, 5), (3, 6), (6, 6), (1, 1)])
def test_ap_chance_is_the_mean_over_all_orders(n_positive: int, n: int) -> None:
    orders = set(permutations([1] * n_positive + [0] * (n - n_positive)))
    ranks = np.arange(n, 0, -1)
    mean = np.mean([reference.average_precision_score(order, ranks) for order in orders])
    assert ap_chance(n_positive, n) == pytest.approx(mean)


def test_ap_chance_without_positives_is_zero() -> None:
    assert ap_chance(0, 10) == 0


def test_logloss_of_a_certain_miss_is_finite() -> None:
    assert logloss(np.array([1]), np.array([0.0])) == pytest.approx(-np.log(1e-7))


def test_sortino_has_target_zero_and_downside_over_all_bars() -> None:
    returns = np.array([0.01, -0.02, 0.0, 0.03])
    expected = returns.mean() / np.sqrt(np.mean(np.minimum(returns, 0) ** 2)) * np.sqrt(8760 / 4)
    assert sortino(returns, 4) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("returns", "expected"), [([0.0, 0.0], 0), ([0.01, 0.0], 100), ([-0.5] * 3, -np.sqrt(2190)), ([], 0), ([0.1], 0)]
)
def test_sortino_edges(returns: list[float], expected: float) -> None:
    assert sortino(np.array(returns), 4) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("returns", "expected"), [([], 0), ([0.0, 0.1], 0), ([-0.1, 0.0], 10), ([0.1, -0.2, 0.5, -0.1], 20)]
)
def test_drawdown_counts_from_the_start_and_is_positive(returns: list[float], expected: float) -> None:
    drawdown = max_drawdown_pct(np.array(returns))
    assert drawdown == pytest.approx(expected)
    assert np.copysign(1, drawdown) == 1


def test_no_trade_is_flagged_and_zero() -> None:
    expected = {"expectancy_bps": 0, "sortino": 0, "max_drawdown_pct": 0, "n_trades": 0, "no_trade": True}
    assert trade_metrics(NO_TRADES, 4) == expected


def test_expectancy_is_the_mean_net_return_of_a_trade() -> None:
    trades = Trades(np.array([0, 3]), np.array([40.0, -10.0]), np.array([0.004, 0.0, -0.001]))
    columns = trade_metrics(trades, 4)
    assert columns["expectancy_bps"] == 15
    assert (columns["n_trades"], columns["no_trade"]) == (2, False)


class Turnover(Metric):
    value: float = 1.0

    def compute(self, scored: Scored) -> Mapping[str, float]:
        return {"turnover": self.value * len(scored.y)}


def test_plugin_metrics_add_columns() -> None:
    assert extra_metrics({"turnover": Turnover()}, scored([0, 1], [0.1, 0.2])) == {"turnover": 2.0}


def test_plugin_metric_that_is_not_finite_or_repeats_a_column_is_refused() -> None:
    block = scored([0, 1], [0.1, 0.2])
    with pytest.raises(PluginError, match="metric turnover: turnover == inf must be finite"):
        extra_metrics({"turnover": Turnover.model_construct(value=float("inf"))}, block)
    with pytest.raises(PluginError, match=r"metric second: turnover == 2\.0 must be finite and of one metric only"):
        extra_metrics({"first": Turnover(), "second": Turnover()}, block)


class Clashing(Metric):
    """One column under any name and of any value."""

    column: Any
    value: Any = 0.5

    def compute(self, scored: Scored) -> Mapping[str, float]:
        return {self.column: self.value}


@pytest.mark.parametrize("column", ["f1_buy", "variant", "extra", "row_key", "error"])
def test_plugin_metric_may_not_take_a_column_of_the_core(column: str) -> None:
    with pytest.raises(PluginError, match=f"metric mine: {column} == 0.5 must have a name of its own"):
        extra_metrics({"mine": Clashing(column=column)}, scored([0, 1], [0.1, 0.2]))


def test_plugin_metric_that_names_no_column_or_gives_no_number_is_refused() -> None:
    block = scored([0, 1], [0.1, 0.2])
    with pytest.raises(PluginError, match=r"metric mine: 3 == 0\.5 must be named by a string, not by int"):
        extra_metrics({"mine": Clashing(column=3)}, block)
    with pytest.raises(PluginError, match="metric mine: mine == half must be finite"):
        extra_metrics({"mine": Clashing(column="mine", value="half")}, block)


class Dividing(Metric):
    def compute(self, scored: Scored) -> Mapping[str, float]:
        return {"ratio": 1 / int(scored.threshold > 1)}


@pytest.mark.parametrize(
    ("metrics", "told"),
    [
        ({"mine": Clashing(column="f1_buy")}, "metric mine: f1_buy == 0.5 must have a name of its own"),
        ({"mine": Dividing()}, "metric mine: cannot be computed: ZeroDivisionError: "),
        ({"one": Turnover(), "two": Turnover()}, "metric two: turnover == 240.0 must be finite and of one metric only"),
    ],
)
def test_a_metric_that_fits_no_row_is_refused_before_any_cell(metrics: Mapping[str, Metric], told: str) -> None:
    check_metrics({"turnover": Turnover()})
    with pytest.raises(PluginError, match=told):
        check_metrics(metrics)


@pytest.mark.parametrize("value", [np.float32(0.5), np.int64(2), True, np.bool_(True)])
def test_plugin_metric_may_give_any_kind_of_number(value: Any) -> None:
    assert extra_metrics({"mine": Clashing(column="mine", value=value)}, scored([0, 1], [0.1, 0.2])) == {
        "mine": float(value)
    }


def test_reliability_counts_sum_to_the_block_and_hold_the_observed_frequency() -> None:
    rng = np.random.default_rng(5)
    proba = np.concatenate([rng.random(997), [0.0, 1.0, 0.05]]).astype(np.float32)
    y = (rng.random(1000) < proba).astype(np.int8)
    n, total, buys = np.array(reliability(scored(y.tolist(), proba.tolist()))["raw"])
    assert n.sum() == 1000
    assert total.sum() == pytest.approx(proba.astype(np.float64).sum())
    assert buys.sum() == y.sum()
    third = (proba >= 0.1) & (proba < 0.15)
    assert (n[2], buys[2]) == (third.sum(), y[third].sum())
    assert np.abs(total[n > 20] / n[n > 20] - buys[n > 20] / n[n > 20]).max() < 0.2

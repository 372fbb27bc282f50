"""The metric that a run is judged by, held against the columns that its rows will have."""

from __future__ import annotations

import difflib

from ftfkit.config.origin import place_of
from ftfkit.config.schema import Experiment
from ftfkit.errors import ConfigError
from ftfkit.run.metrics import BlockMetrics, TradeMetrics, check_metrics, extra_metrics, made_up_scored

LOSSES = ("brier", "brier_calibrated", "logloss", "logloss_calibrated", "max_drawdown_pct")  # smaller is better there
CORE_METRICS = (  # columns that say how good a cell's predictions are, larger being better
    "f1_buy",
    "f1_buy_fixed",
    "f1_buy_tuned",
    *(name for name in BlockMetrics.__annotations__ if name not in {"f1_buy", *LOSSES}),
    *(name for name in TradeMetrics.__annotations__ if name not in {"no_trade", *LOSSES}),
)
SHARES = frozenset(CORE_METRICS) - TradeMetrics.__annotations__.keys()  # none can rise by 1


def check_judged(experiment: Experiment) -> None:
    """Refuse a ``stats.metric`` or required lift that no row could meet, and metrics that no row can take.

    Raises
    ------
    ConfigError
        With the metrics that the rows will have, and the nearest.
    PluginError
        As ``check_metrics`` does.
    """
    metrics, name = experiment.baseline.spec.metrics, experiment.stats.metric
    check_metrics(metrics)
    known = [*CORE_METRICS, *extra_metrics(metrics, made_up_scored())]
    if name in LOSSES:
        rule = "is better the smaller it is: a lift of it would be a loss"
        raise ConfigError(place_of(experiment, "stats.metric"), "stats.metric", name, rule)
    lift = experiment.gates.required_lift
    if name in SHARES and lift >= 1:
        rule = f"must be < 1: {name} is a share, and so is a lift of it"
        raise ConfigError(place_of(experiment, "gates.required_lift"), "gates.required_lift", lift, rule)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        rule = f"is no metric of the rows; known: {', '.join(known)}{hint}"
        raise ConfigError(place_of(experiment, "stats.metric"), "stats.metric", name, rule)

"""The row of one cell: no variant name, run id or timing, so that it is the same bytes whoever asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

RowStatus = Literal["ok", "error", "skipped"]


@dataclass(frozen=True)
class Row:
    """One cell's result (DEFINITIONS, "Rows"). Fractions are in [0, 1]; an error row has null metrics."""

    row_key: str
    fit_key: str
    asset: str
    fold: int
    status: RowStatus
    f1_buy: float | None = None  # under the chosen decision rule; 0 when undefined
    f1_buy_fixed: float | None = None  # the same probabilities, calibrated where the run calibrates, cut at 0.5
    f1_buy_tuned: float | None = None  # the same fit at the out-of-fold F1 threshold
    precision: float | None = None
    recall: float | None = None
    buy_rate: float | None = None
    prevalence: float | None = None
    f1_always_buy: float | None = None  # 2p/(1+p): the F1 of buying every event
    average_precision: float | None = None
    ap_chance: float | None = None  # expected average precision of random scores
    brier: float | None = None
    brier_calibrated: float | None = None
    logloss: float | None = None
    logloss_calibrated: float | None = None
    expectancy_bps: float | None = None  # mean net return a trade
    sortino: float | None = None  # annualised
    max_drawdown_pct: float | None = None  # >= 0
    n_trades: int | None = None
    no_trade: bool | None = None  # flags the four trade columns as 0 for want of a trade
    threshold: float | None = None
    threshold_tuned: float | None = None
    oof_buys_tuned: int | None = None  # BUY count of the tuned rule out of fold; matched_rate reproduces it
    n_train: int | None = None
    n_purged: int | None = None
    n_test: int | None = None
    params: Mapping[str, float | int] = field(default_factory=dict)
    rounds: int | None = None
    valid_value: float | None = None  # best inner validation value of the objective
    n_trials: int | None = None
    n_pruned: int | None = None
    seed: int | None = None  # model seed of the cell
    tie_share: float | None = None
    test_events: str | None = None  # hash of the test events and their labels; equal hashes compare by F1
    weight_ratio: float | None = None  # BUY class weight over the other's, on all training rows
    reliability: Mapping[str, list[list[float]]] = field(default_factory=dict)  # see run.metrics.reliability
    target_notes: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, float] = field(default_factory=dict)  # columns of plugin metrics
    versions: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None  # traceback of an error row

"""A cell: (variant, asset, fold) to one row, in a straight line.

Data, fold, search, out-of-fold, refit, decision, trades, row. Everything up to the predictions follows from training
events alone; the labels of the test block are first read where its row is made.
"""

from __future__ import annotations

import hashlib
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ftfkit.components import DecisionContext
from ftfkit.config.schema import Spec
from ftfkit.errors import ConfigError, DataError
from ftfkit.operating_points import best_f1
from ftfkit.purging import tail_split
from ftfkit.run.asset import AssetData, asset_data
from ftfkit.run.calibration import fit_calibrator
from ftfkit.run.fit import class_weights, derived_seed, out_of_fold, predict, prepare_fit
from ftfkit.run.metrics import block_metrics, extra_metrics, f1_score, reliability, trade_metrics
from ftfkit.run.payloads import sealed, threshold_of
from ftfkit.run.trades import simulate_trades
from ftfkit.run.tuning import search
from ftfkit.types import Asset, Events, IntArray, Predictions, Row, Scored, Split


@dataclass(frozen=True, eq=False)
class CellTask:
    """Everything a worker needs to compute one cell.

    Attributes
    ----------
    edges : ndarray of int64, shape (n_blocks + 1,)
        Block edges of the common period, ns UTC; the same for all assets.
    period : tuple of int
        Common period [start, end), ns UTC, cut at the hold-out.
    baseline_oof_buys : int or None
        The baseline's tuned out-of-fold BUY count, for decision rules that need it.
    predictions : Predictions or None
        Those of ``fit_key`` where they are known; only the row is then made.
    versions : mapping of str to str
        Distribution versions that the row records.
    fingerprint : str
        Hash of the bars as planned; a worker that holds other data of the asset reads it anew.
    """

    row_key: str
    fit_key: str
    spec: Spec
    asset: Asset
    fold: int
    edges: IntArray
    period: tuple[int, int]
    baseline_oof_buys: int | None = None
    predictions: Predictions | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""

    def seed(self, purpose: str) -> int:
        return derived_seed(self.spec.seed, self.asset.name, self.fold, purpose)


@dataclass(frozen=True, eq=False)
class CellResult:
    """A cell's row, the predictions behind it (None in an error row), and wall seconds by stage."""

    row: Row
    predictions: Predictions | None
    seconds: Mapping[str, float]


class _Stopwatch:
    """Seconds since the last lap, by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = now - self._last
        self._last = now


def run_cell(task: CellTask) -> CellResult:
    """Compute one cell; a failure becomes an error row with its traceback."""
    watch = _Stopwatch()
    try:
        data = asset_data(task.spec, task.asset, task.period, task.fingerprint)
        split = _split(task, data)
        watch.lap("data")
        predictions = task.predictions or fit_predictions(task, data, split, watch)
        row = make_row(task, data, split, predictions)
        watch.lap("row")
    except (Exception, SystemExit):  # a component may leave as if the program were its own
        row = Row(
            task.row_key,
            task.fit_key,
            task.asset.name,
            task.fold,
            status="error",
            versions=dict(task.versions),
            error=traceback.format_exc(),
        )
        return CellResult(row, None, watch.seconds)
    return CellResult(row, predictions, watch.seconds)


def _split(task: CellTask, data: AssetData) -> Split:
    cv, hours = task.spec.cv, task.spec.label.bar_hours
    if cv.bar_hours != hours:  # the embargo is counted in label bars
        raise ConfigError("cell", "cv.bar_hours", cv.bar_hours, f"must be {hours}, as label.bar_hours is")
    for split in cv.folds(data.events.t0, data.events.t1, task.edges):
        if split.fold == task.fold:
            return split
    raise DataError(f"{task.asset.name}: fold {task.fold} is none of the splitter's (ftfkit)")


def fit_predictions(task: CellTask, data: AssetData, split: Split, watch: _Stopwatch) -> Predictions:
    """Search, out-of-fold and refit of one fold; ``split.test`` gives features to score and nothing else."""
    spec, events, train = task.spec, data.events, split.train
    seeds = tuple(task.seed(f"model {repeat}") for repeat in range(spec.cv.repeats))
    inner = tail_split(events.t0[train], events.t1[train], spec.cv.valid_frac, spec.cv.embargo_ns)
    valid = train[inner.test]
    trial_fit = prepare_fit(spec, data, train[inner.train], valid, seeds[0])
    bound = spec.model.bind(trial_fit.context)
    choice = search(bound, spec.model, events.y[valid], spec.hpo, spec.f1_rule, task.seed("sampler"))
    watch.lap("search")
    oof_proba = out_of_fold(spec, data, train, choice.params, choice.peak.rounds, seeds)
    watch.lap("out_of_fold")
    fit = prepare_fit(spec, data, train, split.test, seeds[0])
    test_proba = predict(spec, fit, choice.params, choice.peak.rounds, seeds)
    watch.lap("refit")
    return Predictions(
        test_index=split.test,
        test_proba=test_proba,
        oof_index=train,
        oof_proba=oof_proba,
        valid_index=valid,
        valid_proba=choice.peak.proba,
        params=choice.params,
        rounds=choice.peak.rounds,
        valid_value=choice.peak.value,
        n_trials=choice.n_trials,
        n_pruned=choice.n_pruned,
        n_train=len(train),
        n_purged=split.n_purged,
        target_notes=fit.notes,
    )


def _block(edges: IntArray, t0: IntArray) -> tuple[int, int]:
    """Block edges around the tested events."""
    return int(edges[np.searchsorted(edges, t0[0], "right") - 1]), int(edges[np.searchsorted(edges, t0[-1], "right")])


def _events_hash(events: Events, rows: IntArray) -> str:
    """Hash of label intervals and labels: two label schemes may start an event at every bar alike."""
    digest = hashlib.sha256()
    for column in (events.t0, events.t1, events.y):
        digest.update(column[rows].tobytes())
    return digest.hexdigest()


def make_row(task: CellTask, data: AssetData, split: Split, predictions: Predictions) -> Row:
    """Decision, trades and metrics of one fold."""
    spec, events = task.spec, data.events
    if not np.array_equal(predictions.test_index, split.test):
        raise DataError(f"{task.asset.name}: predictions of {task.fit_key} are of other events than fold {task.fold}")
    oof_y, test_y = events.y[predictions.oof_index], events.y[split.test]
    other, buy_weight = class_weights(spec.balancing, events.y[split.train])
    calibrate = fit_calibrator(spec.calibration, spec.loss, buy_weight / other, predictions.oof_proba, oof_y)
    oof, calibrated = calibrate(predictions.oof_proba), calibrate(predictions.test_proba)
    tuned = best_f1(oof_y, oof).threshold
    threshold = threshold_of(spec.decision, sealed(DecisionContext(oof, oof_y, task.baseline_oof_buys)))
    buy = calibrated >= threshold
    block = _block(task.edges, events.t0[split.test])
    trades = simulate_trades(data.bars, events, split.test, buy, block, spec.trade.fee_bps + spec.trade.slippage_bps)
    scored = Scored(
        y=test_y,
        proba=predictions.test_proba,
        calibrated=calibrated.astype(np.float32),
        buy=buy,
        t0=events.t0[split.test],
        threshold=threshold,
        trades=trades,
        bar_hours=spec.label.bar_hours,
    )
    return Row(
        row_key=task.row_key,
        fit_key=task.fit_key,
        asset=task.asset.name,
        fold=task.fold,
        status="ok",
        **block_metrics(scored),
        **trade_metrics(trades, spec.label.bar_hours),
        f1_buy_fixed=f1_score(test_y, calibrated >= 0.5),
        f1_buy_tuned=f1_score(test_y, calibrated >= tuned),
        threshold=threshold if np.isfinite(threshold) else None,
        threshold_tuned=tuned,
        oof_buys_tuned=int(np.count_nonzero(oof >= tuned)),
        n_train=predictions.n_train,
        n_purged=predictions.n_purged,
        n_test=len(split.test),
        params=dict(predictions.params),
        rounds=predictions.rounds,
        valid_value=predictions.valid_value,
        n_trials=predictions.n_trials,
        n_pruned=predictions.n_pruned,
        seed=task.seed("model 0"),
        tie_share=events.tie_share,
        test_events=_events_hash(events, split.test),
        weight_ratio=buy_weight / other,
        reliability=reliability(scored),
        target_notes=dict(predictions.target_notes),
        extra=extra_metrics(spec.metrics, sealed(scored)),
        versions=dict(task.versions),
    )

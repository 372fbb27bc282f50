from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from ftfkit_track06_focal_loss.focal import FocalLoss
from sklearn.utils.class_weight import compute_class_weight

from ftfkit.builtin.cv.purged_kfold import PurgedKFold
from ftfkit.builtin.cv.walk_forward import WalkForward
from ftfkit.builtin.data.synthetic import SyntheticSource
from ftfkit.builtin.decisions.fixed import FixedThreshold
from ftfkit.builtin.decisions.matched_rate import MatchedRate
from ftfkit.builtin.decisions.tuned import TunedThreshold
from ftfkit.builtin.features.technical import TechnicalFeatures
from ftfkit.builtin.labels.atr_barrier import AtrBarrier
from ftfkit.builtin.losses.logistic import LogisticLoss
from ftfkit.builtin.models.xgboost import XGBoostModel
from ftfkit.builtin.targets.hard import HardTarget
from ftfkit.components import (
    BoundModel,
    FeatureSet,
    FitContext,
    LabelScheme,
    Metric,
    Model,
    SearchRange,
    TargetTransform,
)
from ftfkit.config.schema import Spec
from ftfkit.config.sections import BalancingConfig, CalibrationConfig, HpoConfig, TradeConfig, UniverseConfig
from ftfkit.errors import DataError
from ftfkit.purging import overlaps
from ftfkit.run.asset import asset_data
from ftfkit.run.cell import CellResult, CellTask, run_cell
from ftfkit.run.fit import class_weights, derived_seed, prepare_fit
from ftfkit.run.market import common_period, fingerprints, load_market, market_hash, native_bars
from ftfkit.types import HOUR_NS, Asset, Bars, Events, Features, Market, Scored, Target
from ftfkit.uniqueness import uniqueness

ASSET = Asset("AAVE", "USDC")
SPACE = {
    "learning_rate": SearchRange(low=0.02, high=0.3, log=True),
    "max_depth": SearchRange(low=2, high=4, kind="int"),
}


def make_spec(**changes: Any) -> Spec:
    parts: dict[str, Any] = {
        "options": {},
        "raw": {},
        "data": SyntheticSource(days=150, signal=1.0),
        "features": TechnicalFeatures(),
        "label": AtrBarrier(stop_atr=0.5, target_atr=1.5, bar_hours=4, max_holding_bars=24),
        "targets": HardTarget(),
        "cv": PurgedKFold(n_folds=3),
        "model": XGBoostModel(max_rounds=40, params={"min_child_weight": 5, "subsample": 0.8}, space=SPACE),
        "loss": LogisticLoss(),
        "decision": TunedThreshold(),
        "balancing": BalancingConfig(class_weight="balanced"),
        "hpo": HpoConfig(n_trials=3, every_rounds=10),
        "calibration": CalibrationConfig(),
        "trade": TradeConfig(),
        "universe": UniverseConfig(name="demo", assets=("AAVE",), quote="USDC"),
    }
    return Spec(**{**parts, **changes})


def make_task(spec: Spec, fold: int = 1, **changes: Any) -> CellTask:
    period = common_period([native_bars(spec.data, ASSET)], spec.data.holdout_from)
    return CellTask("row", "fit", spec, ASSET, fold, spec.cv.edges(*period), period, **changes)


def cell(spec: Spec, fold: int = 1, **changes: Any) -> CellResult:
    result = run_cell(make_task(spec, fold, **changes))
    assert result.row.error is None, result.row.error
    return result


@cache
def reference() -> CellResult:
    return cell(make_spec())


def as_bytes(result: CellResult) -> str:
    return json.dumps(asdict(result.row), sort_keys=True, default=dict)


def assert_same_decisions(first: CellResult, second: CellResult) -> None:
    a, b = first.predictions, second.predictions
    assert a is not None
    assert b is not None
    assert (a.params, a.rounds, a.valid_value) == (b.params, b.rounds, b.valid_value)
    np.testing.assert_array_equal(a.oof_proba, b.oof_proba)
    np.testing.assert_array_equal(a.valid_proba, b.valid_proba)
    assert first.row.threshold == second.row.threshold
    assert first.row.oof_buys_tuned == second.row.oof_buys_tuned


def test_a_row_is_complete_and_finite() -> None:
    row = asdict(reference().row)
    assert row["status"] == "ok"
    assert [name for name, value in row.items() if value is None] == ["error"]
    assert np.isfinite([value for value in row.values() if isinstance(value, (int, float))]).all()
    assert row["f1_buy"] == row["f1_buy_tuned"]
    assert row["n_trials"] == 3
    assert row["n_test"] + row["n_train"] + row["n_purged"] == len(asset_data_of(make_spec()).events)
    assert set(reference().seconds) == {"data", "search", "out_of_fold", "refit", "row"}


def asset_data_of(spec: Spec) -> Any:
    task = make_task(spec)
    return asset_data(spec, ASSET, task.period)


def test_rows_are_the_same_bytes_in_another_process() -> None:
    code = "import runpy; m = runpy.run_path(__import__('sys').argv[1]); print(m['as_bytes'](m['reference']()))"
    other = subprocess.run([sys.executable, "-c", code, __file__], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == as_bytes(reference())


def test_an_earlier_cell_of_other_data_changes_nothing() -> None:
    before = as_bytes(reference())
    cell(make_spec(data=SyntheticSource(days=150, seed=8), loss=FocalLoss(gamma=2, alpha=0.25)), fold=0)
    assert as_bytes(cell(make_spec())) == before


def test_paired_arms_share_splits_and_seeds() -> None:
    focal = cell(make_spec(loss=FocalLoss(gamma=2, alpha=0.25)))
    assert focal.row.seed == reference().row.seed
    assert focal.row.test_events == reference().row.test_events
    assert focal.row.average_precision != reference().row.average_precision


def test_another_label_scheme_has_other_test_events_even_where_all_start_alike() -> None:
    plain, wider = make_spec(), make_spec(label=AtrBarrier(bar_hours=4, stop_atr=1, target_atr=2))
    np.testing.assert_array_equal(asset_data_of(plain).events.t0, asset_data_of(wider).events.t0)
    assert cell(wider).row.test_events != reference().row.test_events


def test_a_loss_equal_to_logistic_gives_the_same_cell() -> None:
    focal = cell(make_spec(loss=FocalLoss(gamma=0, alpha=0.5)))
    assert focal.row.params == reference().row.params
    assert focal.row.f1_buy == pytest.approx(reference().row.f1_buy, abs=0.02)
    np.testing.assert_allclose(focal.predictions.test_proba, reference().predictions.test_proba, atol=1e-5)


def test_training_labels_are_clear_of_the_test_block_and_its_embargo() -> None:
    spec = make_spec()
    events = asset_data_of(spec).events
    for fold in range(3):
        found = cell(spec, fold).predictions
        start, end = events.t0[found.test_index].min(), events.t1[found.test_index].max() + 24 * 4 * HOUR_NS
        one = np.array([start]), np.array([end])
        assert not overlaps(events.t0[found.oof_index], events.t1[found.oof_index], *one).any()


class FlippedInSpan(AtrBarrier):
    """Turns the labels of events within [start, end) around."""

    start: int
    end: int

    def events(self, bars: Bars, native: Bars) -> Events:
        events = super().events(bars, native)
        inside = (events.t0 >= self.start) & (events.t0 < self.end)
        return replace(events, y=np.where(inside, 1 - events.y, events.y).astype(np.int8))


class NoiseInSpan(TechnicalFeatures):
    """Features of bars closed within [start, end) are noise."""

    start: int
    end: int

    def compute(self, asset: Asset, market: Market) -> Features:
        features = super().compute(asset, market)
        values, close = features.values.copy(), market.label[asset.name].close_time
        inside = (close >= self.start) & (close < self.end)
        values[inside] = np.random.default_rng(0).normal(size=(int(inside.sum()), values.shape[1]))
        return Features(features.names, values)


@pytest.mark.parametrize("fold", [0, 1, 2])
def test_labels_of_the_test_block_decide_nothing(fold: int) -> None:
    start, end = make_task(make_spec()).edges[fold : fold + 2].tolist()
    flipped = FlippedInSpan(**make_spec().label.model_dump(), start=start, end=end)
    plain, changed = cell(make_spec(), fold), cell(make_spec(label=flipped), fold)
    assert_same_decisions(plain, changed)
    np.testing.assert_array_equal(plain.predictions.test_proba, changed.predictions.test_proba)
    assert plain.row.prevalence == pytest.approx(1 - changed.row.prevalence)


@pytest.mark.parametrize("fold", [0, 1, 2])
def test_features_of_the_test_block_decide_nothing(fold: int) -> None:
    start, end = make_task(make_spec()).edges[fold : fold + 2].tolist()
    plain, changed = cell(make_spec(), fold), cell(make_spec(features=NoiseInSpan(start=start, end=end)), fold)
    assert_same_decisions(plain, changed)
    assert (plain.predictions.test_proba != changed.predictions.test_proba).any()


class ShuffledLabels(AtrBarrier):
    """Labels in a random order: nothing can be learnt."""

    seed: int

    def events(self, bars: Bars, native: Bars) -> Events:
        events = super().events(bars, native)
        return replace(events, y=np.random.default_rng(self.seed).permutation(events.y))


def mean_skill(specs: list[Spec]) -> tuple[float, float]:
    """Mean of average precision above chance over all folds, and its standard error."""
    rows = [cell(spec, fold).row for spec in specs for fold in range(3)]
    skill = np.array([row.average_precision - row.ap_chance for row in rows])
    return float(skill.mean()), float(skill.std(ddof=1) / np.sqrt(len(skill)))


def test_shuffled_labels_show_no_skill_and_planted_ones_do() -> None:
    hpo, base = HpoConfig(n_trials=0, every_rounds=10), make_spec().label.model_dump()
    shuffled, error = mean_skill([make_spec(label=ShuffledLabels(**base, seed=seed), hpo=hpo) for seed in range(6)])
    assert shuffled < 2 * error
    planted, error = mean_skill(
        [make_spec(hpo=hpo, data=SyntheticSource(days=150, signal=1.0, seed=s)) for s in (1, 2)]
    )
    assert planted > 3 * error


class Recorder(TargetTransform):
    """Keeps the rows before a moment, halves their weight, and refuses to be shown a scored row."""

    until: int = 2**62

    def transform(self, context: FitContext) -> Target:
        assert len(context.X_eval) == 0
        assert context.oof_proba is not None
        n = len(context.train.t0)
        proba = context.oof_proba()
        assert proba.shape == (n,)
        keep = context.train.t0 < self.until
        y = np.clip(context.train.y_hard, 0.1, 0.9).astype(np.float32)
        return Target(
            y, np.full(n, 0.5, dtype=np.float32), keep, {"kept": float(keep.mean()), "mean": float(proba.mean())}
        )


def test_targets_and_weights_are_made_from_each_fits_own_rows() -> None:
    balancing = BalancingConfig(class_weight="balanced", uniqueness=True)
    spec = make_spec(balancing=balancing, hpo=HpoConfig(n_trials=0, every_rounds=10))
    data = asset_data_of(spec)
    half = int(np.median(data.events.t0))
    train, score = np.arange(0, 600), np.arange(650, 700)
    fit = prepare_fit(spec.model_copy(update={"targets": Recorder(until=half)}), data, train, score, seed=1)
    kept = train[data.events.t0[train] < half]
    own = fit.context.train
    y = data.events.y[kept]
    share = y.mean()
    expected = np.where(y == 1, 0.5 / share, 0.5 / (1 - share))
    expected = expected * uniqueness(data.events.t0[kept], data.events.t1[kept], 4 * HOUR_NS) * 0.5
    np.testing.assert_allclose(own.weight, expected, rtol=1e-6)
    np.testing.assert_array_equal(own.y, np.clip(y, 0.1, 0.9).astype(np.float32))
    np.testing.assert_array_equal(own.y_hard, y)
    np.testing.assert_array_equal(fit.context.X_eval, data.X[score])
    assert fit.notes["kept"] == pytest.approx(len(kept) / 600)


def test_a_fit_inside_a_fit_knows_nothing_of_the_rows_it_leaves_out() -> None:
    spec = make_spec(balancing=BalancingConfig(class_weight="balanced"), targets=Recorder())
    data = asset_data_of(spec)
    inner, rows = np.arange(200, 500), np.arange(0, 600)
    flipped = data.events.y.copy()
    flipped[:200] = 1 - flipped[:200]
    other = replace(data, events=replace(data.events, y=flipped))
    own, unmoved = (
        prepare_fit(spec, known, rows, np.arange(650, 700), seed=1).context.sample(inner) for known in (data, other)
    )
    assert own.weight.sum() == pytest.approx(0.5 * len(inner))
    for column in ("y", "weight", "y_hard"):
        np.testing.assert_array_equal(getattr(own, column), getattr(unmoved, column))


def test_scored_rows_are_never_pruned() -> None:
    spec = make_spec(targets=Recorder(until=int(np.median(asset_data_of(make_spec()).events.t0))))
    found = cell(spec, fold=2)
    assert found.row.test_events == cell(make_spec(), fold=2).row.test_events
    assert len(found.predictions.oof_proba) == found.row.n_train
    assert 0 < found.row.target_notes["kept"] < 1


class Greedy(Model):
    """Asks the context for the models and splits an ensemble needs."""

    def bind(self, context: FitContext) -> BoundModel:
        assert "xgboost" in context.models
        assert "no such model" not in context.models
        inner = context.models["xgboost"](max_rounds=5)
        tested = np.concatenate([split.test for split in context.splits])
        np.testing.assert_array_equal(tested, np.arange(len(context.train.t0)))
        return inner.bind(context)


def test_models_see_splits_and_the_other_models() -> None:
    assert cell(make_spec(model=Greedy(), hpo=HpoConfig(n_trials=0, every_rounds=5))).row.rounds == 5


def test_known_predictions_lead_to_the_same_row_without_a_fit() -> None:
    whole = reference()
    again = cell(make_spec(), predictions=whole.predictions)
    assert as_bytes(again) == as_bytes(whole)
    assert set(again.seconds) == {"data", "row"}


def test_predictions_of_another_fold_are_refused() -> None:
    result = run_cell(make_task(make_spec(), fold=2, predictions=reference().predictions))
    assert result.row.status == "error"
    assert "other events than fold 2" in result.row.error


def test_fixed_decision_is_f1_at_half_and_matched_rate_follows_the_baseline() -> None:
    plain, platt = CalibrationConfig(), CalibrationConfig(method="platt")
    for calibration in (plain, platt):
        fixed = cell(make_spec(decision=FixedThreshold(), hpo=HpoConfig(n_trials=0), calibration=calibration))
        assert fixed.row.f1_buy == fixed.row.f1_buy_fixed
        assert fixed.row.threshold == 0.5
    tuned = reference()
    matched = cell(
        make_spec(decision=MatchedRate()), predictions=tuned.predictions, baseline_oof_buys=tuned.row.oof_buys_tuned
    )
    assert (matched.row.f1_buy, matched.row.threshold) == (tuned.row.f1_buy, tuned.row.threshold)


def test_never_buying_is_a_row_without_trades_and_without_infinity() -> None:
    never = cell(make_spec(decision=MatchedRate()), predictions=reference().predictions, baseline_oof_buys=0)
    assert never.row.no_trade
    assert never.row.threshold is None
    assert (never.row.f1_buy, never.row.expectancy_bps, never.row.sortino, never.row.max_drawdown_pct) == (0, 0, 0, 0)
    json.dumps(asdict(never.row), allow_nan=False, default=dict)


def test_calibration_comes_before_the_decision() -> None:
    platt = cell(make_spec(calibration=CalibrationConfig(method="platt")), predictions=reference().predictions)
    raw = reference().row
    assert raw.brier_calibrated == raw.brier == platt.row.brier != platt.row.brier_calibrated
    assert platt.row.threshold != raw.threshold
    # a monotone map moves the threshold along and leaves the BUYs where they are, up to the midpoint
    assert platt.row.oof_buys_tuned == raw.oof_buys_tuned
    assert platt.row.buy_rate == pytest.approx(raw.buy_rate, abs=0.01)


def test_repeats_average_over_model_seeds() -> None:
    once, thrice = (cell(make_spec(cv=PurgedKFold(n_folds=3, repeats=repeats))) for repeats in (1, 3))
    assert once.row.params == thrice.row.params
    assert (once.predictions.test_proba != thrice.predictions.test_proba).any()
    assert (once.predictions.oof_proba != thrice.predictions.oof_proba).any()


def test_walk_forward_trades_its_own_block() -> None:
    spec = make_spec(cv=WalkForward(n_folds=2))
    task = make_task(spec, fold=0)
    found = cell(spec, fold=0).predictions
    t0 = asset_data_of(spec).events.t0
    assert t0[found.oof_index].max() < t0[found.test_index].min()
    assert task.edges[1] <= t0[found.test_index].min()
    assert t0[found.test_index].max() < task.edges[2]


class Broken(FeatureSet):
    def compute(self, asset: Asset, market: Market) -> Features:
        raise RuntimeError("no such indicator")


def test_a_failure_is_an_error_row_with_its_traceback() -> None:
    result = run_cell(make_task(make_spec(features=Broken()), versions={"ftfkit": "0"}))
    assert (result.row.status, result.predictions) == ("error", None)
    assert "RuntimeError: no such indicator" in result.row.error
    assert result.row.f1_buy is None
    assert result.row.versions == {"ftfkit": "0"}


class Leaving(FeatureSet):
    def compute(self, asset: Asset, market: Market) -> Features:
        raise SystemExit(0)


def test_a_component_that_leaves_the_program_is_a_failure() -> None:
    assert "SystemExit: 0" in run_cell(make_task(make_spec(features=Leaving()))).row.error


class Overwriting(Metric):
    """Would make every later row of these predictions perfect."""

    array: str

    def compute(self, scored: Scored) -> Mapping[str, float]:
        found = getattr(scored, self.array, None)
        (scored.trades.returns if found is None else found)[:] = 1
        return {"mine": 1.0}


@pytest.mark.parametrize("array", ["proba", "calibrated", "y", "buy", "t0", "trades.returns"])
def test_a_metric_cannot_change_what_it_is_given(array: str) -> None:
    whole = reference()
    before = whole.predictions.test_proba.copy()
    result = run_cell(make_task(make_spec(metrics={"mine": Overwriting(array=array)}), predictions=whole.predictions))
    assert "read-only" in result.row.error
    np.testing.assert_array_equal(whole.predictions.test_proba, before)


class Interrupted(FeatureSet):
    def compute(self, asset: Asset, market: Market) -> Features:
        raise KeyboardInterrupt


def test_an_interrupt_is_not_a_failure() -> None:
    with pytest.raises(KeyboardInterrupt):
        run_cell(make_task(make_spec(features=Interrupted())))


def test_an_embargo_in_other_bars_than_the_labels_is_refused() -> None:
    result = run_cell(make_task(make_spec(cv=PurgedKFold(n_folds=3, bar_hours=1))))
    assert "cv.bar_hours == 1 must be 4" in result.row.error


def test_seeds_know_run_asset_fold_and_purpose() -> None:
    seeds = {derived_seed(*key) for key in [(0, "A", 0, "x"), (1, "A", 0, "x"), (0, "B", 0, "x"), (0, "A", 1, "x")]}
    assert len(seeds | {derived_seed(0, "A", 0, "y")}) == 5
    assert derived_seed(0, "AAVEUSDC", 0, "sampler") == derived_seed(0, "AAVEUSDC", 0, "sampler")
    assert all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.parametrize("y", [[0, 0, 0, 1], [1, 1, 0], [0, 1], [1, 1], [0]])
def test_balanced_class_weights_are_those_of_scikit_learn(y: list[int]) -> None:
    hard = np.array(y, dtype=np.int8)
    classes = np.unique(hard)
    known = dict(zip(classes.tolist(), compute_class_weight("balanced", classes=classes, y=hard), strict=True))
    found = class_weights(BalancingConfig(class_weight="balanced"), hard)
    assert found == (known.get(0, 1.0), known.get(1, 1.0))
    assert class_weights(BalancingConfig(), hard) == (1, 1)


class Counted(AtrBarrier):
    """Reads the module's counter to show how often labels are made."""

    def events(self, bars: Bars, native: Bars) -> Events:
        CALLS.append(len(bars))
        return super().events(bars, native)


CALLS: list[int] = []


def test_one_assets_data_is_kept_until_anything_about_it_differs() -> None:
    label: LabelScheme = Counted(**make_spec().label.model_dump())
    task = make_task(make_spec(label=label))
    load: Callable[..., Any] = asset_data
    first = load(task.spec, ASSET, task.period)
    assert load(make_spec(label=label, loss=FocalLoss(gamma=1, alpha=0.5)), ASSET, task.period) is first
    assert len(CALLS) == 1
    changed: list[Mapping[str, Any]] = [
        {"period": (task.period[0], task.period[1] - 24 * HOUR_NS)},
        {"spec": make_spec(label=Counted(**{**make_spec().label.model_dump(), "target_atr": 2.0}))},
    ]
    for change in changed:
        load(**{"spec": task.spec, "asset": ASSET, "period": task.period, **change})
    assert len(CALLS) == 3


def test_bars_that_are_not_those_of_the_plan_are_refused() -> None:
    task = make_task(make_spec())
    universe = task.spec.universe.universe
    market = load_market(task.spec.data, task.spec.features, universe, ASSET, 4, task.period[1])
    planned = market_hash(fingerprints(market))
    assert len(asset_data(task.spec, ASSET, task.period, planned).events)
    with pytest.raises(DataError, match="bars are not those of the plan"):
        asset_data(task.spec, ASSET, task.period, "0" * 64)


def test_nothing_past_the_periods_end_is_read() -> None:
    task = make_task(make_spec())
    end = task.period[1] - 30 * 24 * HOUR_NS
    data = asset_data(task.spec, ASSET, (task.period[0] + 10 * 24 * HOUR_NS, end))
    assert data.bars.close_time[-1] <= end
    assert data.events.t1.max() <= end
    assert data.events.t0.min() >= task.period[0] + 10 * 24 * HOUR_NS

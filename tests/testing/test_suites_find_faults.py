"""Each suite finds the faults it is there to find: components that are wrong in one way, and the test that says so."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

import ftfkit.testing as suites
from ftfkit.components import (
    DecisionContext,
    DecisionRule,
    DossierSection,
    FitContext,
    GateCheck,
    GateEvidence,
    Loss,
    Metric,
    RawBars,
    TargetTransform,
)
from ftfkit.errors import ConfigError
from ftfkit.plugins import registry
from ftfkit.testing.fits import TiltedLogistic
from ftfkit.types import Asset, Events, Features, GateResult, Market, Scored, Split, Stage, Target

LogisticLoss: Any = registry().load("loss", "logistic")
AtrBarrier: Any = registry().load("label_scheme", "atr_barrier")
PurgedKFold: Any = registry().load("splitter", "purged_kfold")
TechnicalFeatures: Any = registry().load("feature_set", "technical")
XGBoostModel: Any = registry().load("model", "xgboost")
HardTarget: Any = registry().load("target_transform", "hard")
SyntheticSource: Any = registry().load("data_source", "synthetic")


class UnweightedLoss(LogisticLoss):
    def objective(self, y: Any, weight: Any) -> Any:
        return super().objective(y, np.ones_like(weight))


class WrongSlope(LogisticLoss):
    def value(self, logit: Any, y: Any) -> Any:
        return super().value(logit, y) * (1 + 0.3 * np.abs(logit))


class WrongHessian(LogisticLoss):
    """Right at the intercept, and so in its mean at the start."""

    def objective(self, y: Any, weight: Any) -> Any:
        bound = super().objective(y, weight)
        return Derivatives(bound, hessian=lambda z: 1 + 0.5 * np.tanh(z - bound.intercept))


class HeavyHessian(LogisticLoss):
    """Right near the intercept, 50 times too large elsewhere."""

    def objective(self, y: Any, weight: Any) -> Any:
        bound = super().objective(y, weight)
        return Derivatives(bound, hessian=lambda z: np.where(np.abs(z - bound.intercept) > 1, 50, 1))


class ConstantHessian(LogisticLoss):
    """The peak of the curvature at every logit: a majoriser, and no fault."""

    def objective(self, y: Any, weight: Any) -> Any:
        prevalence = np.average(y, weights=weight)
        return Derivatives(
            super().objective(y, weight),
            gradient=lambda z: np.full_like(z, 4 * prevalence * (1 - prevalence)),
            hessian=lambda z: prevalence * (1 - prevalence) * (2 + np.exp(z) + np.exp(-z)),  # over that of the logistic
        )


class TurnsFarOut(LogisticLoss):
    """Pulls the wrong way where |logit| > 8."""

    def objective(self, y: Any, weight: Any) -> Any:
        return Derivatives(super().objective(y, weight), gradient=lambda z: np.where(np.abs(z) > 8, -1, 1))


class HeavyOnMissedRows(LogisticLoss):
    """Right but for BUY events at low logits."""

    def objective(self, y: Any, weight: Any) -> Any:
        return Derivatives(super().objective(y, weight), hessian=lambda z: np.where((y == 1) & (z < -2), 50, 1))


class Derivatives:
    """Those of a bound loss, times a factor that depends on the logit."""

    def __init__(self, bound: Any, gradient: Any = np.ones_like, hessian: Any = np.ones_like) -> None:
        self.bound, self.intercept = bound, bound.intercept
        self.gradient, self.hessian = gradient, hessian

    def __call__(self, logit: Any) -> Any:
        gradient, hessian = self.bound(logit)
        own = gradient * self.gradient(logit), hessian * self.hessian(logit)
        return tuple(one.astype(np.float32) for one in own)


class Overflowing(TiltedLogistic):
    def value(self, logit: Any, y: Any) -> Any:
        return np.log(1 + np.exp(-np.asarray(logit, dtype=np.float64))) * y + np.log(1 + np.exp(logit)) * (1 - y)


class UndistortedTilt(TiltedLogistic):
    def class_probability(self, proba: Any) -> Any:
        return np.asarray(proba, dtype=np.float64)


class EarlyT1(AtrBarrier):
    """Says that a label is known a bar before it is."""

    def events(self, bars: Any, native: Any) -> Events:
        events = super().events(bars, native)
        exit_bar = np.maximum(events.exit_bar - 2, events.bar)
        return replace(events, exit_bar=exit_bar, t1=bars.close_time[exit_bar])


class SometimesEarlyT1(AtrBarrier):
    """Lets one event in 17 turn on the bar after the one at which it says to be known."""

    def events(self, bars: Any, native: Any) -> Events:
        events = super().events(bars, native)
        after = np.minimum(events.exit_bar + 1, len(bars) - 1)
        peeks = np.arange(len(events)) % 17 == 0
        y = np.where(peeks, bars.close[after] > bars.close[events.exit_bar], events.y)
        return replace(events, y=y.astype(np.int8))


class ScaledByTheWhole(AtrBarrier):
    """Labels by a quantile over the whole history."""

    def events(self, bars: Any, native: Any) -> Events:
        events = super().events(bars, native)
        gain = events.exit_price / events.entry
        return replace(events, y=(gain > np.median(gain)).astype(np.int8))


class Unpurged(PurgedKFold):
    def folds(self, t0: Any, t1: Any, edges: Any) -> tuple[Split, ...]:
        everything = np.arange(len(t0))
        return tuple(
            replace(split, train=np.setdiff1d(everything, split.test), n_purged=0)
            for split in super().folds(t0, t1, edges)
        )


class NoEmbargo(PurgedKFold):
    def folds(self, t0: Any, t1: Any, edges: Any) -> tuple[Split, ...]:
        return PurgedKFold(n_folds=self.n_folds, embargo_bars=0).folds(t0, t1, edges)


class ShortEmbargo(PurgedKFold):
    """A splitter that the suite must not ask how long its embargo is."""

    @property
    def embargo_ns(self) -> int:
        return 1


class FourHourEmbargo(PurgedKFold):
    """Counts bars of 4 h, whatever the label scheme's are."""

    def folds(self, t0: Any, t1: Any, edges: Any) -> tuple[Split, ...]:
        return PurgedKFold(n_folds=self.n_folds, embargo_bars=self.embargo_bars, bar_hours=4).folds(t0, t1, edges)


class WithTomorrow(TechnicalFeatures):
    def compute(self, asset: Asset, market: Market) -> Features:
        features = super().compute(asset, market)
        return replace(features, values=np.roll(features.values, -1, axis=0))


class Standardised(TechnicalFeatures):
    """Scaled by the mean over the whole history, the commonest look-ahead of all."""

    def compute(self, asset: Asset, market: Market) -> Features:
        features = super().compute(asset, market)
        return replace(features, values=features.values - np.nanmean(features.values, axis=0))


class FaintLookAhead(TechnicalFeatures):
    """Moves every value by less than the rounding of a sum that starts elsewhere does."""

    def compute(self, asset: Asset, market: Market) -> Features:
        features = super().compute(asset, market)
        later = np.nanmean(features.values[-100:], axis=0)
        return replace(features, values=features.values + 3e-7 * np.tanh(later))


class AcrossGaps(TechnicalFeatures):
    def compute(self, asset: Asset, market: Market) -> Features:
        close = market.label[asset.name].close
        change = np.concatenate([[np.nan], np.diff(np.log(close))]).astype(np.float32)
        return Features(("change",), change.reshape(-1, 1))


class LooksAtScoredRows(TargetTransform):
    def transform(self, context: FitContext) -> Target:
        n, shift = len(context.train.y), float(np.nan_to_num(np.nanmean(context.X_eval)) if len(context.X_eval) else 0)
        y = np.clip(context.train.y_hard + 0.01 * shift, 0, 1).astype(np.float32)
        return Target(y, np.ones(n, dtype=np.float32), np.ones(n, dtype=bool))


class DropsOneClass(HardTarget):
    def transform(self, context: FitContext) -> Target:
        return replace(super().transform(context), keep=context.train.y_hard == 0)


class Changed:
    """A bound model with its fit changed."""

    def __init__(self, bound: Any) -> None:
        self.bound = bound

    def path(self, params: Any, every_rounds: int) -> Iterator[Stage]:
        yield from self.bound.path(params, every_rounds)

    def predict(self, params: Any, rounds: int) -> Any:
        return self.bound.predict(params, rounds)


class IgnoresWeights(XGBoostModel):
    def bind(self, context: FitContext) -> Any:
        plain = np.ones_like(context.train.weight)
        return super().bind(replace(context, train=replace(context.train, weight=plain)))


class RoundsSoftLabels(XGBoostModel):
    def bind(self, context: FitContext) -> Any:
        return super().bind(replace(context, train=replace(context.train, y=np.round(context.train.y))))


class SoftAsTwoRows(XGBoostModel):
    """Splits a row with a soft label into two weighted ones: the same loss, but row samples of twice as many rows."""

    def bind(self, context: FitContext) -> Any:
        train = context.train
        if np.isin(train.y, (0, 1)).all():
            return super().bind(context)
        both = train.rows(np.tile(np.arange(len(train.y)), 2))
        y = np.repeat(np.array([1, 0], dtype=np.float32), len(train.y))
        weight = both.weight * np.concatenate([train.y, 1 - train.y])
        return super().bind(replace(context, train=replace(both, y=y, weight=weight)))


class IgnoresLosses(XGBoostModel):
    def bind(self, context: FitContext) -> Any:
        return super().bind(replace(context, loss=LogisticLoss()))


class RefusesOnPaper(XGBoostModel):
    """Asked, it refuses; given the loss all the same, it trains."""

    def check_loss(self, loss: Loss) -> None:
        raise ConfigError("model", "loss", type(loss).__name__, "must be another")


class RefusesLate(XGBoostModel):
    def bind(self, context: FitContext) -> Any:
        raise ConfigError("model.bind", "loss", type(context.loss).__name__, "must be another")


class RanksScoredRows(XGBoostModel):
    def bind(self, context: FitContext) -> Any:
        return Ranked(super().bind(context))


class Ranked(Changed):
    def predict(self, params: Any, rounds: int) -> Any:
        proba = super().predict(params, rounds)
        return ((np.argsort(np.argsort(proba)) + 1) / len(proba)).astype(np.float32)


class UnseededNoise(XGBoostModel):
    def bind(self, context: FitContext) -> Any:
        return Noisy(super().bind(context))


class Noisy(Changed):
    def predict(self, params: Any, rounds: int) -> Any:
        proba = super().predict(params, rounds)
        return np.clip(proba + np.random.default_rng().normal(0, 1e-3, len(proba)), 0, 1).astype(np.float32)


class EveryCore(XGBoostModel):
    def bind(self, context: FitContext) -> Any:
        bound = super().bind(context)
        bound._fixed["nthread"] = 2
        return bound


class NeverSure(DecisionRule):
    def threshold(self, context: DecisionContext) -> float:
        return float(np.std(context.oof_proba, ddof=1))


class Undefined(Metric):
    def compute(self, scored: Scored) -> Mapping[str, float]:
        with np.errstate(invalid="ignore"):
            return {"hit_rate": float(np.divide(scored.y[scored.buy].sum(), scored.buy.sum()))}


class PassesOnNothing(GateCheck):
    def check(self, evidence: GateEvidence) -> GateResult:
        bad = bool((evidence.rows["expectancy_bps"] < 0).any()) if "expectancy_bps" in evidence.rows else False
        return GateResult("FAIL" if bad else "PASS", 0.0, 0.0, "bps", "no row is negative")


class ReadsMore(GateCheck):
    requires: ClassVar[tuple[str, ...]] = ("f1_buy",)

    def check(self, evidence: GateEvidence) -> GateResult:
        n_trades = float(evidence.rows["n_trades"].mean()) if "n_trades" in evidence.rows else 0.0
        return GateResult("PASS", n_trades, 0.0, "trades", "trades a row")


class ComparesUndeclared(GateCheck):
    """Sets F1 of the variant beside the baseline's, on whatever events each was scored."""

    requires: ClassVar[tuple[str, ...]] = ("f1_buy",)

    def check(self, evidence: GateEvidence) -> GateResult:
        delta = float((evidence.rows["f1_buy"] - evidence.baseline_rows["f1_buy"]).median())
        return GateResult("PASS" if delta > 0 else "FAIL", delta, 0.0, "f1_buy", "median delta")


class ReadsTheComparison(GateCheck):
    requires: ClassVar[tuple[str, ...]] = ("n_trades",)

    def check(self, evidence: GateEvidence) -> GateResult:
        passed = (evidence.comparison.d_z or 0) > 0.5
        return GateResult("PASS" if passed else "FAIL", float(passed), 1.0, "d_z", "effect size")


class Drifting(SyntheticSource):
    """Each read gives other bars."""

    reads: ClassVar[list[int]] = []

    def read(self, asset: Asset) -> RawBars:
        self.reads.append(1)
        raw = super().read(asset)
        return replace(raw, frame=raw.frame.assign(volume=raw.frame["volume"] + len(self.reads)))


class Loud(DossierSection):
    title: ClassVar[str] = "Loud"

    def render(self, rows: pd.DataFrame, comparisons: Any) -> str:
        rows["n_trades"] = 0
        return "# Loud\n"


LABEL = {"bar_hours": 4, "stop_atr": 0.5, "target_atr": 1.5}
FAULTS = [
    (suites.LossConformance, UnweightedLoss(), "test_a_weight_of_k_counts_as_k_copies_of_the_row"),
    (suites.LossConformance, WrongSlope(), "test_gradient_is_the_slope_of_the_value"),
    (suites.LossConformance, WrongHessian(), "test_hessian_is_not_below_the_curvature_of_the_value"),
    (suites.LossConformance, HeavyHessian(), "test_hessian_is_not_far_above_curvature_and_slope_of_the_value"),
    (suites.LossConformance, HeavyOnMissedRows(), "test_hessian_is_not_far_above_curvature_and_slope_of_the_value"),
    (suites.LossConformance, TurnsFarOut(), "test_gradient_is_the_slope_of_the_value"),
    (suites.LossConformance, Overflowing(tilt=1.0), "test_extreme_logits_stay_finite"),
    (suites.LossConformance, UndistortedTilt(tilt=3.0), "test_class_probability_undoes_the_distortion_of_the_loss"),
    (suites.LabelSchemeConformance, EarlyT1(**LABEL), "test_no_event_knows_what_comes_after_its_t1"),
    (suites.LabelSchemeConformance, SometimesEarlyT1(**LABEL), "test_no_event_knows_what_comes_after_its_t1"),
    (suites.LabelSchemeConformance, ScaledByTheWhole(**LABEL), "test_history_cut_short_gives_the_same_events"),
    (suites.SplitterConformance, Unpurged(), "test_no_training_interval_meets_a_tested_one_or_its_embargo"),
    (suites.SplitterConformance, NoEmbargo(), "test_no_training_interval_meets_a_tested_one_or_its_embargo"),
    (suites.SplitterConformance, ShortEmbargo(), "test_no_training_interval_meets_a_tested_one_or_its_embargo"),
    (suites.SplitterConformance, FourHourEmbargo(), "test_no_training_interval_meets_a_tested_one_or_its_embargo"),
    (suites.FeatureSetConformance, WithTomorrow(), "test_the_future_has_no_say"),
    (suites.FeatureSetConformance, Standardised(), "test_the_future_has_no_say"),
    (suites.FeatureSetConformance, FaintLookAhead(), "test_another_future_changes_no_bit"),
    (suites.FeatureSetConformance, AcrossGaps(), "test_bars_before_a_gap_have_no_say_after_it"),
    (suites.TargetTransformConformance, LooksAtScoredRows(), "test_rows_to_be_scored_have_no_say"),
    (suites.TargetTransformConformance, DropsOneClass(), "test_both_classes_stay_in_the_fit"),
    (suites.ModelConformance, IgnoresWeights(), "test_honours_weights_or_refuses"),
    (suites.ModelConformance, RoundsSoftLabels(), "test_honours_soft_labels_or_refuses"),
    (
        suites.ModelConformance,
        SoftAsTwoRows(params={"subsample": 0.5}),
        "test_soft_labels_that_are_almost_hard_give_almost_the_same_model",
    ),
    (suites.ModelConformance, IgnoresLosses(), "test_honours_losses_or_refuses"),
    (suites.ModelConformance, RefusesOnPaper(), "test_a_loss_is_refused_before_any_data_or_not_at_all"),
    (suites.ModelConformance, RanksScoredRows(), "test_scores_each_row_by_itself"),
    (suites.ModelConformance, UnseededNoise(), "test_is_deterministic_also_after_pickling"),
    (suites.DecisionRuleConformance, NeverSure(), "test_threshold_is_a_number"),
    (suites.MetricConformance, Undefined(), "test_every_column_is_finite"),
    (suites.GateCheckConformance, PassesOnNothing(), "test_missing_evidence_is_an_error"),
    (suites.GateCheckConformance, ReadsMore(), "test_reads_no_column_that_it_does_not_require"),
    (suites.GateCheckConformance, ComparesUndeclared(), "test_declares_that_it_compares_f1_where_it_does"),
    (suites.GateCheckConformance, ReadsTheComparison(), "test_declares_that_it_compares_f1_where_it_does"),
    (suites.DataSourceConformance, Drifting(days=30), "test_reads_the_same_bars_again"),
    (suites.DossierSectionConformance, Loud(), "test_headings_stay_below_those_of_the_dossier"),
    (suites.DossierSectionConformance, Loud(), "test_is_deterministic_and_leaves_the_rows_alone"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("suite", "component", "test"), FAULTS, ids=[f"{type(c).__name__}" for _, c, _ in FAULTS])
def test_a_fault_is_found_by_the_test_that_is_there_for_it(suite: Any, component: Any, test: str) -> None:
    method = getattr(suite(), test)
    with pytest.raises((AssertionError, FloatingPointError)):
        run_with_every_parameter(method, component)


@pytest.mark.parametrize(
    "test",
    [
        "test_gradient_is_the_slope_of_the_value",
        "test_hessian_is_not_below_the_curvature_of_the_value",
        "test_hessian_is_not_far_above_curvature_and_slope_of_the_value",
    ],
)
def test_an_upper_bound_of_the_curvature_is_no_false_alarm(test: str) -> None:
    run_with_every_parameter(getattr(suites.LossConformance(), test), ConstantHessian())


@pytest.mark.parametrize("test", ["test_honours_weights_or_refuses", "test_honours_losses_or_refuses"])
def test_a_model_without_parameters_of_its_own_is_no_false_alarm(test: str) -> None:
    """XGBoost's defaults are deep trees at a high rate, which settle most rows whatever they weigh."""
    getattr(suites.ModelConformance(), test)(XGBoostModel())


def test_a_model_that_refuses_a_loss_within_its_fits_is_told_of_the_earlier_way() -> None:
    with pytest.raises(pytest.skip.Exception, match="override check_loss, so that no sweep starts with it"):
        suites.ModelConformance().test_a_loss_is_refused_before_any_data_or_not_at_all(RefusesLate())


def run_with_every_parameter(method: Any, component: Any) -> None:
    for arguments in parameters(method):
        method(component, **arguments)


def parameters(method: Any) -> Iterator[dict[str, Any]]:
    """The product of what the marks of a test parametrize."""
    found: list[dict[str, Any]] = [{}]
    for mark in getattr(method, "pytestmark", []):
        if mark.name == "parametrize":
            found = [{**one, mark.args[0]: value} for one in found for value in mark.args[1]]
    assert set(inspect.signature(method).parameters) == {"component", *found[0]}
    yield from found


def test_threads_are_counted(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The class must live in a module that the counting process can import."""
    import shutil
    import sys

    shutil.copy(__file__, tmp_path / "faulty_models.py")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    from importlib import import_module

    model = import_module("faulty_models").EveryCore()
    with pytest.raises(AssertionError, match="threads and child processes"):
        suites.ModelConformance().test_fits_on_one_thread(model)

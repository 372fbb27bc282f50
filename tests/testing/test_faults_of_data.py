"""Each suite for data sources, features, labels, targets and splitters finds the faults it is there for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

import ftfkit.testing as suites
from ftfkit.components import FitContext, RawBars, TargetTransform
from ftfkit.plugins import registry
from ftfkit.types import Asset, Events, Features, Market, Split, Target

AtrBarrier: Any = registry().load("label_scheme", "atr_barrier")
PurgedKFold: Any = registry().load("splitter", "purged_kfold")
TechnicalFeatures: Any = registry().load("feature_set", "technical")
HardTarget: Any = registry().load("target_transform", "hard")
SyntheticSource: Any = registry().load("data_source", "synthetic")


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


class Drifting(SyntheticSource):
    """Each read gives other bars."""

    reads: ClassVar[list[int]] = []

    def read(self, asset: Asset) -> RawBars:
        self.reads.append(1)
        raw = super().read(asset)
        return replace(raw, frame=raw.frame.assign(volume=raw.frame["volume"] + len(self.reads)))


LABEL = {"bar_hours": 4, "stop_atr": 0.5, "target_atr": 1.5}
FAULTS = [
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
    (suites.DataSourceConformance, Drifting(days=30), "test_reads_the_same_bars_again"),
]


def test_a_fault_is_found_by_the_test_that_is_there_for_it(is_found: bool) -> None:
    assert is_found

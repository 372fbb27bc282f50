from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ftfkit.builtin.cv.purged_kfold import PurgedKFold
from ftfkit.builtin.data.synthetic import SyntheticSource
from ftfkit.builtin.decisions.fixed import FixedThreshold
from ftfkit.builtin.features.technical import TechnicalFeatures
from ftfkit.builtin.labels.atr_barrier import AtrBarrier
from ftfkit.builtin.losses.logistic import LogisticLoss
from ftfkit.builtin.models.xgboost import XGBoostModel
from ftfkit.builtin.targets.hard import HardTarget
from ftfkit.components import FitContext, TargetTransform
from ftfkit.errors import PluginError
from ftfkit.run.market import load_market, native_bars
from ftfkit.run.payloads import (
    edges_of,
    events_of,
    features_of,
    needs_of,
    proba_of,
    splits_of,
    target_of,
    threshold_of,
)
from ftfkit.testing.fits import planted_sample
from ftfkit.types import (
    Asset,
    Bars,
    DecisionContext,
    Events,
    Features,
    IntArray,
    Market,
    RawBars,
    Split,
    Target,
    Universe,
)

AAVE = Asset("AAVE", "USDC")
END_NS = 2**62


@pytest.fixture(scope="module")
def market() -> Market:
    universe = Universe("one", (AAVE,), "USDC")
    return load_market(SyntheticSource(days=60), TechnicalFeatures(), universe, AAVE, 4, END_NS)


class Wrong(AtrBarrier):
    """Events of the scheme, changed by ``change``."""

    change: Callable[[Events], dict[str, Any]]

    def events(self, bars: Bars, native: Bars) -> Events:
        events = super().events(bars, native)
        return replace(events, **self.change(events))


class Odd(TechnicalFeatures):
    """Features of the set, changed by ``change``."""

    change: Callable[[Features], dict[str, Any]]

    def compute(self, asset: Asset, market: Market) -> Features:
        features = super().compute(asset, market)
        return replace(features, **self.change(features))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda events: {"t1": events.t0 - 1}, "Wrong: t1 == a time before t0, must be >= t0"),
        (lambda events: {"y": events.y * 2}, "Wrong: y == 2, must be 0 or 1"),
        (lambda events: {"t0": events.t0[::-1].copy()}, "Wrong: t0 == an earlier time after a later one"),
        (lambda events: {"exit_bar": events.exit_bar + 10_000}, "Wrong: bar == a position outside the bars"),
    ],
)
def test_events_that_no_purging_could_rest_on_are_refused(market: Market, change: Any, told: str) -> None:
    scheme = Wrong(stop_atr=0.5, target_atr=1.5, bar_hours=4, max_holding_bars=24, change=change)
    with pytest.raises(PluginError, match=told):
        events_of(scheme, market.label["AAVEUSDC"], market.native["AAVEUSDC"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda features: {"values": features.values[5:]}, r"Odd: values == shape \(355, \d+\), must be of shape"),
        (lambda features: {"names": features.names[1:]}, "Odd: values == shape"),
        (lambda features: {"values": features.values + np.float32(np.inf)}, "Odd: values == an infinity"),
    ],
)
def test_features_that_do_not_fit_the_bars_are_refused(market: Market, change: Any, told: str) -> None:
    with pytest.raises(PluginError, match=told):
        features_of(Odd(change=change), AAVE, market)


class Cut(PurgedKFold):
    """Folds of the splitter, changed by ``change``."""

    change: Callable[[Split], dict[str, Any]]

    def folds(self, t0: IntArray, t1: IntArray, edges: IntArray) -> tuple[Split, ...]:
        return tuple(replace(split, **self.change(split)) for split in super().folds(t0, t1, edges))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda split: {"train": np.union1d(split.train, split.test[:1])}, "Cut: train == event 0 in fold 0, must nei"),
        (lambda split: {"train": np.arange(split.test[-1] + 1, 100)}, "Cut: train == event 50 in fold 0, .* overlaps"),
        (lambda split: {"test": split.test[::-1]}, "Cut: test == other positions in fold 0, must rise within 0 to 99"),
        (lambda split: {"train": split.train + 100}, "Cut: train == other positions in fold 0"),
    ],
    ids=["tested", "overlaps", "falling", "outside"],
)
def test_folds_that_train_on_what_they_test_are_refused(change: Any, told: str) -> None:
    t0 = np.arange(100, dtype=np.int64)
    edges = np.array([0, 50, 100])
    assert len(splits_of(Cut(n_folds=2, embargo_bars=0, change=lambda split: {}), t0, t0 + 3, edges)) == 2
    with pytest.raises(PluginError, match=told):
        splits_of(Cut(n_folds=2, embargo_bars=0, change=change), t0, t0 + 3, edges)


class Bent(HardTarget):
    """Targets of the transform, changed by ``change``."""

    change: Callable[[Target], dict[str, Any]]

    def transform(self, context: FitContext) -> Target:
        target = super().transform(context)
        return replace(target, **self.change(target))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda target: {"y": target.y + 0.5}, "Bent: y == a label outside"),
        (lambda target: {"y": target.y * np.nan}, "Bent: y == a label outside"),
        (lambda target: {"weight": -target.weight}, "Bent: weight == a negative"),
        (lambda target: {"weight": target.weight[1:]}, r"Bent: weight == shape \(39,\), must be of shape \(40,\)"),
        (lambda target: {"keep": target.keep.astype(int)}, "Bent: keep == an array of int64, must be boolean"),
    ],
)
def test_targets_that_would_train_something_else_are_refused(change: Any, told: str) -> None:
    context = FitContext(planted_sample(40).sample, np.empty((0, 1), dtype=np.float32), LogisticLoss(), seed=1)
    with pytest.raises(PluginError, match=told):
        target_of(Bent(change=change), context)


class Answering(TargetTransform):
    """Any component, each of whose methods gives ``answer``."""

    answer: Any

    def transform(self, context: FitContext) -> Target:
        return self.answer


class AnsweringFeatures(TechnicalFeatures):
    answer: Any

    def compute(self, asset: Asset, market: Market) -> Features:
        return self.answer

    def needs(self, asset: Asset, universe: Universe) -> tuple[Asset, ...]:
        return self.answer


class AnsweringFolds(PurgedKFold):
    answer: Any

    def edges(self, start_ns: int, end_ns: int) -> IntArray:
        return self.answer

    def folds(self, t0: IntArray, t1: IntArray, edges: IntArray) -> tuple[Split, ...]:
        return self.answer


class AnsweringLabels(AtrBarrier):
    answer: Any

    def events(self, bars: Bars, native: Bars) -> Events:
        if self.answer == "break":
            raise KeyError("close")
        return self.answer


class AnsweringSource(SyntheticSource):
    answer: Any

    def read(self, asset: Asset) -> RawBars:
        return self.answer


class AnsweringRule(FixedThreshold):
    answer: Any

    def threshold(self, context: DecisionContext) -> float:
        return self.answer


ONES = [1.0] * 40
ROWS = np.arange(3)


def _targets(answer: Any) -> object:
    context = FitContext(planted_sample(40).sample, np.empty((0, 1), dtype=np.float32), LogisticLoss(), seed=1)
    return target_of(Answering(answer=answer), context)


def _folds(answer: Any) -> object:
    return splits_of(AnsweringFolds(answer=answer), ROWS, ROWS, np.array([0, 3]))


def _labels(answer: Any, market: Market) -> object:
    scheme = AnsweringLabels(stop_atr=0.5, target_atr=1.5, bar_hours=4, max_holding_bars=24, answer=answer)
    return events_of(scheme, market.label["AAVEUSDC"], market.native["AAVEUSDC"])


@pytest.mark.parametrize(
    ("ask", "answer", "told"),
    [
        (_targets, None, "Answering: transform == None, must give Target"),
        (_targets, (1, 2), "Answering: transform == a tuple, must give Target"),
        (_targets, Target(ONES, ONES, [True] * 40), "Answering: y == a list, must be an array of numbers"),
        (_targets, Target(np.array(["a"] * 40), *2 * [np.ones(40)]), "y == an array of <U1 of shape .40,., must be"),
        (_folds, None, "AnsweringFolds: folds == None, must give a tuple of one or more Split"),
        (_folds, (), "AnsweringFolds: folds == a tuple, must give a tuple of one or more Split"),
        (_folds, ((ROWS[:1], ROWS[1:]),), "AnsweringFolds: folds == a tuple, must give Split"),
        (_folds, (Split(0, [0], ROWS[1:], 0),), "train == a list, must be an array of integers"),
        (_folds, (Split(0, ROWS == 0, ROWS[1:], 0),), "train == an array of bool .*, must be an array of integers"),
        (_folds, (Split(0, ROWS[:1], ROWS[2:], 0),) * 2, r"fold == \[0, 0\], must be a number of its own each"),
        (lambda answer: edges_of(AnsweringFolds(answer=answer), 0, 9), [0, 9], "edges == a list, must give an array"),
        (lambda answer: edges_of(AnsweringFolds(answer=answer), 0, 9), ROWS[::-1], "edges == an earlier time"),
        (lambda answer: threshold_of(AnsweringRule(answer=answer), None), None, "threshold == None, must be a number"),
        (lambda answer: threshold_of(AnsweringRule(answer=answer), None), np.nan, "threshold == nan, must be a num"),
        (lambda answer: proba_of(XGBoostModel(), answer, 3), [0.5] * 3, "XGBoostModel: probabilities == a list, must"),
        (lambda answer: proba_of(XGBoostModel(), answer, 3), np.ones((3, 2)), r"shape \(3, 2\), must be an array"),
        (lambda answer: proba_of(XGBoostModel(), answer, 3), ROWS * 1.0, r"== 0 to 2, must be in \[0, 1\]: no logits"),
        (lambda answer: native_bars(AnsweringSource(answer=answer), AAVE), None, "read == None, must give RawBars"),
        (
            lambda answer: native_bars(AnsweringSource(answer=answer), AAVE),
            RawBars({}, "x"),
            "frame == a dict, must be a DataFrame",
        ),
        (
            lambda answer: needs_of(AnsweringFeatures(answer=answer), AAVE, None),
            ("BTC",),
            "needs == a tuple, must give",
        ),
    ],
)
def test_another_type_than_the_contract_says_is_told_by_name(ask: Any, answer: Any, told: str) -> None:
    with pytest.raises(PluginError, match=rf"{told}.* \((tests|ftfkit)\)$"):
        ask(answer)


def test_what_breaks_or_fits_no_bars_is_told_by_name(market: Market) -> None:
    with pytest.raises(PluginError, match=r"^AnsweringFeatures: compute == None, must give Features \(tests\)$"):
        features_of(AnsweringFeatures(answer=None), AAVE, market)
    with pytest.raises(PluginError, match="names == a str, must be a tuple of text"):
        features_of(AnsweringFeatures(answer=Features("ab", np.ones((9, 2), np.float32))), AAVE, market)
    with pytest.raises(PluginError, match=r"^AnsweringLabels: events == None, must give Events"):
        _labels(None, market)
    with pytest.raises(PluginError, match=r"^AnsweringLabels: events == no result, raised KeyError: 'close'"):
        _labels("break", market)
    short = Events(*[ROWS] * 4, *[ROWS % 2], *[ROWS[:2] * 1.0] * 2)
    with pytest.raises(PluginError, match=r"^AnsweringLabels: entry == shape \(2,\), must be of shape \(3,\)"):
        _labels(short, market)
    timed = Events(ROWS, ROWS, ROWS * 1.5, ROWS, ROWS, ROWS, ROWS)
    with pytest.raises(PluginError, match=r"t0 == an array of float64 of shape \(3,\), must be an array of integers"):
        _labels(timed, market)


def test_what_a_feature_set_is_handed_cannot_be_changed(market: Market) -> None:
    bars = market.label["AAVEUSDC"]
    with pytest.raises(TypeError):
        market.label["AAVEUSDC"] = bars  # type: ignore[index]
    with pytest.raises(ValueError, match="read-only"):
        bars.close[:] = 1.0
    assert not features_of(TechnicalFeatures(), AAVE, market).values.flags.writeable

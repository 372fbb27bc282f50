from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ftfkit.builtin.cv.purged_kfold import PurgedKFold
from ftfkit.builtin.data.synthetic import SyntheticSource
from ftfkit.builtin.features.technical import TechnicalFeatures
from ftfkit.builtin.labels.atr_barrier import AtrBarrier
from ftfkit.builtin.losses.logistic import LogisticLoss
from ftfkit.builtin.targets.hard import HardTarget
from ftfkit.components import FitContext
from ftfkit.errors import PluginError
from ftfkit.run.market import load_market
from ftfkit.run.payloads import events_of, features_of, splits_of, target_of
from ftfkit.testing.fits import planted_sample
from ftfkit.types import Asset, Bars, Events, Features, IntArray, Market, Split, Target, Universe

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


def test_what_a_feature_set_is_handed_cannot_be_changed(market: Market) -> None:
    bars = market.label["AAVEUSDC"]
    with pytest.raises(TypeError):
        market.label["AAVEUSDC"] = bars  # type: ignore[index]
    with pytest.raises(ValueError, match="read-only"):
        bars.close[:] = 1.0
    assert not features_of(TechnicalFeatures(), AAVE, market).values.flags.writeable

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ftfkit.builtin.data.synthetic import SyntheticSource
from ftfkit.builtin.features.technical import TechnicalFeatures
from ftfkit.builtin.labels.atr_barrier import AtrBarrier
from ftfkit.errors import PluginError
from ftfkit.run.market import load_market
from ftfkit.run.payloads import events_of, features_of
from ftfkit.types import Asset, Bars, Events, Features, Market, Universe

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


def test_what_a_feature_set_is_handed_cannot_be_changed(market: Market) -> None:
    bars = market.label["AAVEUSDC"]
    with pytest.raises(TypeError):
        market.label["AAVEUSDC"] = bars  # type: ignore[index]
    with pytest.raises(ValueError, match="read-only"):
        bars.close[:] = 1.0
    assert not features_of(TechnicalFeatures(), AAVE, market).values.flags.writeable

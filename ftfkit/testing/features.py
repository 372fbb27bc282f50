"""Conformance of feature sets: aligned, causal, restarted after gaps, deterministic."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest

from ftfkit.components import FeatureSet
from ftfkit.testing.conformance import Conformance
from ftfkit.testing.markets import (
    OWN,
    UNIVERSE,
    altered_after,
    market_of,
    market_up_to,
    masked,
    synthetic_bars,
    synthetic_market,
)
from ftfkit.types import HOUR_NS, Asset, Features, Market

OWN_GAP = (1200, 1290)  # native bars
OTHER_GAP = (1700, 1745)  # of every other asset that is declared


class FeatureSetConformance(Conformance):
    """Features of bar t are the same whether or not the future is there, and no window bridges a gap.

    Attributes
    ----------
    bar_hours : int
        Label bars that the features are computed on.
    """

    bar_hours: ClassVar[int] = 4

    def test_matrix_is_aligned_with_the_label_bars(self, component: FeatureSet) -> None:
        market = self._market(component)
        features = component.compute(OWN, market)
        assert features.values.shape == (len(market.label[OWN.name]), len(features.names))
        assert features.values.dtype == np.float32
        assert len(set(features.names)) == len(features.names) > 0

    def test_no_value_is_infinite_and_no_column_is_empty(self, component: FeatureSet) -> None:
        features = component.compute(OWN, self._market(component))
        assert not np.isinf(features.values).any()
        empty = [name for name, column in zip(features.names, features.values.T, strict=True) if np.isnan(column).all()]
        assert not empty

    @pytest.mark.parametrize("share", [0.25, 0.6, 0.95])
    @pytest.mark.parametrize("hours_later", [0, 1])
    def test_the_future_has_no_say(self, component: FeatureSet, share: float, hours_later: int) -> None:
        """Cut at the close of bar t, and an hour later when finer bars know more than the label bars do."""
        market = self._market(component)
        bars = market.label[OWN.name]
        moment = int(bars.close_time[int(share * len(bars))]) + hours_later * HOUR_NS
        known = component.compute(OWN, market_up_to(market, moment)).values
        full = component.compute(OWN, market).values
        _assert_close(known, full[: len(known)])

    @pytest.mark.parametrize("share", [0.25, 0.6, 0.95])
    def test_another_future_changes_no_bit(self, component: FeatureSet, share: float) -> None:
        """Bars keep their number and times, so that nothing but a look ahead can tell one future from another."""
        market = self._market(component)
        bars = market.label[OWN.name]
        moment = int(bars.close_time[int(share * len(bars))])
        n_known = int(np.searchsorted(bars.close_time, moment, side="right"))
        changed = {name: altered_after(native, moment) for name, native in market.native.items()}
        other = component.compute(OWN, market_of(changed, self.bar_hours)).values
        full = component.compute(OWN, market).values
        np.testing.assert_array_equal(other[:n_known], full[:n_known])

    def test_bars_before_a_gap_have_no_say_after_it(self, component: FeatureSet) -> None:
        market = self._market(component)
        bars, native = market.label[OWN.name], market.native[OWN.name]
        start = int(bars.open_time[bars.segments[-1].start])
        assert len(bars.segments) > 1
        alone = market_of({**market.native, OWN.name: masked(native, native.open_time >= start)}, self.bar_hours)
        after = component.compute(OWN, alone).values
        full = component.compute(OWN, market).values
        _assert_close(after, full[-len(after) :])

    def test_a_short_history_gives_rows_and_no_error(self, component: FeatureSet) -> None:
        market = self._market(component)
        moment = int(market.label[OWN.name].close_time[2])
        features = component.compute(OWN, market_up_to(market, moment))
        assert features.values.shape == (3, len(features.names))

    def test_declares_assets_and_reads_no_others(self, component: FeatureSet) -> None:
        needed = component.needs(OWN, UNIVERSE)
        assert all(isinstance(asset, Asset) for asset in needed)
        more = synthetic_bars(Asset("NEVERDECLARED", "USDT"))
        market = self._market(component)
        wider = market_of({**market.native, more.asset: more}, self.bar_hours)
        _assert_same(component.compute(OWN, market), component.compute(OWN, wider))

    def test_is_deterministic(self, component: FeatureSet) -> None:
        market = self._market(component)
        _assert_same(component.compute(OWN, market), component.compute(OWN, market))

    def _market(self, features: FeatureSet) -> Market:
        """Read-only bars, a gap in the asset's own and another one in every other asset's."""
        others = {asset.name: [OTHER_GAP] for asset in features.needs(OWN, UNIVERSE) if asset != OWN}
        return synthetic_market(features, bar_hours=self.bar_hours, gaps={**others, OWN.name: [OWN_GAP]})


def _assert_close(some: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> None:
    """Equal but for the rounding of sums that start elsewhere."""
    np.testing.assert_allclose(some, others, rtol=1e-5, atol=1e-6)


def _assert_same(one: Features, other: Features) -> None:
    assert one.names == other.names
    np.testing.assert_array_equal(one.values, other.values)

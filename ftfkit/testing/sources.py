"""Conformance of data sources: bars that pass the schema, the same ones each time, none past the hold-out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

import numpy as np
import pytest

from ftfkit.components import DataSource, RawBars
from ftfkit.errors import DataError
from ftfkit.run.market import native_bars
from ftfkit.testing.conformance import Conformance
from ftfkit.types import Asset


class DataSourceConformance(Conformance):
    """A source hands over raw bars that the core accepts.

    Attributes
    ----------
    assets : sequence of Asset
        Assets that every component under test has.
    missing : Asset or None
        One that it does not have; None where it can make up any.
    """

    assets: ClassVar[Sequence[Asset]] = (Asset("AAVE", "USDT"),)
    missing: ClassVar[Asset | None] = Asset("NOSUCHCOIN", "USDT")

    def test_bars_pass_the_schema(self, component: DataSource) -> None:
        for asset in self.assets:
            bars = native_bars(component, asset)
            assert len(bars) > 0
            assert bars.asset == asset.name
            assert bars.synthetic == component.synthetic

    def test_raw_bars_name_their_origin(self, component: DataSource) -> None:
        raw = component.read(self.assets[0])
        assert isinstance(raw, RawBars)
        assert raw.origin
        assert raw.bar_hours >= 1

    def test_reads_the_same_bars_again(self, component: DataSource) -> None:
        for asset in self.assets:
            assert native_bars(component, asset).sha256() == native_bars(component, asset).sha256()

    def test_assets_do_not_depend_on_what_was_read_before(self, component: DataSource) -> None:
        alone = native_bars(component, self.assets[-1]).sha256()
        for asset in reversed(self.assets):
            native_bars(component, asset)
        assert native_bars(component, self.assets[-1]).sha256() == alone

    def test_nothing_is_read_past_the_hold_out(self, component: DataSource) -> None:
        bars = native_bars(component, self.assets[0])
        middle = int(bars.close_time[len(bars) // 2])
        held_out = component.model_copy(update={"holdout_from": datetime.fromtimestamp(middle / 1e9, tz=UTC)})
        kept = native_bars(held_out, self.assets[0])
        assert kept.close_time[-1] <= middle
        np.testing.assert_array_equal(kept.close, bars.close[: len(kept)])

    def test_an_asset_it_does_not_have_is_refused_by_name(self, component: DataSource) -> None:
        if self.missing is None:
            pytest.skip("the source has every asset")
        with pytest.raises(DataError, match=self.missing.base):
            component.read(self.missing)

"""The feature set ``market_context``: another feature set, and what the market around the asset has done."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field, model_validator

from ftfkit.extending import Columns, ExtendedFeatureSet
from ftfkit.types import Asset, Market, Universe
from ftfkit_track01_market_context.alignment import Alignment, align
from ftfkit_track01_market_context.cross_section import cross_section_columns
from ftfkit_track01_market_context.leaders import leader_columns
from ftfkit_track01_market_context.series import Column


class MarketContextFeatures(ExtendedFeatureSet):
    """A base feature set with features of leader assets and, if asked for, of the universe's cross-section.

    Attributes
    ----------
    leaders : tuple of str
        Base names of the leader assets; the quote is the universe's. 18 columns each, ``btc_*``.
    cross_section : bool
        Whether to add the 22 columns ``cross_*`` of the universe's assets.
    short_bars, medium_bars, long_bars : int
        Windows in label bars; strictly increasing.
    max_age_bars : int
        How many label bars before the own close another asset's bar may have closed and still count.
    min_assets : int
        Assets of the cross-section, the own one included, that must be known.

    Notes
    -----
    Another asset's label bar counts from its close on, whatever its clock; one that is older than ``max_age_bars`` is
    NaN. Windows lie inside one gap-free segment of the asset they describe, and those over pairs of returns inside a
    stretch in which both assets moved on bar by bar. Returns are logarithmic. Where the universe holds fewer than
    ``min_assets`` assets, the columns of the cross-section are NaN; where the asset is itself a leader, that leader's
    columns compare it with itself.
    """

    leaders: tuple[str, ...] = ("BTC", "ETH")
    cross_section: bool = False
    short_bars: int = Field(default=6, ge=2)
    medium_bars: int = Field(default=24, ge=2)
    long_bars: int = Field(default=96, ge=2)
    max_age_bars: int = Field(default=1, ge=0)
    min_assets: int = Field(default=2, ge=2)

    @model_validator(mode="after")
    def _adds_something_once(self) -> MarketContextFeatures:
        if not self.short_bars < self.medium_bars < self.long_bars:
            raise ValueError("windows must increase: short_bars < medium_bars < long_bars")
        if len(set(self.leaders)) != len(self.leaders):
            raise ValueError("leaders must not repeat")
        if not self.leaders and not self.cross_section:
            raise ValueError("leaders must name an asset where cross_section is false")
        return self

    def needs(self, asset: Asset, universe: Universe) -> tuple[Asset, ...]:
        wanted = [*super().needs(asset, universe), *self._leader_assets(universe)]
        if self.cross_section:
            wanted += universe.assets
        return tuple(other for other in dict.fromkeys(wanted) if other != asset)

    def added(self, asset: Asset, market: Market) -> Columns:
        return dict(self._columns(asset, market))

    def _leader_assets(self, universe: Universe) -> tuple[Asset, ...]:
        return tuple(universe.named(base) for base in self.leaders)

    def _columns(self, asset: Asset, market: Market) -> Iterator[tuple[str, Column]]:
        own = market.label[asset.name]
        windows = (self.short_bars, self.medium_bars, self.long_bars)
        for leader in self._leader_assets(market.universe):
            columns = leader_columns(own, self._aligned(asset, leader, market), windows)
            yield from ((f"{leader.base.lower()}_{name}", column) for name, column in columns.items())
        if self.cross_section:
            others = [self._aligned(asset, other, market) for other in market.universe.assets if other != asset]
            columns = cross_section_columns(own, others, (1, *windows), windows[1:], self.min_assets)
            yield from ((f"cross_{name}", column) for name, column in columns.items())

    def _aligned(self, asset: Asset, other: Asset, market: Market) -> Alignment:
        return align(market.label[asset.name], market.label[other.name], self.max_age_bars)

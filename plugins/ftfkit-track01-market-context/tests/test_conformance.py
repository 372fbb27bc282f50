"""ftfkit's own suite for feature sets."""

from __future__ import annotations

from ftfkit_track01_market_context.market_context import MarketContextFeatures

from ftfkit.testing import FeatureSetConformance


class TestMarketContext(FeatureSetConformance):
    components = (
        MarketContextFeatures(),
        MarketContextFeatures(cross_section=True),
        MarketContextFeatures(leaders=("BTC",), short_bars=4, medium_bars=12, long_bars=40),
    )

"""Market context on real bars, the leaders from the folder that alone has them."""

from __future__ import annotations

import numpy as np
import pytest

import ftfkit
from ftfkit.run.market import load_market, native_bars
from ftfkit.types import Features


@pytest.fixture(scope="module")
def computed(shared) -> dict[str, Features]:
    """Features of AAVE by variant, as a cell computes them."""
    folders = ",".join(str(shared / "data" / name) for name in ("spot_1h_2024", "spot_1h_long"))
    overrides = ("data=parquet", f"data.path=[{folders}]", "universe.quote=USDT")
    experiment = ftfkit.compose("track=01_market_context", *overrides)
    asset = experiment.universe.assets[0]
    features = {}
    for variant in experiment.all_variants:
        spec = variant.spec
        end_ns = int(native_bars(spec.data, asset).close_time[-1])
        market = load_market(spec.data, spec.features, experiment.universe, asset, spec.label.bar_hours, end_ns)
        features[variant.name] = spec.features.compute(asset, market)
    return features


def test_variants_nest_so_that_their_difference_is_the_block_they_add(computed):
    champion, leaders, both = (computed[name] for name in ("technical", "leaders", "leaders_and_cross_section"))
    for smaller, larger in ((champion, leaders), (leaders, both)):
        n = len(smaller.names)
        assert larger.names[:n] == smaller.names
        np.testing.assert_array_equal(larger.values[:, :n], smaller.values)


def test_leaders_with_a_longer_history_are_known_from_the_first_bar(computed):
    both = computed["leaders_and_cross_section"]
    column = dict(zip(both.names, both.values.T, strict=True))
    assert np.isfinite(column["btc_return_96"]).all()
    assert np.isfinite(both.values[97:]).all()


def test_values_are_of_a_plausible_size(computed):
    both = computed["leaders_and_cross_section"]
    column = {name: values[97:] for name, values in zip(both.names, both.values.T, strict=True)}
    assert 0.5 < column["btc_correlation_96"].mean() < 0.9
    assert 0.7 < column["eth_beta_96"].mean() < 1.5
    assert 0.3 < column["cross_rank_1"].mean() < 0.7
    assert 0.4 < column["btc_volatility_24"].mean() * np.sqrt(365 * 24 / 4) < 0.6  # a year

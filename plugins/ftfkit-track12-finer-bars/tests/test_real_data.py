"""Finer bars on real hourly bars, gaps included."""

from __future__ import annotations

import numpy as np
import pytest

import ftfkit
from ftfkit.run.market import load_market, native_bars
from ftfkit.types import Bars, Features


@pytest.fixture(scope="module", params=["spot_1h_2024", "spot_1h_long"])
def computed(shared, request) -> tuple[dict[str, Features], Bars]:
    """Features of AAVE by variant, as a cell computes them, and its label bars."""
    overrides = ("data=parquet", f"data.path={shared / 'data' / request.param}", "universe.quote=USDT")
    experiment = ftfkit.compose("track=12_finer_bars", *overrides)
    asset = experiment.universe.assets[0]
    features = {}
    for variant in experiment.all_variants:
        spec = variant.spec
        end_ns = int(native_bars(spec.data, asset).close_time[-1])
        market = load_market(spec.data, spec.features, experiment.universe, asset, spec.label.bar_hours, end_ns)
        features[variant.name] = spec.features.compute(asset, market)
    return features, market.label[asset.name]


def test_variants_nest_so_that_their_difference_is_the_block_they_add(computed):
    champion, inside, rolling = (computed[0][name] for name in ("technical", "inside", "inside_and_rolling"))
    for smaller, larger in ((champion, inside), (inside, rolling)):
        n = len(smaller.names)
        assert larger.names[:n] == smaller.names
        np.testing.assert_array_equal(larger.values[:, :n], smaller.values)


def test_every_window_that_is_full_is_known(computed):
    features, label = computed
    rolling = features["inside_and_rolling"]
    finer = [name.startswith("finer_") for name in rolling.names]
    for rows in label.segments:
        assert np.isfinite(rolling.values[rows][23:, finer]).all()


def test_measures_lie_where_they_must(computed):
    rolling = computed[0]["inside_and_rolling"]
    column = dict(zip(rolling.names, rolling.values.T, strict=True))
    for suffix in ("", "_6", "_24"):
        for name in ("downside_share", "jump_share", "path_efficiency", "volume_concentration", "last_volume_share"):
            values = column[f"finer_{name}{suffix}"]
            assert 0 <= np.nanmin(values) <= np.nanmax(values) <= 1
    assert np.nanmax(column["finer_skew"]) <= 2  # the bound of four returns
    assert 0.4 < np.nanmean(column["finer_downside_share"]) < 0.6
    assert 0.6 < np.nanmean(column["finer_volatility"]) * np.sqrt(365 * 24 / 4) < 1.5  # a year

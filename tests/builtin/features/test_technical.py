"""Technical features: causal to the last bit, no window across a gap, free of scale, right against pandas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from ftfkit.builtin.features.technical import TechnicalFeatures
from ftfkit.types import BAR_COLUMNS, HOUR_NS, Asset, Bars, DataQuality, Features, Market, Universe

ASSET = Asset("TEST", "USDT")
UNIVERSE = Universe("test", (ASSET,), "USDT")
WITH_GAPS = ["spot_1h_long/AAVE", "spot_1h_long/BTC"]


def features_of(bars: Bars, **parameters: int) -> Features:
    market = Market(UNIVERSE, {}, {ASSET.name: bars})
    return TechnicalFeatures.model_validate(parameters).compute(ASSET, market)


def table(bars: Bars) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Features by name, and the bars."""
    features = features_of(bars)
    return pd.DataFrame(features.values, columns=list(features.names)), pd.DataFrame(
        {name: getattr(bars, name) for name in BAR_COLUMNS}
    )


def flat_bars(n: int, volume: float = 1.0) -> Bars:
    price, time = np.full(n, 100.0), np.arange(n, dtype=np.int64) * 4 * HOUR_NS
    return Bars("TEST", 4, time, price, price, price, price, np.full(n, volume), DataQuality("test", n))


def test_about_forty_float32_columns_aligned_with_the_bars(real_bars):
    bars, _ = real_bars("spot_1h_2024/AAVE", 4)
    features = features_of(bars)
    assert features.values.dtype == np.float32
    assert features.values.shape == (len(bars), len(features.names))
    assert 38 <= len(set(features.names)) == len(features.names) <= 46


@pytest.mark.parametrize("pair", ["spot_1h_2024/AAVE", *WITH_GAPS])
def test_cutting_the_future_changes_no_past_value(real_bars, pair):
    bars, _ = real_bars(pair, 4)
    full = features_of(bars)
    after_gaps = [rows.start + extra for rows in bars.segments[1:4] for extra in (1, 40)]
    for n_bars in [1, 2, 30, *after_gaps, *np.random.default_rng(0).integers(100, len(bars), 8).tolist()]:
        cut = features_of(bars.take(slice(0, n_bars)))
        assert cut.names == full.names
        np.testing.assert_array_equal(cut.values, full.values[:n_bars])


@pytest.mark.parametrize("pair", WITH_GAPS)
def test_nothing_before_a_gap_is_known_after_it(real_bars, pair):
    bars, _ = real_bars(pair, 4)
    assert len(bars.segments) > 5
    full = features_of(bars).values
    for rows in bars.segments:
        np.testing.assert_array_equal(full[rows], features_of(bars.take(rows)).values)


def test_values_are_nan_until_their_windows_are_full_and_finite_from_then_on(real_bars):
    bars, _ = real_bars("spot_1h_2024/AAVE", 4)
    values, _ = table(bars)
    first = values.apply(lambda column: int(column.first_valid_index()))
    expected = {"return_1": 1, "return_96": 96, "volatility_24": 24, "channel_96": 95, "rsi_14": 14, "natr_14": 14}
    assert first[list(expected)].to_dict() == expected
    assert first.max() == 96
    assert np.isfinite(values.iloc[96:].to_numpy()).all()


def test_values_equal_their_formulas_in_pandas(real_bars):
    values, bars = table(real_bars("spot_1h_2024/UNI", 4)[0])
    step = np.log(bars["close"]).diff()
    low, high = bars["low"].rolling(24).min(), bars["high"].rolling(24).max()
    volume = bars["volume"].rolling(24)
    location = (2 * bars["close"] - bars["high"] - bars["low"]) / (bars["high"] - bars["low"])
    parkinson = (np.log(bars["high"] / bars["low"]) ** 2).rolling(24).mean() / (4 * np.log(2))
    expected = {
        "return_24": np.log(bars["close"]).diff(24),
        "volatility_24": step.rolling(24).std(ddof=0),
        "sharpe_24": step.rolling(24).mean() / step.rolling(24).std(ddof=0),
        "volatility_ratio_24_96": step.rolling(24).std(ddof=0) / step.rolling(96).std(ddof=0),
        "parkinson_24": np.sqrt(parkinson),
        "channel_24": (bars["close"] - low) / (high - low),
        "drawdown_96": np.log(bars["close"] / bars["high"].rolling(96).max()),
        "body": (bars["close"] - bars["open"]) / (bars["high"] - bars["low"]),
        "volume_ratio_24": np.log(bars["volume"] / volume.mean()),
        "accumulation_24": (location * bars["volume"]).rolling(24).sum() / volume.sum(),
        "signed_volume_24": (np.sign(step) * bars["volume"]).rolling(24).sum() / volume.sum(),
        "return_volume_correlation_24": step.rolling(24).corr(bars["volume"]),
    }
    for name, column in expected.items():
        np.testing.assert_allclose(values[name], column, rtol=2e-4, atol=1e-6, err_msg=name)


def test_calendar_is_that_of_the_close():
    values, _ = table(flat_bars(3))
    for row, hour in enumerate((4, 8, 12)):  # of 1970-01-01, where the weekly phase is 0 at midnight
        expected = [f(2 * np.pi * hour / period) for period in (24, 168) for f in (np.sin, np.cos)]
        np.testing.assert_allclose(values.loc[row, "hour_sin":"weekday_cos"], expected, atol=1e-6)


@pytest.mark.parametrize("factor", [{"price": 1024.0, "volume": 1.0}, {"price": 1.0, "volume": 2.0**-20}])
def test_the_unit_of_price_or_volume_changes_nothing(real_bars, factor):
    bars, _ = real_bars("spot_1h_2024/ARB", 4)
    prices = {name: getattr(bars, name) * factor["price"] for name in BAR_COLUMNS[:4]}
    scaled = replace(bars, **prices, volume=bars.volume * factor["volume"])
    np.testing.assert_allclose(features_of(scaled).values, features_of(bars).values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bars", [flat_bars(0), flat_bars(1), flat_bars(150), flat_bars(150, volume=0.0)])
def test_dead_and_short_markets_give_nan_and_never_infinity(bars):
    features = features_of(bars)
    assert features.values.shape == (len(bars), len(features.names))
    assert not np.isinf(features.values).any()


def test_a_window_without_volume_is_nan_however_large_the_volume_before():
    bars = flat_bars(200)
    volume = np.where(np.arange(200) < 100, 1e9 / 3, 0.0)
    values, _ = table(replace(bars, volume=volume))
    names = ["volume_ratio_24", "accumulation_24", "signed_volume_24"]
    assert values.loc[99, names].notna().all()
    assert values.loc[124:, names].isna().all(axis=None)


def test_windows_are_parameters_and_name_their_columns(real_bars):
    bars, _ = real_bars("spot_1h_2024/AAVE", 4)
    names = features_of(bars, short_bars=5, medium_bars=10, long_bars=20, indicator_bars=7).names
    assert {"return_10", "volatility_ratio_10_20", "rsi_5", "rsi_7"} <= set(names)


@pytest.mark.parametrize("broken", [{"short_bars": 24}, {"long_bars": 24}, {"indicator_bars": 1}, {"windows": 3}])
def test_parameters_are_checked(broken):
    with pytest.raises(ValidationError):
        TechnicalFeatures.model_validate(broken)

"""Technical features: returns, volatility, ranges, trend, oscillators, volume and calendar, all free of scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import talib
from pydantic import Field, model_validator

from ftfkit.components import FeatureSet
from ftfkit.types import BAR_COLUMNS, HOUR_NS, Asset, Bars, Features, IntArray, Market

Column = npt.NDArray[np.float64]
Columns = Mapping[str, Column]


class TechnicalFeatures(FeatureSet):
    """About 40 features of the asset's own label bars, comparable over time and across assets.

    Attributes
    ----------
    short_bars, medium_bars, long_bars : int
        Windows of returns, volatility, channels, trend and volume; strictly increasing.
    indicator_bars : int
        Length of the classic indicators (ATR, ADX, RSI, stochastics, CCI, money flow index).

    Notes
    -----
    Prices enter as ratios or in units of ATR, volume relative to its own mean. Every gap-free segment is computed by
    itself, so that no window bridges a gap; recursive indicators (Wilder, EMA) remember back to the segment's start.
    NaN stands where a window is not full and where a ratio is undefined, as in a window without volume.
    Calendar features are those of the bar's close, the time of the decision.
    """

    short_bars: int = Field(default=6, ge=2)
    medium_bars: int = Field(default=24, ge=2)
    long_bars: int = Field(default=96, ge=2)
    indicator_bars: int = Field(default=14, ge=2)

    @model_validator(mode="after")
    def _windows_increase(self) -> TechnicalFeatures:
        if not self.short_bars < self.medium_bars < self.long_bars:
            raise ValueError("windows must increase: short_bars < medium_bars < long_bars")
        return self

    def compute(self, asset: Asset, market: Market) -> Features:
        bars = market.label[asset.name]
        segments = bars.segments or (slice(0, 0),)
        blocks = [self._columns(bars.take(rows)) for rows in segments]
        values = np.concatenate([np.column_stack(list(block.values())) for block in blocks]).astype(np.float32)
        values[~np.isfinite(values)] = np.nan
        return Features(tuple(blocks[0]), values)

    def _columns(self, segment: Bars) -> Columns:
        window = _Windows(self.short_bars, self.medium_bars, self.long_bars, self.indicator_bars)
        bars = _Segment(*(np.asarray(getattr(segment, name), dtype=np.float64) for name in BAR_COLUMNS))
        with np.errstate(divide="ignore", invalid="ignore"):
            return {
                **_returns(bars, window),
                **_volatility(bars, window),
                **_bar_shape(bars),
                **_channels(bars, window),
                **_trend(bars, window),
                **_oscillators(bars, window),
                **_volume(bars, window),
                **_calendar(segment.close_time),
            }


class _Windows(NamedTuple):
    short: int
    medium: int
    long: int
    indicator: int


class _Segment(NamedTuple):
    """One gap-free run of bars, float64 as TA-Lib wants it."""

    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column

    @property
    def ohlc(self) -> tuple[Column, Column, Column, Column]:
        return self.open, self.high, self.low, self.close

    @property
    def hlc(self) -> tuple[Column, Column, Column]:
        return self.high, self.low, self.close


def _log_return(close: Column, lag: int) -> Column:
    return np.log(talib.ROCR(close, lag))


def _returns(bars: _Segment, window: _Windows) -> Columns:
    step = _log_return(bars.close, 1)
    lags = (1, 3, window.short, window.medium, window.long)
    return {
        **{f"return_{lag}": _log_return(bars.close, lag) for lag in lags},
        **{f"sharpe_{n}": talib.SMA(step, n) / talib.STDDEV(step, n) for n in (window.medium, window.long)},
    }


def _volatility(bars: _Segment, window: _Windows) -> Columns:
    step = _log_return(bars.close, 1)
    short, medium, long = (talib.STDDEV(step, n) for n in (window.short, window.medium, window.long))
    squared_range = np.log(bars.high / bars.low) ** 2
    return {
        f"volatility_{window.short}": short,
        f"volatility_{window.medium}": medium,
        f"volatility_{window.long}": long,
        f"volatility_ratio_{window.short}_{window.medium}": short / medium,
        f"volatility_ratio_{window.medium}_{window.long}": medium / long,
        f"parkinson_{window.medium}": np.sqrt(talib.SMA(squared_range, window.medium) / (4 * np.log(2))),
        f"natr_{window.indicator}": talib.NATR(*bars.hlc, window.indicator) / 100,
        f"true_range_{window.indicator}": talib.TRANGE(*bars.hlc) / talib.ATR(*bars.hlc, window.indicator),
    }


def _bar_shape(bars: _Segment) -> Columns:
    extent = bars.high - bars.low
    return {
        "body": talib.BOP(*bars.ohlc),
        "upper_wick": (bars.high - np.maximum(bars.open, bars.close)) / extent,
        "lower_wick": (np.minimum(bars.open, bars.close) - bars.low) / extent,
    }


def _channels(bars: _Segment, window: _Windows) -> Columns:
    upper, middle, lower = talib.BBANDS(bars.close, window.medium)
    return {
        **{f"channel_{n}": _channel(bars, n) for n in (window.medium, window.long)},
        f"drawdown_{window.long}": np.log(bars.close / talib.MAX(bars.high, window.long)),
        f"band_position_{window.medium}": (bars.close - lower) / (upper - lower),
        f"band_width_{window.medium}": (upper - lower) / middle,
    }


def _channel(bars: _Segment, n: int) -> Column:
    """Where the close stands between the lowest low (0) and the highest high (1) of ``n`` bars."""
    lowest = talib.MIN(bars.low, n)
    return np.asarray((bars.close - lowest) / (talib.MAX(bars.high, n) - lowest))


def _trend(bars: _Segment, window: _Windows) -> Columns:
    atr = talib.ATR(*bars.hlc, window.indicator)
    plus, minus = talib.PLUS_DI(*bars.hlc, window.indicator), talib.MINUS_DI(*bars.hlc, window.indicator)
    _, _, histogram = talib.MACD(bars.close)
    return {
        **{f"ema_gap_{n}": (bars.close - talib.EMA(bars.close, n)) / atr for n in (window.medium, window.long)},
        "macd": histogram / atr,
        f"adx_{window.indicator}": talib.ADX(*bars.hlc, window.indicator) / 100,
        f"directional_{window.indicator}": (plus - minus) / 100,
        f"slope_{window.medium}": talib.LINEARREG_SLOPE(bars.close, window.medium) / atr,
        f"aroon_{window.medium}": talib.AROONOSC(bars.high, bars.low, window.medium) / 100,
    }


def _oscillators(bars: _Segment, window: _Windows) -> Columns:
    n = window.indicator
    stochastic, _ = talib.STOCH(*bars.hlc, fastk_period=n)
    return {
        f"rsi_{window.short}": talib.RSI(bars.close, window.short) / 100,
        f"rsi_{n}": talib.RSI(bars.close, n) / 100,
        f"stochastic_{n}": stochastic / 100,
        f"cci_{n}": talib.CCI(*bars.hlc, n) / 100,
        f"money_flow_index_{n}": talib.MFI(*bars.hlc, bars.volume, n) / 100,
    }


def _volume(bars: _Segment, window: _Windows) -> Columns:
    n = window.medium
    step = _log_return(bars.close, 1)
    extent = bars.high - bars.low
    location = np.where(extent > 0, (2 * bars.close - bars.high - bars.low) / extent, 0.0)
    mean = _mean_volume(bars.volume, n)
    return {
        f"volume_ratio_{n}": np.log(bars.volume / mean),
        f"volume_trend_{window.short}_{window.long}": np.log(
            _mean_volume(bars.volume, window.short) / _mean_volume(bars.volume, window.long)
        ),
        f"accumulation_{n}": talib.SMA(location * bars.volume, n) / mean,
        f"signed_volume_{n}": talib.SMA(np.sign(step) * bars.volume, n) / mean,
        f"return_volume_correlation_{n}": talib.CORREL(step, bars.volume, n),
    }


def _mean_volume(volume: Column, n: int) -> Column:
    """Moving mean; NaN in a window without volume, where TA-Lib's running sum leaves a rounding residue."""
    return np.where(talib.MAX(volume, n) > 0, talib.SMA(volume, n), np.nan)


def _calendar(close_time: IntArray) -> Columns:
    day, week = (2 * np.pi * (close_time % period) / period for period in (24 * HOUR_NS, 168 * HOUR_NS))
    return {"hour_sin": np.sin(day), "hour_cos": np.cos(day), "weekday_sin": np.sin(week), "weekday_cos": np.cos(week)}

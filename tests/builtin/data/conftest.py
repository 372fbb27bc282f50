"""Bars in files, as users have them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ftfkit.builtin.data.synthetic import SyntheticSource
from ftfkit.types import BAR_COLUMNS, Asset, Bars


@pytest.fixture
def frame() -> pd.DataFrame:
    """Five days of hourly bars from 2024-12-30, across the day on which dumps turn from ms to us."""
    source = SyntheticSource(days=5, start="2024-12-30")
    return source.read(Asset("AAVE", "USDT")).frame.round(dict.fromkeys(BAR_COLUMNS, 4))


@pytest.fixture
def assert_same_bars() -> Callable[[Bars, pd.DataFrame], None]:
    """Fails unless the bars hold the very values of the frame."""

    def check(bars: Bars, frame: pd.DataFrame) -> None:
        np.testing.assert_array_equal(bars.open_time, frame["timestamp"].astype("int64"))
        for name in BAR_COLUMNS:
            np.testing.assert_array_equal(getattr(bars, name), frame[name])

    return check


@pytest.fixture
def kline_text(frame: pd.DataFrame) -> Callable[..., str]:
    """Text of a kline dump of some rows of ``frame``, open times in ``unit``, with or without a header line."""

    def text(rows: slice, unit: str = "ms", header: bool = False) -> str:
        part = frame.iloc[rows]
        ticks = part["timestamp"].dt.as_unit(unit).astype("int64").to_numpy()
        hour = int(pd.Timedelta(hours=1) / pd.Timedelta(1, unit=unit))
        klines = pd.DataFrame({"open_time": ticks})
        klines[["open", "high", "low", "close", "volume"]] = part.drop(columns="timestamp").to_numpy()
        klines["close_time"] = ticks + hour - 1
        for name in ("quote_volume", "count", "taker_buy_volume", "taker_buy_quote_volume", "ignore"):
            klines[name] = np.zeros(len(part), dtype=int)
        return klines.to_csv(index=False, header=header)

    return text

"""Markets for the tests: seeded ones with gaps and clocks of their own, and the shared real data."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from ftfkit.types import HOUR_NS, Asset, Bars, DataQuality, Market, Universe

MakeBars = Callable[..., Bars]
UNIVERSE = Universe("test", tuple(Asset(base, "USDT") for base in ("AAVE", "ARB", "LDO", "OP", "UNI")), "USDT")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with the shared market data; skips where it is absent."""
    default = Path(__file__).resolve().parents[4] / "shared"
    folder = Path(os.environ.get("FTFKIT_SHARED", default))
    if not (folder / "data").is_dir():
        pytest.skip(f"shared data not found at {folder}; set FTFKIT_SHARED")
    return folder


@pytest.fixture(scope="session")
def make_bars() -> MakeBars:
    """Random-walk bars; ``start_hour`` shifts the clock, ``missing`` bars are left out."""

    def make(asset: str, n: int = 400, seed: int = 0, start_hour: int = 0, missing: Iterable[int] = ()) -> Bars:
        rng = np.random.default_rng([seed, *asset.encode()])
        close = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal(n)))
        opened = np.concatenate([[100.0], close[:-1]])
        high, low = np.maximum(opened, close) * 1.004, np.minimum(opened, close) * 0.997
        time = (np.arange(n, dtype=np.int64) * 4 + start_hour) * HOUR_NS
        keep = np.setdiff1d(np.arange(n), list(missing))
        columns = (column[keep] for column in (time, opened, high, low, close, rng.exponential(5.0, n)))
        return Bars(asset, 4, *columns, quality=DataQuality("test", len(keep)))

    return make


@pytest.fixture(scope="session")
def ragged_market(make_bars: MakeBars) -> Market:
    """Five assets and two leaders with gaps of their own; UNI and ETH keep other clocks, OP is listed late."""
    label = {
        "AAVEUSDT": make_bars("AAVEUSDT", missing=[57, 58, 59, 203]),
        "ARBUSDT": make_bars("ARBUSDT", missing=[111, 300, 301]),
        "LDOUSDT": make_bars("LDOUSDT"),
        "OPUSDT": make_bars("OPUSDT", missing=range(150)),
        "UNIUSDT": make_bars("UNIUSDT", start_hour=1, missing=[260]),
        "BTCUSDT": make_bars("BTCUSDT", missing=[90, 180, 181, 182, 330]),
        "ETHUSDT": make_bars("ETHUSDT", start_hour=3, missing=[220, 221]),
    }
    return Market(UNIVERSE, {}, label)

"""Markets for the tests: a seeded one with gaps, and the shared real data."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from ftfkit.run.market import resample
from ftfkit.types import HOUR_NS, Asset, Bars, DataQuality, Market, Universe

MakeMarket = Callable[..., Market]
OWN = Asset("AAVE", "USDT")
UNIVERSE = Universe("test", (OWN,), "USDT")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with the shared market data; skips where it is absent."""
    default = Path(__file__).resolve().parents[4] / "shared"
    folder = Path(os.environ.get("FTFKIT_SHARED", default))
    if not (folder / "data").is_dir():
        pytest.skip(f"shared data not found at {folder}; set FTFKIT_SHARED")
    return folder


@pytest.fixture(scope="session")
def make_market() -> MakeMarket:
    """Random-walk market of ``n`` hours; ``missing`` native bars are left out, label bars gathered as a run does."""

    def make(n: int = 1600, missing: Iterable[int] = (), label_hours: int = 4, seed: int = 0) -> Market:
        rng = np.random.default_rng(seed)
        close = 100 * np.exp(np.cumsum(0.005 * rng.standard_normal(n)))
        opened = np.concatenate([[100.0], close[:-1]]) * np.exp(0.0005 * rng.standard_normal(n))
        high = np.maximum(opened, close) * np.exp(rng.exponential(0.002, n))
        low = np.minimum(opened, close) * np.exp(-rng.exponential(0.002, n))
        time = np.arange(n, dtype=np.int64) * HOUR_NS
        keep = np.setdiff1d(np.arange(n), list(missing))
        columns = (column[keep] for column in (time, opened, high, low, close, rng.exponential(5.0, n)))
        native = Bars(OWN.name, 1, *columns, quality=DataQuality("test", len(keep)))
        return Market(UNIVERSE, {OWN.name: native}, {OWN.name: resample(native, label_hours)})

    return make


@pytest.fixture(scope="session")
def gappy_market(make_market: MakeMarket) -> Market:
    """One bar missing here, half a label bar there, and a hole of two days."""
    return make_market(missing=[201, *range(446, 450), *range(900, 948), 1300])

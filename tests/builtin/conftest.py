"""Real bars for the tests of built-ins, gathered in plain pandas so that they share no code with ftfkit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ftfkit.types import BAR_COLUMNS, Bars, DataQuality

RealBars = Callable[[str, int], tuple[Bars, Bars]]


@pytest.fixture(scope="session")
def real_bars(shared: Path) -> RealBars:
    """Label bars of so many hours, and native bars, of one file of the shared data (``spot_1h_2024/AAVE``)."""

    @cache
    def load(pair: str, bar_hours: int) -> tuple[Bars, Bars]:
        native = pd.read_parquet(shared / "data" / f"{pair}USDT_1h.parquet")
        return _gathered(native, bar_hours), _as_bars(native, 1)

    return load


def _as_bars(frame: pd.DataFrame, bar_hours: int) -> Bars:
    columns = {name: frame[name].to_numpy(dtype=np.float64) for name in BAR_COLUMNS}
    time = frame["timestamp"].astype("datetime64[ns, UTC]").astype("int64").to_numpy()
    return Bars("TEST", bar_hours, time, **columns, quality=DataQuality("test", len(frame)))


def _gathered(native: pd.DataFrame, bar_hours: int) -> Bars:
    """Label bars of ``bar_hours``; a label bar that lacks one of its hours is dropped."""
    groups = native.groupby(native["timestamp"].dt.floor(f"{bar_hours}h"))
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    table = groups[list(how)].agg(how)
    return _as_bars(table[groups.size() == bar_hours].reset_index(), bar_hours)

"""Label bars, common period, market and fingerprints."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ftfkit.builtin.data.parquet import ParquetSource
from ftfkit.builtin.data.synthetic import SyntheticSource
from ftfkit.components import FeatureSet
from ftfkit.errors import ConfigError, DataError
from ftfkit.run.market import common_period, fingerprints, load_market, native_bars, resample
from ftfkit.types import BAR_COLUMNS, HOUR_NS, Asset, Bars, Features, Market, Universe

BASES = ("AAVE", "ARB")
UNIVERSE = Universe("demo", tuple(Asset(base, "USDT") for base in BASES), "USDT")
AAVE = UNIVERSE.assets[0]
DAY_NS = 24 * HOUR_NS


class OwnBars(FeatureSet):
    """Needs the asset alone."""

    def compute(self, asset: Asset, market: Market) -> Features:
        return Features(("close",), market.label[asset.name].close.astype(np.float32)[:, None])


class LeaderBars(OwnBars):
    """Needs a leader outside the universe, and names the asset itself again."""

    def needs(self, asset: Asset, universe: Universe) -> tuple[Asset, ...]:
        return (universe.named("BTC"), asset)


def select(bars: Bars, rows: list[int]) -> Bars:
    cut = {name: getattr(bars, name)[rows] for name in ("open_time", *BAR_COLUMNS)}
    return replace(bars, **cut)


def ns(text: str) -> int:
    return int(pd.Timestamp(text, tz="UTC").as_unit("ns").value)


def oracle(bars: Bars, hours: int) -> list[tuple[int, float, float, float, float, float]]:
    """Label bars by a dictionary of midnight-anchored slots, one native bar at a time."""
    slots: dict[int, list[int]] = {}
    for row, time in enumerate(bars.open_time.tolist()):
        midnight = time - time % DAY_NS
        slots.setdefault(midnight + (time - midnight) // (hours * HOUR_NS) * hours * HOUR_NS, []).append(row)
    return [
        (
            start,
            float(bars.open[rows[0]]),
            max(bars.high[rows].tolist()),
            min(bars.low[rows].tolist()),
            float(bars.close[rows[-1]]),
            sum(bars.volume[rows].tolist()),
        )
        for start, rows in slots.items()
        if len(rows) * bars.bar_hours == hours
    ]


def assert_equals_oracle(bars: Bars, hours: int) -> None:
    label, expected = resample(bars, hours), oracle(bars, hours)
    assert label.open_time.tolist() == [row[0] for row in expected]
    for position, name in enumerate(("open", "high", "low", "close"), start=1):
        assert getattr(label, name).tolist() == [row[position] for row in expected]
    np.testing.assert_allclose(label.volume, [row[5] for row in expected], rtol=1e-12)
    assert label.bar_hours == hours
    n_slots = (bars.open_time[-1] // (hours * HOUR_NS)) - (bars.open_time[0] // (hours * HOUR_NS)) + 1
    assert label.quality.n_label_dropped == n_slots - len(expected)


@pytest.mark.parametrize("hours", [1, 2, 3, 4, 6, 8, 12, 24])
@pytest.mark.parametrize("seed", [0, 1])
def test_label_bars_equal_the_oracle_on_ragged_bars(hours: int, seed: int) -> None:
    bars = native_bars(SyntheticSource(days=60, seed=seed), AAVE)
    kept = np.random.default_rng(seed).random(len(bars)) > 0.02
    kept[500:560] = False
    kept[:3] = False
    assert_equals_oracle(select(bars, np.flatnonzero(kept).tolist()), hours)


@pytest.mark.parametrize("base", ["AAVE", "BTC"])
def test_label_bars_equal_the_oracle_on_real_bars(shared: Path, base: str) -> None:
    source = ParquetSource(path=shared / "data" / "spot_1h_long")
    assert_equals_oracle(native_bars(source, Asset(base, "USDT")), 4)


def test_label_bar_with_a_missing_native_bar_is_dropped_and_counted() -> None:
    bars = native_bars(SyntheticSource(days=2), AAVE)
    label = resample(select(bars, [row for row in range(48) if row not in (5, 20, 21, 22, 23, 24)]), 4)
    assert (label.open_time // HOUR_NS - bars.open_time[0] // HOUR_NS).tolist() == [0, 8, 12, 16, 28, 32, 36, 40, 44]
    assert (label.quality.n_bars, label.quality.n_label_dropped, label.quality.n_gaps) == (9, 3, 2)
    assert label.segment.tolist() == [0, 1, 1, 1, 2, 2, 2, 2, 2]


def test_incomplete_label_bars_at_the_edges_are_dropped() -> None:
    bars = native_bars(SyntheticSource(days=1), AAVE)
    label = resample(select(bars, list(range(3, 22))), 4)
    assert len(label) == 4
    assert label.quality.n_label_dropped == 2


def test_no_complete_label_bar_leaves_none() -> None:
    bars = native_bars(SyntheticSource(days=1), AAVE)
    label = resample(select(bars, [1, 2, 5]), 4)
    assert (len(label), label.quality.n_label_dropped) == (0, 2)


@pytest.mark.parametrize("hours", [0, 5, 7, 48])
def test_label_hours_that_do_not_divide_a_day_are_refused(hours: int) -> None:
    bars = native_bars(SyntheticSource(days=1), AAVE)
    with pytest.raises(ConfigError, match=f"label.bar_hours == {hours} must divide 24"):
        resample(bars, hours)


def test_label_hours_below_the_native_bars_are_refused() -> None:
    bars = resample(native_bars(SyntheticSource(days=1), AAVE), 4)
    for hours in (2, 6):
        with pytest.raises(ConfigError, match="multiple of the 4 h bars of AAVEUSDT"):
            resample(bars, hours)


def test_common_period_of_real_bars(shared: Path) -> None:
    source = ParquetSource(path=shared / "data" / "spot_1h_long")
    bars = [native_bars(source, Asset(base, "USDT")) for base in ("AAVE", "ARB", "BTC")]
    arb = bars[1]
    assert common_period(bars, None) == (int(arb.open_time[0]), ns("2024-09-07"))
    assert common_period(bars, datetime(2024, 1, 1, tzinfo=UTC)) == (int(arb.open_time[0]), ns("2024-01-01"))
    assert common_period(bars, datetime(2025, 1, 1, tzinfo=UTC))[1] == ns("2024-09-07")


def test_common_period_without_overlap_names_both_assets() -> None:
    early = native_bars(SyntheticSource(days=5, start="2022-01-01"), UNIVERSE.assets[0])
    late = native_bars(SyntheticSource(days=5, start="2023-01-01"), UNIVERSE.assets[1])
    found = r"ARBUSDT starts at 2023-01-01.*AAVEUSDT ends 2022-01-06"
    with pytest.raises(DataError, match=rf"universe\.assets == 2 assets must .* {found}"):
        common_period([early, late], None)


def test_common_period_beyond_the_holdout_is_refused() -> None:
    bars = native_bars(SyntheticSource(days=5, start="2022-01-01"), AAVE)
    with pytest.raises(DataError, match=r"data\.holdout_from == 2021-06-01\S+ must be after 2022-01-01"):
        common_period([bars], datetime(2021, 6, 1))


def test_market_holds_the_asset_and_what_its_features_need() -> None:
    source = SyntheticSource(days=10)
    end = int(native_bars(source, AAVE).close_time[-1])
    alone = load_market(source, OwnBars(), UNIVERSE, AAVE, 4, end)
    led = load_market(source, LeaderBars(), UNIVERSE, AAVE, 4, end)
    assert list(alone.native) == list(alone.label) == ["AAVEUSDT"]
    assert list(led.native) == list(led.label) == ["AAVEUSDT", "BTCUSDT"]
    assert led.universe is UNIVERSE
    assert {bars.bar_hours for bars in led.label.values()} == {4}


@pytest.mark.parametrize("offset_ns", [0, 1, HOUR_NS - 1, HOUR_NS, 5 * HOUR_NS])
def test_market_ends_with_the_last_bar_closed_by_the_end(offset_ns: int) -> None:
    end = ns("2022-01-05") + offset_ns
    market = load_market(SyntheticSource(days=10), LeaderBars(), UNIVERSE, AAVE, 4, end)
    for bars in (*market.native.values(), *market.label.values()):
        assert end - bars.bar_ns < bars.close_time[-1] <= end
        assert bars.quality.n_bars == len(bars)


def test_what_comes_after_the_end_changes_nothing(tmp_path: Path) -> None:
    end = ns("2022-01-05")
    frame = SyntheticSource(days=10).read(AAVE).frame
    frame.to_parquet(tmp_path / "AAVEUSDT_1h.parquet")
    before = load_market(ParquetSource(path=tmp_path), OwnBars(), UNIVERSE, AAVE, 4, end)
    future = frame["timestamp"] >= pd.Timestamp(end, tz="UTC")
    frame.loc[future, list(BAR_COLUMNS)] *= 3
    frame.drop(index=frame.index[-30:-20]).to_parquet(tmp_path / "AAVEUSDT_1h.parquet")
    after = load_market(ParquetSource(path=tmp_path), OwnBars(), UNIVERSE, AAVE, 4, end)
    assert fingerprints(after) == fingerprints(before)
    assert after.label["AAVEUSDT"].sha256() == before.label["AAVEUSDT"].sha256()
    assert after.native["AAVEUSDT"].quality == before.native["AAVEUSDT"].quality


def test_market_without_a_bar_closed_by_the_end_is_refused() -> None:
    with pytest.raises(DataError, match="no bar of AAVEUSDT is closed by 2021-01-01"):
        load_market(SyntheticSource(days=1), OwnBars(), UNIVERSE, AAVE, 4, ns("2021-01-01"))


def test_fingerprints_are_of_values_and_not_of_paths(tmp_path: Path) -> None:
    source = SyntheticSource(days=5)
    end = ns("2022-01-06")
    for base in ("AAVE", "BTC"):
        source.read(Asset(base, "USDT")).frame.to_parquet(tmp_path / f"{base}USDT_1h.parquet")
    first = fingerprints(load_market(source, LeaderBars(), UNIVERSE, AAVE, 4, end))
    copy = fingerprints(load_market(ParquetSource(path=tmp_path), LeaderBars(), UNIVERSE, AAVE, 4, end))
    assert copy == first
    assert list(first) == ["AAVEUSDT", "BTCUSDT"]
    assert all(len(digest) == 64 for digest in first.values())


@pytest.mark.parametrize("column", BAR_COLUMNS)
def test_one_changed_bit_changes_the_fingerprint(tmp_path: Path, column: str) -> None:
    frame = SyntheticSource(days=5).read(AAVE).frame
    end = ns("2022-01-06")
    digests = set()
    for factor in (1.0, 1 + 1e-12):
        frame.loc[70, column] *= factor
        frame.loc[70, "high"] = max(frame.loc[70, ["open", "high", "close"]])
        frame.loc[70, "low"] = min(frame.loc[70, ["open", "low", "close"]])
        frame.to_parquet(tmp_path / "AAVEUSDT_1h.parquet")
        digests.add(
            fingerprints(load_market(ParquetSource(path=tmp_path), OwnBars(), UNIVERSE, AAVE, 4, end))["AAVEUSDT"]
        )
    assert len(digests) == 2


def test_quality_of_a_real_market_counts_repairs_gaps_and_dropped_label_bars(shared: Path) -> None:
    source = ParquetSource(path=[shared / "data" / folder for folder in ("spot_1h_2024", "spot_1h_long")])
    market = load_market(source, LeaderBars(), UNIVERSE, AAVE, 4, ns("2024-09-06"))
    native, label = market.native["BTCUSDT"].quality, market.label["BTCUSDT"].quality
    assert (native.n_gaps, native.n_missing) == (28, 128)
    assert label.n_label_dropped > 28
    assert label.n_label_dropped * 4 >= native.n_missing
    assert market.label["AAVEUSDT"].quality.n_label_dropped == 0

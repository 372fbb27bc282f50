"""The bar schema: every refusal and every repair, on files."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ftfkit.builtin.data.csv import CsvSource
from ftfkit.builtin.data.parquet import ParquetSource
from ftfkit.builtin.data.synthetic import SyntheticSource
from ftfkit.errors import DataError
from ftfkit.run.market import native_bars
from ftfkit.types import BAR_COLUMNS, Asset, Bars

AAVE = Asset("AAVE", "USDT")


@pytest.fixture
def frame() -> pd.DataFrame:
    """Two days of good hourly bars from 2024-01-01."""
    return SyntheticSource(days=2, start="2024-01-01").read(AAVE).frame.round(dict.fromkeys(BAR_COLUMNS, 4))


def stored(folder: Path, frame: pd.DataFrame) -> ParquetSource:
    frame.to_parquet(folder / "AAVEUSDT_1h.parquet")
    return ParquetSource(path=folder)


def refusal(source: Any) -> str:
    with pytest.raises(DataError) as caught:
        native_bars(source, AAVE)
    text = str(caught.value)
    assert "\n" not in text
    return text


def assert_same_bars(bars: Bars, frame: pd.DataFrame) -> None:
    np.testing.assert_array_equal(bars.open_time, frame["timestamp"].astype("int64"))
    for name in BAR_COLUMNS:
        np.testing.assert_array_equal(getattr(bars, name), frame[name])


def test_good_bars_pass_untouched(tmp_path: Path, frame: pd.DataFrame) -> None:
    bars = native_bars(stored(tmp_path, frame), AAVE)
    assert_same_bars(bars, frame)
    assert bars.open_time.dtype == np.int64
    assert (bars.asset, bars.bar_hours, bars.synthetic) == ("AAVEUSDT", 1, False)
    assert bars.quality.origin == str(tmp_path / "AAVEUSDT_1h.parquet")
    assert bars.quality.n_bars == 48


def test_arrays_are_read_only(tmp_path: Path, frame: pd.DataFrame) -> None:
    bars = native_bars(stored(tmp_path, frame), AAVE)
    for name in ("open_time", *BAR_COLUMNS):
        with pytest.raises(ValueError, match="read-only"):
            getattr(bars, name)[0] = 0


@pytest.mark.parametrize(
    ("column", "value", "finding"),
    [
        ("close", np.nan, "close == nan must be a finite number"),
        ("volume", np.nan, "volume == nan must be a finite number"),
        ("high", np.inf, "high == inf must be a finite number"),
        ("low", 0.0, "low == 0.0 must be > 0"),
        ("open", -1.0, "open == -1.0 must be > 0"),
        ("volume", -0.5, "volume == -0.5 must be >= 0"),
        ("high", 0.001, "high == 0.001 must be >= low == "),
        ("open", 999.0, "open == 999.0 must lie in [low, high] == ["),
        ("close", 999.0, "close == 999.0 must lie in [low, high] == ["),
        ("close", 0.001, "close == 0.001 must lie in [low, high] == ["),
    ],
)
def test_bad_value_is_named_by_file_row_and_time(
    tmp_path: Path, frame: pd.DataFrame, column: str, value: float, finding: str
) -> None:
    frame.loc[20, column] = value
    text = refusal(stored(tmp_path, frame))
    assert text.startswith(f"{tmp_path / 'AAVEUSDT_1h.parquet'}: row 21: 2024-01-01T20:00:00+00:00 {finding}")


def test_row_is_that_of_the_file_even_where_rows_are_out_of_order(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame.loc[47, "volume"] = -1.0
    text = refusal(stored(tmp_path, frame.iloc[::-1]))
    assert "row 1: 2024-01-02T23:00:00+00:00 volume == -1.0" in text


def test_further_bad_rows_are_counted(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame.loc[[5, 9, 30], "low"] = -1.0
    assert refusal(stored(tmp_path, frame)).endswith("(bar schema); 3 rows in all")


@pytest.mark.parametrize("cell", ["n/a?", "1,5", "0x10"])
def test_text_among_numbers_is_refused(tmp_path: Path, frame: pd.DataFrame, cell: str) -> None:
    frame["high"] = frame["high"].astype(object)
    frame.loc[7, "high"] = cell
    frame.to_csv(tmp_path / "AAVEUSDT_1h.csv", index=False)
    assert f"row 8: 2024-01-01T07:00:00+00:00 high == {cell} must be a finite number" in refusal(
        CsvSource(path=tmp_path)
    )


@pytest.mark.parametrize("column", ["timestamp", "volume", "open"])
def test_missing_column_is_refused(tmp_path: Path, frame: pd.DataFrame, column: str) -> None:
    text = refusal(stored(tmp_path, frame.drop(columns=column)))
    assert f"lacks column {column}; found: " in text


def test_empty_file_is_refused(tmp_path: Path, frame: pd.DataFrame) -> None:
    assert "holds no bar of AAVEUSDT" in refusal(stored(tmp_path, frame.iloc[:0]))


@pytest.mark.parametrize("minutes", [1, 30])
def test_off_grid_timestamp_is_refused(tmp_path: Path, frame: pd.DataFrame, minutes: int) -> None:
    frame.loc[11, "timestamp"] += pd.Timedelta(minutes=minutes)
    text = refusal(stored(tmp_path, frame))
    assert f"row 12: 2024-01-01T11:{minutes:02d}:00+00:00" in text
    assert "must be on the grid of 1 h bars" in text


def test_wrong_bar_length_is_refused(tmp_path: Path, frame: pd.DataFrame) -> None:
    told = refusal(stored(tmp_path, frame.iloc[::4]))
    assert "data.bar_hours == 1 must be the length of a bar; the closest bars of" in told
    assert "are 4 h apart" in told


def test_declared_bar_length_is_used(tmp_path: Path, frame: pd.DataFrame) -> None:
    stored(tmp_path, frame.iloc[::4])
    bars = native_bars(ParquetSource(path=tmp_path, bar_hours=4), AAVE)
    assert (bars.bar_hours, len(bars), bars.quality.n_gaps) == (4, 12, 0)


def with_timestamps(folder: Path, frame: pd.DataFrame, change: dict[int, Any]) -> CsvSource:
    text = frame["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%S+00:00").astype(object)
    for row, value in change.items():
        text.iloc[row] = value
    frame.assign(timestamp=text).to_csv(folder / "AAVEUSDT_1h.csv", index=False)
    return CsvSource(path=folder)


@pytest.mark.parametrize("other", ["2024-01-01T05:00:00+02:00", "2024-01-01T03:00:00", "2024-01-01 04:00:00+0100"])
def test_mixed_time_zones_are_refused(tmp_path: Path, frame: pd.DataFrame, other: str) -> None:
    text = refusal(with_timestamps(tmp_path, frame, {3: other}))
    assert f"row 4: timestamp == {other} must have the first row's UTC offset, +00:00; time zones are mixed" in text


def test_mixed_time_zones_in_objects_are_refused(tmp_path: Path, frame: pd.DataFrame) -> None:
    mixed = [moment.tz_convert("Asia/Tokyo") if row == 6 else moment for row, moment in enumerate(frame["timestamp"])]
    frame["timestamp"] = pd.Series(mixed, dtype=object).astype(str)
    assert "row 7: timestamp == 2024-01-01 15:00:00+09:00 must have" in refusal(stored(tmp_path, frame))


def test_two_spellings_of_utc_are_one_zone(tmp_path: Path, frame: pd.DataFrame) -> None:
    source = with_timestamps(tmp_path, frame, {3: "2024-01-01T03:00:00Z", 4: "2024-01-01 04:00:00+0000"})
    assert_same_bars(native_bars(source, AAVE), frame)


@pytest.mark.parametrize("value", ["", "soon", "01/02/2024 03:00", "1850-01-01T00:00:00+00:00"])
def test_unreadable_timestamp_is_refused(tmp_path: Path, frame: pd.DataFrame, value: str) -> None:
    text = refusal(with_timestamps(tmp_path, frame, {3: value}))
    assert "AAVEUSDT_1h.csv: row 4: timestamp == " in text


@pytest.mark.parametrize("value", ["open_time", 1704078000000.5, None])
def test_unreadable_epoch_is_refused(tmp_path: Path, frame: pd.DataFrame, value: Any) -> None:
    ticks = frame["timestamp"].dt.as_unit("ms").astype("int64").astype(object)
    ticks.iloc[3] = value
    frame.assign(timestamp=ticks).to_csv(tmp_path / "AAVEUSDT_1h.csv", index=False)
    assert "row 4: timestamp == " in refusal(CsvSource(path=tmp_path))


def test_timestamp_beyond_nanoseconds_is_refused(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame["timestamp"] = frame["timestamp"].dt.as_unit("us")
    frame.loc[2, "timestamp"] = pd.Timestamp("2500-01-01", tz="UTC")
    assert "row 3: timestamp == 2500-01-01" in refusal(stored(tmp_path, frame))


def test_unsorted_rows_are_put_in_order_and_counted(tmp_path: Path, frame: pd.DataFrame) -> None:
    order = [*range(10), 12, 10, 11, *range(13, 48)]
    bars = native_bars(stored(tmp_path, frame.iloc[order]), AAVE)
    assert_same_bars(bars, frame)
    assert bars.quality.n_sorted == 2


def test_identical_duplicates_are_removed_and_counted(tmp_path: Path, frame: pd.DataFrame) -> None:
    bars = native_bars(stored(tmp_path, frame.iloc[[*range(48), 5, 5, 40]]), AAVE)
    assert_same_bars(bars, frame)
    assert (bars.quality.n_duplicates, bars.quality.n_sorted, bars.quality.n_bars) == (3, 3, 48)


@pytest.mark.parametrize("column", BAR_COLUMNS)
def test_conflicting_duplicates_are_refused_naming_both_rows(tmp_path: Path, frame: pd.DataFrame, column: str) -> None:
    other = frame.iloc[[5]].copy()
    other[column] = other["low" if column == "open" else "high"] if column in ("open", "close") else other[column]
    other[column] += {"high": 1.0, "low": -0.01, "volume": 1.0}.get(column, 0.0)
    text = refusal(stored(tmp_path, pd.concat([frame, other])))
    assert f"row 49: 2024-01-01T05:00:00+00:00 {column} == " in text
    assert "AAVEUSDT_1h.parquet: row 6" in text


def test_gaps_stay_and_are_counted(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame.loc[30, "volume"] = 0.0
    kept = frame.drop(index=[3, 10, 11, 12])
    bars = native_bars(stored(tmp_path, kept), AAVE)
    assert_same_bars(bars, kept)
    quality = bars.quality
    assert (quality.n_bars, quality.n_gaps, quality.n_missing, quality.n_zero_volume) == (44, 2, 4, 1)
    assert bars.segment.tolist() == [0] * 3 + [1] * 6 + [2] * 35


HOLDOUT = datetime(2024, 1, 2, tzinfo=UTC)


def test_holdout_is_cut_off(tmp_path: Path, frame: pd.DataFrame) -> None:
    stored(tmp_path, frame)
    bars = native_bars(ParquetSource(path=tmp_path, holdout_from=HOLDOUT), AAVE)
    assert_same_bars(bars, frame.iloc[:24])


def test_holdout_values_are_not_even_looked_at(tmp_path: Path, frame: pd.DataFrame) -> None:
    clean = native_bars(ParquetSource(path=stored(tmp_path, frame).path, holdout_from=HOLDOUT), AAVE)
    frame.loc[24:, "close"] = -1.0
    frame.loc[30:, "volume"] = np.nan
    spoilt = native_bars(ParquetSource(path=stored(tmp_path, frame).path, holdout_from=HOLDOUT), AAVE)
    assert spoilt.sha256() == clean.sha256()
    assert spoilt.quality == clean.quality


def test_holdout_without_time_zone_is_utc(tmp_path: Path, frame: pd.DataFrame) -> None:
    stored(tmp_path, frame)
    naive = ParquetSource(path=tmp_path, holdout_from="2024-01-02")
    assert len(native_bars(naive, AAVE)) == 24


def test_nothing_before_the_holdout_is_refused(tmp_path: Path, frame: pd.DataFrame) -> None:
    stored(tmp_path, frame)
    source = ParquetSource(path=tmp_path, holdout_from=datetime(2023, 1, 1, tzinfo=UTC))
    told = refusal(source)
    assert "data.holdout_from == 2023-01-01 00:00:00+00:00 must leave bars before it" in told
    assert "AAVEUSDT_1h.parquet holds none of AAVEUSDT" in told


def test_bars_pickle(tmp_path: Path, frame: pd.DataFrame) -> None:
    bars = native_bars(stored(tmp_path, frame), AAVE)
    assert pickle.loads(pickle.dumps(bars)).sha256() == bars.sha256()


@pytest.mark.parametrize(
    ("folder", "base", "n_bars", "n_missing", "zero_volume"),
    [
        *(("spot_1h_2024", base, 6002, 0, 0) for base in ("AAVE", "ARB", "LDO", "OP", "UNI")),
        ("spot_1h_long", "AAVE", 34_129, 20, 2),
        ("spot_1h_long", "ARB", 12_800, 1, 1),
        ("spot_1h_long", "OP", 19_887, 1, 1),
        ("spot_1h_long", "UNI", 34_801, 20, 2),
        ("spot_1h_long", "BTC", 61_740, 128, 4),
        ("spot_1h_long", "ETH", 61_740, 128, 6),
    ],
)
def test_real_bars_pass_with_their_known_gaps(
    shared: Path, folder: str, base: str, n_bars: int, n_missing: int, zero_volume: int
) -> None:
    quality = native_bars(ParquetSource(path=shared / "data" / folder), Asset(base, "USDT")).quality
    assert (quality.n_bars, quality.n_missing, quality.n_zero_volume) == (n_bars, n_missing, zero_volume)
    assert (quality.n_sorted, quality.n_duplicates) == (0, 0)

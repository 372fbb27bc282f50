from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

from ftfkit.builtin.data.csv import CsvSource
from ftfkit.builtin.data.parquet import ParquetSource
from ftfkit.errors import DataError
from ftfkit.run.market import native_bars
from ftfkit.types import Asset

AAVE = Asset("AAVE", "USDT")
SameBars = Callable[..., None]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_parquet_timestamps_of_any_unit_and_zone(
    tmp_path: Path, frame: pd.DataFrame, unit: str, zone: str | None, assert_same_bars: SameBars
) -> None:
    stored = frame.copy()
    stored["timestamp"] = frame["timestamp"].dt.as_unit(unit).dt.tz_convert(zone)
    stored.to_parquet(tmp_path / "AAVEUSDT_1h.parquet")
    assert_same_bars(native_bars(ParquetSource(path=tmp_path), AAVE), frame)


def test_parquet_with_timestamp_as_index(tmp_path: Path, frame: pd.DataFrame, assert_same_bars: SameBars) -> None:
    frame.set_index("timestamp").to_parquet(tmp_path / "AAVEUSDT_1h.parquet")
    assert_same_bars(native_bars(ParquetSource(path=tmp_path), AAVE), frame)


@pytest.mark.parametrize("date_format", [None, "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S"])
def test_csv_with_iso_timestamps(
    tmp_path: Path, frame: pd.DataFrame, date_format: str | None, assert_same_bars: SameBars
) -> None:
    frame.to_csv(tmp_path / "AAVEUSDT_1h.csv", index=False, date_format=date_format)
    assert_same_bars(native_bars(CsvSource(path=tmp_path), AAVE), frame)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_csv_with_epoch_timestamps(tmp_path: Path, frame: pd.DataFrame, unit: str, assert_same_bars: SameBars) -> None:
    stored = frame.copy()
    stored["timestamp"] = frame["timestamp"].dt.as_unit(unit).astype("int64")
    stored.to_csv(tmp_path / "AAVEUSDT_1h.csv", index=False)
    assert_same_bars(native_bars(CsvSource(path=tmp_path), AAVE), frame)


def test_csv_and_parquet_of_the_same_bars_have_one_fingerprint(tmp_path: Path, shared: Path) -> None:
    source = ParquetSource(path=shared / "data" / "spot_1h_2024")
    source.read(AAVE).frame.to_csv(tmp_path / "AAVEUSDT_1h.csv.gz", index=False)
    copy = CsvSource(path=tmp_path, pattern="{asset}_1h.csv.gz")
    assert native_bars(copy, AAVE).sha256() == native_bars(source, AAVE).sha256()


def test_several_files_of_an_asset_are_merged(tmp_path: Path, frame: pd.DataFrame, assert_same_bars: SameBars) -> None:
    frame.iloc[50:].to_parquet(tmp_path / "AAVEUSDT-b.parquet")
    frame.iloc[:60].to_parquet(tmp_path / "AAVEUSDT-a.parquet")
    bars = native_bars(ParquetSource(path=tmp_path, pattern="{base}{quote}-*.parquet"), AAVE)
    assert_same_bars(bars, frame)
    assert bars.quality.n_duplicates == 10


def test_later_folders_fill_missing_assets(tmp_path: Path, frame: pd.DataFrame) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, n_bars, bases in ((first, 24, ["AAVE"]), (second, 48, ["AAVE", "BTC"])):
        folder.mkdir()
        for base in bases:
            frame.iloc[:n_bars].to_parquet(folder / f"{base}USDT_1h.parquet")
    source = ParquetSource(path=[str(first), str(second)])
    assert len(native_bars(source, AAVE)) == 24
    assert len(native_bars(source, Asset("BTC", "USDT"))) == 48


def test_missing_file_names_the_places_and_the_other_quote(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame.to_parquet(tmp_path / "AAVEUSDT_1h.parquet")
    source = ParquetSource(path=(tmp_path, tmp_path / "nowhere"))
    with pytest.raises(DataError) as caught:
        source.read(Asset("AAVE", "USDC"))
    text = str(caught.value)
    assert str(tmp_path / "AAVEUSDC_1h.parquet") in text
    assert f"{tmp_path / 'nowhere' / 'AAVEUSDC_1h.parquet'} (no such folder)" in text
    assert "universe.quote=USDT" in text
    assert "\n" not in text


def test_missing_file_lists_near_names(tmp_path: Path, frame: pd.DataFrame) -> None:
    for name in ("AAVEUSDT_1h.parquet", "notes.txt"):
        frame.to_parquet(tmp_path / name)
    with pytest.raises(DataError, match=r"near: AAVEUSDT_1h\.parquet \(plugin ftfkit\)$"):
        ParquetSource(path=tmp_path).read(Asset("AAV", "USDT"))


def test_missing_file_in_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"AAVEUSDT_1h\.csv \(plugin ftfkit\)$"):
        CsvSource(path=tmp_path).read(AAVE)


@pytest.mark.parametrize("source", [ParquetSource, CsvSource])
@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", b"\xff\xfe\x00\x01,\n"])
def test_unreadable_file_is_refused_by_name(tmp_path: Path, source: type, content: bytes) -> None:
    file = tmp_path / "AAVEUSDT.bin"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"AAVEUSDT\.bin: ") as caught:
        native_bars(source(path=tmp_path, pattern="{asset}.bin"), AAVE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["xz", "gz", "bz2", "zip"])
def test_a_damaged_archive_is_refused_by_name(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"AAVEUSDT_1h.csv.{suffix}").write_bytes(b"no archive")
    with pytest.raises(DataError, match=rf"AAVEUSDT_1h\.csv\.{suffix}: cannot be read"):
        CsvSource(path=tmp_path, pattern=f"{{asset}}_1h.csv.{suffix}").read(AAVE)


@pytest.mark.parametrize("index", [[f"r{n}" for n in range(12)], range(1000, 1012), [(n, n, n) for n in range(12)]])
def test_a_bad_row_is_named_by_its_place_whatever_index_the_file_has(
    tmp_path: Path, frame: pd.DataFrame, index: Sequence[object]
) -> None:
    frame.loc[18, "close"] = None
    for part in range(2):
        half = frame.iloc[12 * part : 12 * part + 12].set_axis(pd.Index(index))
        half.to_parquet(tmp_path / f"AAVEUSDT_{part}.parquet")
    with pytest.raises(DataError, match=r"AAVEUSDT_1\.parquet: row 7: "):
        native_bars(ParquetSource(path=tmp_path, pattern="{asset}_*.parquet"), AAVE)


@pytest.mark.parametrize("pattern", ["all.parquet", "{quote}.parquet", "{base}{exchange}.parquet", "/data/{base}.csv"])
def test_pattern_must_name_the_asset(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        ParquetSource(path=tmp_path, pattern=pattern)


@pytest.mark.parametrize("hours", [0, 25])
def test_bar_hours_out_of_range_are_refused(tmp_path: Path, hours: int) -> None:
    with pytest.raises(ValueError, match="bar_hours"):
        ParquetSource(path=tmp_path, bar_hours=hours)


def test_path_list_must_not_be_empty() -> None:
    with pytest.raises(ValueError, match="path"):
        ParquetSource(path=[])

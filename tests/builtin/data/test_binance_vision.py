from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from ftfkit.builtin.data.binance_vision import BinanceVisionSource
from ftfkit.errors import DataError
from ftfkit.run.market import native_bars
from ftfkit.types import Asset

AAVE = Asset("AAVE", "USDT")
Text = Callable[..., str]
SameBars = Callable[..., None]


def write(folder: Path, name: str, text: str, kind: str) -> None:
    """One dump as published: ``name.csv``, or ``name.zip`` that holds it, with its checksum file beside it."""
    if kind == "csv":
        (folder / f"{name}.csv").write_text(text)
        return
    with zipfile.ZipFile(folder / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.csv", text)
    (folder / f"{name}.zip.CHECKSUM").write_text(f"0f00  {name}.zip\n")


@pytest.mark.parametrize("kind", ["zip", "csv"])
@pytest.mark.parametrize("unit", ["ms", "us"])
@pytest.mark.parametrize("header", [False, True])
def test_one_dump(
    tmp_path: Path,
    frame: pd.DataFrame,
    kline_text: Text,
    kind: str,
    unit: str,
    header: bool,
    assert_same_bars: SameBars,
) -> None:
    write(tmp_path, "AAVEUSDT-1h-2024-12", kline_text(slice(None), unit, header), kind)
    bars = native_bars(BinanceVisionSource(path=tmp_path), AAVE)
    assert_same_bars(bars, frame)
    assert bars.quality.n_duplicates == 0


def test_months_in_ms_and_days_in_us_are_merged(
    tmp_path: Path, frame: pd.DataFrame, kline_text: Text, assert_same_bars: SameBars
) -> None:
    write(tmp_path, "AAVEUSDT-1h-2024-12", kline_text(slice(0, 48), "ms"), "zip")
    write(tmp_path, "AAVEUSDT-1h-2025-01-01", kline_text(slice(48, 72), "us", header=True), "csv")
    write(tmp_path, "AAVEUSDT-1h-2025-01", kline_text(slice(48, None), "us"), "zip")
    bars = native_bars(BinanceVisionSource(path=tmp_path), AAVE)
    assert_same_bars(bars, frame)
    assert bars.quality.n_duplicates == 24
    assert "2 more" in bars.quality.origin


def test_other_intervals_and_pairs_are_left_alone(
    tmp_path: Path, frame: pd.DataFrame, kline_text: Text, assert_same_bars: SameBars
) -> None:
    write(tmp_path, "AAVEUSDT-1h-2024-12", kline_text(slice(0, 48)), "zip")
    write(tmp_path, "AAVEUSDT-4h-2024-12", "nothing", "csv")
    write(tmp_path, "AAVEUSDC-1h-2024-12", "nothing", "csv")
    assert_same_bars(native_bars(BinanceVisionSource(path=tmp_path), AAVE), frame.iloc[:48])


def test_dumps_in_the_published_folders(
    tmp_path: Path, frame: pd.DataFrame, kline_text: Text, assert_same_bars: SameBars
) -> None:
    folder = tmp_path / "spot" / "monthly" / "klines" / "AAVEUSDT" / "1h"
    folder.mkdir(parents=True)
    write(folder, "AAVEUSDT-1h-2024-12", kline_text(slice(None)), "zip")
    assert_same_bars(native_bars(BinanceVisionSource(path=tmp_path, pattern="**/{asset}-1h-*"), AAVE), frame)


def test_a_bad_value_is_named_by_dump_and_row(tmp_path: Path, kline_text: Text) -> None:
    write(tmp_path, "AAVEUSDT-1h-2024-12", kline_text(slice(0, 48)), "csv")
    lines = kline_text(slice(48, None), header=True).splitlines()
    fields = lines[3].split(",")
    fields[4] = "oops"
    lines[3] = ",".join(fields)
    write(tmp_path, "AAVEUSDT-1h-2025-01", "\n".join(lines), "csv")
    expected = r"AAVEUSDT-1h-2025-01\.csv: row 3: 2025-01-01T02:00:00\+00:00 close == oops must be a finite number"
    with pytest.raises(DataError, match=expected):
        native_bars(BinanceVisionSource(path=tmp_path), AAVE)


def test_dumps_that_disagree_are_refused_naming_both(tmp_path: Path, frame: pd.DataFrame, kline_text: Text) -> None:
    write(tmp_path, "AAVEUSDT-1h-2024-12", kline_text(slice(0, 48)), "csv")
    frame.loc[30, "volume"] += 1
    write(tmp_path, "AAVEUSDT-1h-2024-12-31", kline_text(slice(24, 48)), "csv")
    expected = r"2024-12\.csv: row 31: 2024-12-31T06:00:00.* volume == .* of the same bar at .*12-31\.csv: row 7"
    with pytest.raises(DataError, match=expected):
        native_bars(BinanceVisionSource(path=tmp_path), AAVE)


def test_a_dump_with_other_columns_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "AAVEUSDT-1h-2024-12", "1735516800000,1,2,1,2,10\n", "csv")
    with pytest.raises(DataError, match=r"AAVEUSDT-1h-2024-12\.csv: .* 6 columns, must be 12"):
        native_bars(BinanceVisionSource(path=tmp_path), AAVE)


def test_a_broken_zip_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "AAVEUSDT-1h-2024-12.zip").write_bytes(b"PK not a zip")
    with pytest.raises(DataError, match=r"AAVEUSDT-1h-2024-12\.zip: cannot be read"):
        native_bars(BinanceVisionSource(path=tmp_path), AAVE)


def test_a_zip_of_several_dumps_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "AAVEUSDT-1h-2024-12.zip", "w") as archive:
        archive.writestr("a.csv", "1")
        archive.writestr("b.csv", "1")
    with pytest.raises(DataError, match="2 csv files inside, must be 1"):
        native_bars(BinanceVisionSource(path=tmp_path), AAVE)


def test_other_quote_is_suggested(tmp_path: Path, kline_text: Text) -> None:
    write(tmp_path, "AAVEUSDT-1h-2024-12", kline_text(slice(0, 48)), "zip")
    with pytest.raises(DataError, match=r"universe\.quote=USDT"):
        BinanceVisionSource(path=tmp_path).read(Asset("AAVE", "USDC"))

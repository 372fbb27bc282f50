"""Kline dumps as data.binance.vision publishes them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ftfkit.builtin.data.files import FileSource

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
_N_COLUMNS = 12


class BinanceVisionSource(FileSource):
    """Monthly and daily kline dumps, zip or csv, 12 columns, with or without a header line.

    Notes
    -----
    Open times are in ms, from 2025 on in us; the size of the number tells. A bar that is in a daily and in a monthly
    dump is a duplicate, removed and counted when both agree.

    References
    ----------
    https://github.com/binance/binance-public-data
    """

    pattern: str = "{base}{quote}-1h-*"
    suffixes: ClassVar[tuple[str, ...]] = (".zip", ".csv")  # not the .CHECKSUM beside each dump

    def frame(self, file: Path) -> pd.DataFrame:
        import pandas as pd

        text = _unzipped(file) if file.suffix.lower() == ".zip" else file.read_bytes()
        first_cell = text.removeprefix(b"\xef\xbb\xbf").split(b",", 1)[0].strip()
        skip = 0 if first_cell.isdigit() else 1
        frame = pd.read_csv(io.BytesIO(text), header=None, skiprows=skip, low_memory=False)
        if frame.shape[1] != _N_COLUMNS:
            raise ValueError(f"{frame.shape[1]} columns, must be {_N_COLUMNS}")
        return frame.iloc[:, : len(_COLUMNS)].set_axis(_COLUMNS, axis=1)


def _unzipped(file: Path) -> bytes:
    with zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
        if len(names) != 1:
            raise ValueError(f"{len(names)} csv files inside, must be 1")
        return archive.read(names[0])

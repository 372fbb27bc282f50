"""Bars in CSV files, one a pair."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ftfkit.builtin.data.files import FileSource

if TYPE_CHECKING:
    import pandas as pd


class CsvSource(FileSource):
    """CSV (gz, bz2, zip and xz too) with a header line: timestamp, open, high, low, close, volume.

    ``timestamp`` is ISO 8601 or a number of s, ms, us or ns since 1970.
    """

    pattern: str = "{base}{quote}_1h.csv"

    def frame(self, file: Path) -> pd.DataFrame:
        import pandas as pd

        return pd.read_csv(file, low_memory=False)

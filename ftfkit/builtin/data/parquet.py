"""Bars in Parquet files, one a pair."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ftfkit.builtin.data.files import FileSource

if TYPE_CHECKING:
    import pandas as pd


class ParquetSource(FileSource):
    """Parquet with the columns timestamp, open, high, low, close, volume; ``timestamp`` may be the index."""

    pattern: str = "{base}{quote}_1h.parquet"

    def frame(self, file: Path) -> pd.DataFrame:
        import pandas as pd

        frame = pd.read_parquet(file)
        return frame.reset_index() if "timestamp" in frame.index.names else frame

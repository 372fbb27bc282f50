"""What a run leaves behind; apart from the sweep, so that naming it imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ftfkit.types import Verdict

if TYPE_CHECKING:
    import pandas as pd

ERROR_ROWS = 4  # exit code of a run that has some


@dataclass(frozen=True, eq=False)
class RunResult:
    """A completed run; its files are in ``folder``."""

    run_id: str
    folder: Path
    rows: pd.DataFrame  # one row a cell, columns of rows.parquet
    verdict: Verdict | None  # None where only the baseline ran
    n_reused: int
    n_failed: int
    dossier: Path | None  # what the report wrote

    @property
    def exit_code(self) -> int:
        return ERROR_ROWS if self.n_failed else 0

"""A run folder: how its files are written, and how a finished run is read back without its data or plugins."""

from __future__ import annotations

import fcntl
import json
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ftfkit.errors import UsageError
from ftfkit.judge import verdict_from_dict
from ftfkit.run.files import UNREADABLE, file_sha256, read_json, write_atomically, write_json
from ftfkit.run.store import Store, store_of_run
from ftfkit.types import Row, Verdict

PLAN, ROWS, VERDICT, COMPARISONS = "plan.json", "rows.parquet", "verdict.json", "comparisons.json"
TIMINGS, MANIFEST, LOG = "timings.parquet", "manifest.json", "run.log"
ADVICE, READINESS, NULL_CHECKS = "advice.json", "readiness.md", "null_checks.json"
UNLISTED = frozenset({MANIFEST, LOG})
_logger = logging.getLogger("ftfkit")
ROWS_A_PART = 500  # that are in memory as objects at a time
_ARROW = {"float": pa.float64(), "int": pa.int64(), "bool": pa.bool_(), "str": pa.string(), "RowStatus": pa.string()}


@dataclass(frozen=True, eq=False)
class RunRecord:
    """One run folder; its files are read when asked for.

    ``status`` is completed, interrupted, failed, running, or stopped where a driver was killed before it could say so.
    ``n_stored`` is how many rows the output folder's own store has for a run that was not completed.
    """

    folder: Path
    status: str
    n_stored: int = 0

    @property
    def run_id(self) -> str:
        return self.folder.name

    @cached_property
    def plan(self) -> dict[str, Any]:
        """What plan.json holds."""
        return dict(read_json(self.folder / PLAN))

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Rows sorted by (variant in the plan's order, asset, fold); empty for a run that was not completed."""
        file = self.folder / ROWS
        return pd.read_parquet(file) if file.is_file() else pd.DataFrame()

    @property
    def n_rows(self) -> int:
        return len(self.rows) or self.n_stored

    @cached_property
    def verdict(self) -> Verdict | None:
        """None where only the baseline was run, or the run was not completed."""
        file = self.folder / VERDICT
        return verdict_from_dict(read_json(file)) if file.is_file() else None

    @property
    def unreadable(self) -> str:
        """What is wrong with the files, empty where nothing is; one damaged run must not hide the others."""
        try:
            self._check_files()
        except UNREADABLE as error:
            return " ".join(str(error).split()) or type(error).__name__
        return ""

    def _check_files(self) -> None:
        """Read every file, so that a damaged one fails here."""
        for name in ("rows", "verdict", "plan"):
            getattr(self, name)


def list_runs(output: Path) -> list[RunRecord]:
    """All runs of an output folder, newest first."""
    folders = [file.parent for file in (output / "runs").glob(f"*/{PLAN}")]
    with ExitStack() as stack:
        own = stack.enter_context(store_of_run(None, output)) if (output / "store.db").is_file() else None
        known = {run.run_id: run.status for run in own.runs()} if own else {}
        records = [_record(folder, known.get(folder.name, "running"), own) for folder in folders]
    return sorted(records, key=lambda record: record.run_id, reverse=True)


def find_run(output: Path, run: str) -> Path:
    """Folder of a run, given its path, its id or a beginning of the id that only it has.

    Raises
    ------
    UsageError
        When no run, or more than one, fits.
    """
    if (Path(run) / PLAN).is_file():
        return Path(run)
    known = [record.folder for record in list_runs(output)]
    exact = [folder for folder in known if folder.name == run]
    fitting = exact or [folder for folder in known if run and folder.name.startswith(run)]
    if len(fitting) != 1:
        found = ", ".join(folder.name for folder in (fitting or known)[:5]) or "none"
        rule = "fits several runs" if fitting else "is not a run"
        raise UsageError(f"command line: run == {run!r} {rule} in {output / 'runs'}; there: {found}")
    return fitting[0]


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Write what is logged under ``ftfkit`` to a file, locked for as long; times in UTC."""
    with path.open("a", encoding="utf-8") as file:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        handler = logging.StreamHandler(file)
        handler.setFormatter(logging.Formatter("%(asctime)sZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"))
        handler.formatter.converter = time.gmtime  # type: ignore[union-attr]
        level = _logger.level
        _logger.addHandler(handler)
        _logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            _logger.removeHandler(handler)
            _logger.setLevel(level)
            handler.close()


def write_readiness(folder: Path, text: str | None) -> None:
    """Keep the readiness document as the plan found it, so that its gate can be checked again; nothing without one."""
    if text is not None:
        write_atomically(folder / READINESS, text)


def write_manifest(folder: Path) -> None:
    """Write the SHA-256 of every file of a run, the log apart; to be called again when files were added."""
    write_json(folder, MANIFEST, file_hashes(folder))


def file_hashes(folder: Path) -> dict[str, str]:
    """What the manifest of a run should hold, by name inside its folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in UNLISTED)
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}


def write_rows(folder: Path, rows: Iterable[tuple[str, Row]]) -> pd.DataFrame:
    """Write rows.parquet from (variant, row) pairs, in the order given; the frame that reading it gives."""
    table = rows_table(rows)
    pq.write_table(table, folder / ROWS)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def rows_table(rows: Iterable[tuple[str, Row]]) -> pa.Table:
    """Rows as rows.parquet holds them; no more than some hundreds at a time are taken from ``rows``.

    Mappings become JSON text with sorted keys, and ``extra`` one column a name; a value that a row lacks is null.
    """
    given = iter(rows)
    tables = [none := _part([])]
    while some := list(islice(given, ROWS_A_PART)):
        tables.append(_part(some))
    table = pa.concat_tables(tables, promote_options="default").combine_chunks()
    return table.select([*none.column_names, *sorted(set(table.column_names) - set(none.column_names))])


def _part(rows: Sequence[tuple[str, Row]]) -> pa.Table:
    columns: dict[str, pa.Array] = {"variant": pa.array([variant for variant, _ in rows], pa.string())}
    for field in fields(Row):
        if field.name == "extra":
            continue
        values = [getattr(row, field.name) for _, row in rows]
        kind = _ARROW.get(str(field.type).removesuffix(" | None"))
        texts = values if kind is not None else [_text(value) for value in values]
        columns[field.name] = pa.array(texts, kind or pa.string())
    for name in sorted({name for _, row in rows for name in row.extra} - set(columns)):
        columns[name] = pa.array([row.extra.get(name) for _, row in rows], pa.float64())
    return pa.table(columns)


def write_timings(folder: Path, timings: Iterable[tuple[str, str, float]]) -> None:
    """Write timings.parquet from (row key, stage, seconds) of the cells that this run computed."""
    keys, stages, seconds = zip(*timings, strict=True) if timings else ((), (), ())
    table = pa.table(
        {
            "row_key": pa.array(keys, pa.string()),
            "stage": pa.array(stages, pa.string()),
            "seconds": pa.array(seconds, pa.float64()),
        }
    )
    pq.write_table(table, folder / TIMINGS)


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), sort_keys=True, allow_nan=False)


def _record(folder: Path, stored: str, own: Store | None) -> RunRecord:
    """A run as its folder and the output folder's own store show it."""
    if (folder / MANIFEST).is_file():
        return RunRecord(folder, "completed")
    stopped = stored == "running" and not _is_written(folder / LOG)
    record = RunRecord(folder, "stopped" if stopped else stored)
    if own is None or record.unreadable:
        return record
    keys = [cell["row_key"] for cell in record.plan.get("cells", ())]
    known = own.known(keys)
    return replace(record, n_stored=sum(key in known for key in keys))


def _is_written(log: Path) -> bool:
    """Whether a driver has its log open: it holds a lock on it, which the system takes back however it ends."""
    try:
        with log.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False

"""The row store: cells by row key and runs by id, in any database SQLAlchemy speaks to.

Several drivers may share one store; a good row is never replaced, so they cannot undo each other's work.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from ftfkit.config.compose import COMMAND_LINE
from ftfkit.config.origin import place_of
from ftfkit.config.overrides import MASKED, without_password
from ftfkit.config.schema import Experiment
from ftfkit.errors import UNPLACED, ConfigError
from ftfkit.types import Row

RunStatus = Literal["running", "completed", "interrupted", "failed"]

SCHEMA = 1
KEYS_A_QUERY = 500  # well below every database's limit of bound variables
BUSY_MS = 60_000  # how long a driver waits for another one's write

_metadata = sa.MetaData()
_schema = sa.Table("ftfkit_schema", _metadata, sa.Column("version", sa.Integer, primary_key=True))
_cells = sa.Table(
    "cells",
    _metadata,
    sa.Column("row_key", sa.String(64), primary_key=True),
    sa.Column("fit_key", sa.String(64), nullable=False, index=True),
    sa.Column("asset", sa.Text, nullable=False),
    sa.Column("fold", sa.Integer, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("row", sa.Text, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("created_utc", sa.String(32), nullable=False),
)
_runs = sa.Table(
    "runs",
    _metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("folder", sa.Text, nullable=False),
    sa.Column("created_utc", sa.String(32), nullable=False),
    sa.Column("finished_utc", sa.String(32)),
    sa.Column("plan", sa.Text, nullable=False),
)


@dataclass(frozen=True)
class StoredRun:
    """One run as the store knows it; a driver that was killed leaves ``running`` behind."""

    run_id: str
    status: RunStatus
    folder: Path
    created_utc: str
    finished_utc: str | None


class Store(AbstractContextManager["Store"]):
    """Cells and runs behind one SQLAlchemy URL.

    Parameters
    ----------
    url : str
        ``sqlite:////abs/store.db``, ``postgresql+psycopg://user@host/name``.

    Raises
    ------
    ConfigError
        When the database cannot be reached, or was written by a version with another schema.
    """

    def __init__(self, url: str) -> None:
        try:
            self._engine = sa.create_engine(url)
            if self._engine.dialect.name == "sqlite":
                sa.event.listen(self._engine, "connect", _prepare_sqlite)
            version = self._create()
        except (sa.exc.SQLAlchemyError, ImportError) as error:
            rule = f"cannot be opened: {_brief(error)}"
            raise ConfigError(UNPLACED, "store.url", without_password(url), rule) from error
        if version != SCHEMA:
            self._engine.dispose()
            rule = f"holds schema {version}, this ftfkit reads schema {SCHEMA}"
            raise ConfigError(UNPLACED, "store.url", without_password(url), rule)

    def _create(self) -> int:
        """Create what is missing; the schema version that is there."""
        with self._engine.begin() as connection:
            if self._engine.dialect.name == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(70746674)"))
            else:
                connection.execute(sa.text("BEGIN IMMEDIATE"))
            for table in _metadata.sorted_tables:
                connection.execute(CreateTable(table, if_not_exists=True))
                for index in table.indexes:
                    connection.execute(CreateIndex(index, if_not_exists=True))
            found = connection.execute(sa.select(sa.func.max(_schema.c.version))).scalar()
            if found is None:
                connection.execute(sa.insert(_schema).values(version=SCHEMA))
        return SCHEMA if found is None else int(found)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.dispose()

    def get_rows(self, keys: Iterable[str]) -> dict[str, Row]:
        """Stored rows among ``keys``, error rows included."""
        return {row.row_key: row for row in self.iter_rows(keys)}

    def iter_rows(self, keys: Iterable[str]) -> Iterator[Row]:
        """The same one by one, so that only some are in memory at a time."""
        yield from map(row_from_json, self._column(_cells.c.row, keys))

    def known(self, keys: Iterable[str]) -> set[str]:
        """Those of ``keys`` that have a row, which is not read."""
        return set(self._column(_cells.c.row_key, keys))

    def _column(self, column: sa.Column[str], keys: Iterable[str]) -> Iterator[str]:
        wanted = sorted(set(keys))
        for start in range(0, len(wanted), KEYS_A_QUERY):
            chunk = wanted[start : start + KEYS_A_QUERY]
            with self._engine.connect() as connection:
                found = connection.execute(sa.select(column).where(_cells.c.row_key.in_(chunk))).scalars().all()
            yield from found

    def put_row(self, row: Row, seconds: float) -> None:
        """Store a row; it replaces an error row of the same key, never a good one."""
        values = {
            "row_key": row.row_key,
            "fit_key": row.fit_key,
            "asset": row.asset,
            "fold": row.fold,
            "status": row.status,
            "row": row_to_json(row),
            "seconds": seconds,
            "created_utc": _now(),
        }
        insert = self._insert(_cells).values(values)
        changed = {name: insert.excluded[name] for name in values if name != "row_key"}
        statement = insert.on_conflict_do_update(
            index_elements=[_cells.c.row_key], set_=changed, where=_cells.c.status != "ok"
        )
        with self._engine.begin() as connection:
            connection.execute(statement)

    def _insert(self, table: sa.Table) -> Any:
        if self._engine.dialect.name != "postgresql":
            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql  # a tenth of the time a finished sweep takes to its verdict

        return postgresql.insert(table)

    def start_run(self, run_id: str, folder: Path, plan: str) -> None:
        """Record a run as running; ``plan`` is the text of its plan.json."""
        values = {"run_id": run_id, "status": "running", "folder": str(folder), "created_utc": _now(), "plan": plan}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_runs).values(values))

    def finish_run(self, run_id: str, status: RunStatus) -> None:
        """Record how a run ended."""
        statement = sa.update(_runs).where(_runs.c.run_id == run_id).values(status=status, finished_utc=_now())
        with self._engine.begin() as connection:
            connection.execute(statement)

    def runs(self) -> tuple[StoredRun, ...]:
        """All runs, oldest first."""
        columns = (_runs.c.run_id, _runs.c.status, _runs.c.folder, _runs.c.created_utc, _runs.c.finished_utc)
        query = sa.select(*columns).order_by(_runs.c.created_utc, _runs.c.run_id)
        with self._engine.connect() as connection:
            found = connection.execute(query).all()
        return tuple(StoredRun(run, status, Path(folder), start, end) for run, status, folder, start, end in found)

    def plan(self, run_id: str) -> dict[str, Any] | None:
        """Plan of a run, as plan.json holds it; None when the run is unknown."""
        with self._engine.connect() as connection:
            text = connection.execute(sa.select(_runs.c.plan).where(_runs.c.run_id == run_id)).scalar()
        return None if text is None else dict(json.loads(text))


def store_url(url: str | None, output: Path) -> str:
    """URL to open: the given one, or ``store.db`` in the output folder, which is made.

    A masked password, as plans show it, is left out: the driver then looks for one where it always does.

    Raises
    ------
    ConfigError
        When the folder cannot be made.
    """
    if url is not None:
        return url.replace(f":{MASKED}@", "@")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = f"cannot be made: {error.strerror}"
        raise ConfigError(UNPLACED, "output.dir", output, rule) from error
    return f"sqlite:///{(output / 'store.db').resolve()}"


def open_store(experiment: Experiment) -> Store:
    """The store of an experiment.

    Raises
    ------
    ConfigError
        As ``Store`` and ``store_url`` do, naming who set the URL, or the folder where there is none.
    """
    return opened(experiment.store.url, Path(experiment.output.dir), lambda key: place_of(experiment, key))


def store_of_run(experiment: Experiment | None, output: Path) -> Store:
    """The store of a run in ``output``; ``experiment`` is composed from its plan, None where that is not possible.

    Raises
    ------
    ConfigError
        As ``open_store`` does; a folder was named by the command line, as the run was.
    """
    if experiment is None or experiment.store.url is None:
        return opened(None, output, lambda _key: COMMAND_LINE)
    return opened(experiment.store.url, output, lambda key: place_of(experiment, key))


def opened(url: str | None, output: Path, place: Callable[[str], str]) -> Store:
    """The store at a URL, or else in an output folder; ``place`` says who set a key (``store.url``).

    Raises
    ------
    ConfigError
        Blaming the URL, or the folder where there is none.
    """
    key = "output.dir" if url is None else "store.url"
    try:
        return Store(store_url(url, output))
    except ConfigError as error:
        subject = "holds a store.db that " if key != error.key else ""
        value = output if url is None else error.value
        raise ConfigError(place(key), key, value, f"{subject}{error.rule}", error.owner) from error


def check_driver(experiment: Experiment) -> None:
    """Refuse a store whose database driver is not installed, without connecting.

    Raises
    ------
    ConfigError
        Naming what to install.
    """
    if experiment.store.url is None:
        return
    try:
        sa.make_url(experiment.store.url).get_dialect().import_dbapi()
    except ImportError as error:
        hint = ": pip install 'ftfkit[postgresql]'" if error.name == "psycopg" else f": {_brief(error)}"
        rule = f"needs a package that is not installed{hint}"
    except sa.exc.SQLAlchemyError as error:
        rule = f"cannot be opened: {_brief(error)}"
    else:
        return
    raise ConfigError(place_of(experiment, "store.url"), "store.url", without_password(experiment.store.url), rule)


def row_to_json(row: Row) -> str:
    """Text of a row: the same bytes for equal rows."""
    return json.dumps(asdict(row), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def row_from_json(text: str) -> Row:
    """The row that ``row_to_json`` wrote."""
    return Row(**json.loads(text))


def _prepare_sqlite(connection: Any, _record: Mapping[str, Any]) -> None:
    for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _brief(error: BaseException) -> str:
    """First line of an error; SQLAlchemy appends the statement and a link."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__

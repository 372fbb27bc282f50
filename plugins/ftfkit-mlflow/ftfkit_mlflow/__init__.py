"""Logs every run, cell and verdict of ftfkit to MLflow, where a tracking server or database is named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftfkit import hookimpl

if TYPE_CHECKING:
    from ftfkit.types import Verdict
    from ftfkit_mlflow.logbook import Logbook

ftfkit_api_version = 1

_open: dict[str, Logbook] = {}  # runs under way, by run id; hooks are functions and have no other memory


@hookimpl
def ftfkit_run_started(run_id: str, plan: Mapping[str, Any]) -> None:
    from ftfkit_mlflow.tracking import tracking_client

    client = tracking_client()
    if client is not None:
        from ftfkit_mlflow.logbook import Logbook  # not before it is known that MLflow is wanted and there

        _open[run_id] = Logbook(client, plan)


@hookimpl
def ftfkit_cell_finished(run_id: str, row: Mapping[str, Any]) -> None:
    if run_id in _open:
        _open[run_id].add_cell(row)


@hookimpl
def ftfkit_run_finished(run_id: str, verdict: Verdict, folder: Path) -> None:
    if run_id in _open:
        _open.pop(run_id).finish(verdict, folder)


@hookimpl
def ftfkit_run_failed(run_id: str, error: BaseException) -> None:
    if run_id in _open:
        _open.pop(run_id).fail(error)

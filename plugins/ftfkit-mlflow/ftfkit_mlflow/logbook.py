"""One ftfkit run in MLflow: a parent run, a nested run a variant, and in it each cell as a step of its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Param, RunTag

from ftfkit.types import Verdict
from ftfkit_mlflow import entries
from ftfkit_mlflow.outbox import Outbox
from ftfkit_mlflow.tracking import experiment_id

PARAMS_A_CALL = 100  # that MLflow takes
STILL_WRITTEN = "run.log"


class Logbook:
    """Logs one run; the MLflow runs are made at once.

    Parameters
    ----------
    client : MlflowClient
    plan : mapping
        What ``plan.json`` holds.

    Notes
    -----
    The step of a cell is the place of its (asset, fold) in the plan's grid. It is the same for every variant, so the
    charts of several variants lie over each other cell by cell.
    """

    def __init__(self, client: MlflowClient, plan: Mapping[str, Any]) -> None:
        self._client, self._plan, self._outbox = client, plan, Outbox(client)
        self._experiment = experiment_id(client)
        grid = [(asset, fold) for asset in plan["universe"]["assets"] for fold in plan["folds"]]
        self._steps = {cell: step for step, cell in enumerate(grid)}
        self._parent = self._create(plan["run_id"], entries.run_tags(plan), entries.run_params(plan))
        self._runs = {variant: self._nested(variant) for variant in plan["variants"]}
        self._cells: dict[str, list[dict[str, float]]] = {variant: [] for variant in plan["variants"]}
        self._n_failed = 0

    def add_cell(self, row: Mapping[str, Any]) -> None:
        """Take one finished, reused or failed cell; sends what has gathered when it is time."""
        figures = {"failed": 1.0}
        if row["status"] == "ok":
            figures = entries.cell_metrics(row)
            self._cells[row["variant"]].append(figures)
        else:
            self._n_failed += 1
        told = {f"cell/{name}": value for name, value in figures.items()}
        self._outbox.add(self._runs[row["variant"]], told, self._steps[row["asset"], row["fold"]])
        if self._outbox.due:
            self._send()

    def finish(self, verdict: Verdict, folder: Path) -> None:
        """Log means, verdict and the run's files, and end all MLflow runs as FINISHED."""
        for variant, run in self._runs.items():
            self._outbox.add(run, _means(self._cells[variant]))
            if variant in verdict.variants:
                self._outbox.add(run, entries.lift_metrics(verdict.variants[variant]))
                self._tag(run, entries.verdict_tags(verdict.variants[variant]))
        self._outbox.add(self._parent, entries.verdict_counts(verdict))
        self._tag(self._parent, entries.run_verdict_tags(self._plan, verdict))
        self._send()
        self._attach(folder)
        self._end("FINISHED")

    def fail(self, error: BaseException) -> None:
        """End all MLflow runs as KILLED after an interruption, as FAILED after anything else."""
        self._tag(self._parent, {"error": entries.clipped(f"{type(error).__name__}: {error}")})
        self._send()
        self._end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")

    def _send(self) -> None:
        n_ok = sum(map(len, self._cells.values()))
        self._outbox.add(self._parent, {"cells/ok": n_ok, "cells/failed": self._n_failed}, step=n_ok + self._n_failed)
        self._outbox.send()

    def _nested(self, variant: str) -> str:
        tags = {"mlflow.parentRunId": self._parent, **entries.variant_tags(self._plan, variant)}
        return self._create(variant, tags, entries.variant_params(self._plan, variant))

    def _create(self, name: str, tags: Mapping[str, str], params: Mapping[str, str]) -> str:
        run = self._client.create_run(self._experiment, tags=dict(tags), run_name=name)
        made: str = run.info.run_id
        given = [Param(key, value) for key, value in params.items()]
        for first in range(0, len(given), PARAMS_A_CALL):
            self._client.log_batch(made, params=given[first : first + PARAMS_A_CALL])
        return made

    def _tag(self, run: str, tags: Mapping[str, str]) -> None:
        self._client.log_batch(run, tags=[RunTag(name, value) for name, value in tags.items()])

    def _attach(self, folder: Path) -> None:
        """The run's files as artefacts of the parent, but for the log, which goes on."""
        for path in sorted(folder.iterdir()):
            if path.is_dir():
                self._client.log_artifacts(self._parent, str(path), artifact_path=path.name)
            elif path.name != STILL_WRITTEN:
                self._client.log_artifact(self._parent, str(path))

    def _end(self, status: str) -> None:
        for run in (*self._runs.values(), self._parent):
            self._client.set_terminated(run, status)


def _means(cells: list[dict[str, float]]) -> dict[str, float]:
    """Mean over cells of every figure, under ``mean/``."""
    names = dict.fromkeys(name for cell in cells for name in cell)
    return {f"mean/{name}": fmean(cell[name] for cell in cells if name in cell) for name in names}

"""The whole of a run: look rows up, run what is missing, store as it comes, judge; the driver alone writes."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ftfkit.config.origin import place_of, placed
from ftfkit.config.schema import Experiment
from ftfkit.judge import judge_rows
from ftfkit.judge.criteria import criteria_of
from ftfkit.plugins import registry
from ftfkit.run import records
from ftfkit.run.advice import enter_verdict, write_advice
from ftfkit.run.cell import CellResult, CellTask, run_cell
from ftfkit.run.dispatch import Backlog, Dispatch, Lost
from ftfkit.run.executors import check_startable, executor, terminable, uninterrupted
from ftfkit.run.files import write_json
from ftfkit.run.finished import FinishedRows
from ftfkit.run.futility import outlook_of, settled
from ftfkit.run.ledger import Ledger
from ftfkit.run.observers import Judged, Observers, Warnings, tell
from ftfkit.run.plan import Plan, PlannedCell, make_plan, plan_document, reserved
from ftfkit.run.plan_json import readiness_note
from ftfkit.run.predictions import read_predictions, write_predictions
from ftfkit.run.preregistration import preregistered
from ftfkit.run.progress import NoProgress, Progress
from ftfkit.run.reads import enter_read
from ftfkit.run.result import RunResult
from ftfkit.run.store import Store, check_driver, open_store
from ftfkit.run.tasks import lost_row, task_of
from ftfkit.types import Row, Verdict

if TYPE_CHECKING:
    import pandas as pd

Report = Callable[[Path], Path]
_log = logging.getLogger("ftfkit")


def run_sweep(
    experiment: Experiment,
    *,
    progress: Progress | None = None,
    now: datetime | None = None,
    judged: Judged | None = None,
    report: Report | None = None,
) -> RunResult:
    """Plan an experiment, run its missing cells, and judge it.

    Parameters
    ----------
    experiment : Experiment
    progress : Progress, optional
        Told of every cell and of warnings; silent by default.
    now : datetime, optional
        Start of the run, with time zone.
    judged : callable, optional
        Told of the verdict, if there is one, as soon as the ledger knows that it is out.
    report : callable, optional
        Writes the dossier into the run folder and returns its path, before manifest and observers.

    Raises
    ------
    FtfkitError
        When data, plan or plugins are refused; nothing that is stored is lost.
    KeyboardInterrupt
        On Ctrl-C, as ``Terminated`` on SIGTERM, once everything finished is stored and all workers are gone.
    """
    with terminable():
        check_startable(experiment.executor, place_of(experiment, "executor.name"))
        check_driver(experiment)
        output = Path(experiment.output.dir)
        plan = _registered(make_plan(experiment, now or datetime.now(UTC)), Ledger(output))
        with open_store(experiment) as store:
            return _Run(plan, store, output, progress or NoProgress()).complete(judged, report)


def _registered(plan: Plan, ledger: Ledger) -> Plan:
    """The plan with its pre-registration, where it has one and equals it; a damaged ledger is refused for any plan."""
    ledger.entries()
    if plan.experiment.plan is None:
        return plan
    return replace(plan, registration=preregistered(plan_document(plan), plan.experiment.plan, ledger))


class _Run:
    """One run under way."""

    def __init__(self, plan: Plan, store: Store, output: Path, progress: Progress) -> None:
        self._folder, self._plan = reserved(output, plan)
        self._predictions, self._ledger = output / "predictions", Ledger(output)
        self._store, self._progress = store, progress
        self._warn = Warnings(progress, self._folder / records.LOG)
        self._observers = Observers(registry(plan.experiment.plugins.blocked), self._warn)
        self._outlook = outlook_of(plan)
        self._rows = FinishedRows(store, plan.cells)
        self._timings: list[tuple[str, str, float]] = []
        self._cells: dict[str, list[PlannedCell]] = {}  # by row key; variants may share a cell
        for cell in self._plan.cells:
            self._cells.setdefault(cell.row_key, []).append(cell)

    def complete(self, judged: Judged | None, report: Report | None) -> RunResult:
        """Everything from the look-up to the verdict; however it ends, the store knows."""
        with records.log_file(self._folder / records.LOG):
            try:
                self._start()
                n_reused = self._look_up()
                self._run_missing()
                result = self._judge(n_reused, judged, report)
            except BaseException as error:
                with uninterrupted():
                    self._failed(error)
                raise
            finally:
                self._progress.stop()
            self._store.finish_run(self._plan.run_id, "completed")
            _log.info("completed: %d rows, %d reused, %d failed", len(result.rows), result.n_reused, result.n_failed)
            return result

    def _start(self) -> None:
        document = plan_document(self._plan)
        enter_read(self._ledger, document)
        write_json(self._folder, records.PLAN, document)
        records.write_readiness(self._folder, self._plan.readiness.text)
        self._store.start_run(self._plan.run_id, self._folder.resolve(), json.dumps(document))
        _log.info("run %s: %d cells, %s", self._plan.run_id, len(self._plan.cells), document["command"])
        if document["champion"]:
            self._progress.line(f"the baseline stands on the champion locked by {document['champion']}")
        if not self._plan.experiment.variants:
            self._progress.line("nothing is compared: the baseline alone is run; loss=OPTION, say, names a variant")
        elif note := readiness_note(document):
            self._progress.line(note)
        self._observers.run_started(self._plan.run_id, document)

    def _look_up(self) -> int:
        """Take the good rows of the store; error rows are run again."""
        for row in self._store.iter_rows(self._cells):
            if row.status == "ok":
                self._accept(row)
        n_reused = sum(len(cells) for key, cells in self._cells.items() if key in self._rows)
        self._progress.start(len(self._plan.cells), n_reused)
        return n_reused

    def _run_missing(self) -> None:
        """Run the cells that have no row, but for those that no verdict needs any more."""
        self._run(self._missing(), self._is_needless)
        left = self._missing()
        if left and not self._skip(left):
            self._run(left, lambda _cell: False)

    def _missing(self) -> list[PlannedCell]:
        return [cells[0] for key, cells in self._cells.items() if key not in self._rows]

    def _is_needless(self, cell: PlannedCell) -> bool:
        return all(self._outlook.is_abandoned(one.variant) for one in self._cells[cell.row_key])

    def _skip(self, cells: list[PlannedCell]) -> bool:
        """Give the cells skipped rows, if the verdicts of the variants that are complete do not turn on them."""
        skipped = {one.row_key: self._outlook.skipped(one) for one in cells}
        self._rows.skip(skipped)
        if not settled(self._verdict(records.rows_table(self._rows.ordered()).to_pandas()), self._rows.ordered()):
            self._rows.skip({})
            return False
        n_skipped = sum(len(self._cells[key]) for key in skipped)
        for _ in range(n_skipped):
            self._progress.advance("skipped")
        self._progress.line(f"{n_skipped} cells skipped: whatever they hold, their variants would be abandoned")
        return True

    def _run(self, cells: list[PlannedCell], is_needless: Callable[[PlannedCell], bool]) -> None:
        if not cells:
            return
        config = self._plan.experiment.executor
        backlog = Backlog(cells, _needs(cells), is_needless)
        with placed(self._plan.experiment), executor(config, len(cells)) as engine:
            work: Dispatch[PlannedCell, CellResult] = Dispatch(
                engine, backlog, self._task, run_cell, batch_cells=config.batch_cells, retries=config.retries
            )
            try:
                for cell, outcome in work:
                    self._finish(cell, outcome)
            except KeyboardInterrupt:
                with uninterrupted():
                    for cell, result in work.finished():
                        self._finish(cell, result)
                raise

    def _task(self, cell: PlannedCell) -> CellTask:
        buys = self._rows.oof_buys.get(cell.baseline_row_key or "")
        return task_of(self._plan, cell, buys, read_predictions(self._predictions, cell.fit_key))

    def _finish(self, cell: PlannedCell, outcome: CellResult | Lost) -> None:
        """Write predictions, then the row: a row in the store always has its predictions."""
        if cell.row_key in self._rows:
            return
        if isinstance(outcome, Lost):
            row, seconds = lost_row(self._plan, cell, outcome.error), {}
        else:
            row, seconds = outcome.row, dict(outcome.seconds)
            if outcome.predictions is not None and read_predictions(self._predictions, cell.fit_key) is None:
                write_predictions(self._predictions, cell.fit_key, outcome.predictions)
        self._store.put_row(row, sum(seconds.values()))
        self._timings.extend((row.row_key, stage, value) for stage, value in seconds.items())
        self._accept(row)
        for _ in self._cells[row.row_key]:
            self._progress.advance("failed" if row.status == "error" else "done")
        if row.status == "error":
            last = (row.error or "").strip().splitlines()[-1:] or ["no traceback"]
            self._warn(f"{cell.variant}, {cell.asset.name}, fold {cell.fold}: {last[0]}")

    def _accept(self, row: Row) -> None:
        self._rows.accept(row)
        for cell in self._cells[row.row_key]:
            self._outlook.accept(cell.variant, row)
            self._observers.cell_finished(self._plan.run_id, cell.variant, row)

    def _judge(self, n_reused: int, judged: Judged | None, report: Report | None) -> RunResult:
        rows = records.write_rows(self._folder, self._rows.ordered())
        records.write_timings(self._folder, self._timings)
        verdict = self._verdict(rows)
        document = plan_document(self._plan)
        with uninterrupted():  # who may know a verdict is one whom the ledger knows
            entered = enter_verdict(self._folder, self._ledger, document, rows, verdict)
        self._progress.stop()
        if judged is not None and verdict is not None:
            tell(judged, verdict)
        before = self._ledger.entries()[: entered.n - 1]
        write_advice(self._folder, before, document, entered.facts, rows, criteria_of(self._plan.experiment))
        dossier = report(self._folder) if report is not None else None
        records.write_manifest(self._folder)
        told = verdict or Verdict(self._plan.run_id, self._plan.baseline.name, self._plan.experiment.gates.name, {})
        self._observers.run_finished(self._plan.run_id, told, self._folder)
        n_failed = int((rows["status"] == "error").sum())
        return RunResult(self._plan.run_id, self._folder, rows, verdict, n_reused, n_failed, dossier)

    def _verdict(self, rows: pd.DataFrame) -> Verdict | None:
        experiment = self._plan.experiment
        if not experiment.variants:
            return None
        return judge_rows(
            rows,
            baseline=experiment.baseline.name,
            criteria=criteria_of(experiment),
            grid=self._plan.grid,
            readiness=self._plan.readiness,
            run_id=self._plan.run_id,
            synthetic=self._plan.synthetic,
        )

    def _failed(self, error: BaseException) -> None:
        """Keep what was measured and say how the run ended."""
        interrupted = isinstance(error, KeyboardInterrupt)
        records.write_timings(self._folder, self._timings)
        self._store.finish_run(self._plan.run_id, "interrupted" if interrupted else "failed")
        _log.error("%s after %d rows: %r", "interrupted" if interrupted else "failed", len(self._rows), error)
        self._observers.run_failed(self._plan.run_id, error)


def _needs(cells: list[PlannedCell]) -> Callable[[PlannedCell], set[str]]:
    """Rows a cell waits for: the baseline's where its rule needs it, and the first cell of its own fit key."""
    first: dict[str, PlannedCell] = {}
    for cell in sorted(cells, key=lambda one: one.rank):
        first.setdefault(cell.fit_key, cell)
    return lambda cell: {first[cell.fit_key].row_key, cell.baseline_row_key or ""} - {cell.row_key}

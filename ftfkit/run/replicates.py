"""Cells of many plans in one pool: rows are stored as they come and nothing else is kept of a cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ftfkit.config.origin import placed
from ftfkit.run.cell import CellResult, CellTask, run_cell
from ftfkit.run.dispatch import Backlog, Dispatch, Lost
from ftfkit.run.executors import executor, terminable, uninterrupted
from ftfkit.run.plan import Plan, PlannedCell
from ftfkit.run.progress import Progress
from ftfkit.run.store import Store
from ftfkit.run.tasks import lost_row, task_of
from ftfkit.types import Row

Finish = Callable[[PlannedCell, CellResult | Lost], None]


def run_replicates(plans: Sequence[Plan], store: Store, progress: Progress) -> tuple[dict[str, Row], int]:
    """Rows of all cells of all plans, by row key, and how many of them were in the store already.

    Parameters
    ----------
    plans : sequence of Plan
        Of one experiment and its executor; they are worked off in this order.
    store : Store
        Good rows are taken from it; each new row goes to it at once, so that an interrupted call is resumed.
    progress : Progress

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C, as ``Terminated`` on SIGTERM, once everything finished is stored and all workers are gone.
    """
    owner = {cell.row_key: plan for plan in plans for cell in plan.cells}
    cells = [cell for plan in plans for cell in plan.cells]
    rows = {key: row for key, row in store.get_rows(cell.row_key for cell in cells).items() if row.status == "ok"}
    n_reused = len(rows)

    def finish(cell: PlannedCell, outcome: CellResult | Lost) -> None:
        if cell.row_key not in rows:
            row, seconds = _row(owner[cell.row_key], cell, outcome)
            store.put_row(row, seconds)
            rows[cell.row_key] = row
            progress.advance("failed" if row.status == "error" else "done")

    progress.start(len(cells), n_reused)
    try:
        with terminable():
            _run_missing(plans, owner, rows, finish)
    finally:
        progress.stop()
    return rows, n_reused


def _run_missing(plans: Sequence[Plan], owner: Mapping[str, Plan], rows: Mapping[str, Row], finish: Finish) -> None:
    """Run every cell without a row, replicate by replicate; ``rows`` grows while this goes on."""
    ordered = (replace(cell, rank=rank) for rank, cell in enumerate(cell for plan in plans for cell in plan.cells))
    missing = [cell for cell in ordered if cell.row_key not in rows]
    if not missing:
        return
    experiment = plans[0].experiment
    config = experiment.executor

    def task(cell: PlannedCell) -> CellTask:
        baseline = rows.get(cell.baseline_row_key or "")
        return task_of(owner[cell.row_key], cell, baseline.oof_buys_tuned if baseline else None)

    with placed(experiment), executor(config, len(missing)) as engine:
        work: Dispatch[PlannedCell, CellResult] = Dispatch(
            engine,
            Backlog(missing, lambda cell: {cell.baseline_row_key or ""}),
            task,
            run_cell,
            batch_cells=max(config.batch_cells, len(plans[0].folds)),  # the folds of an asset share its data
            retries=config.retries,
        )
        try:
            for cell, outcome in work:
                finish(cell, outcome)
        except KeyboardInterrupt:
            with uninterrupted():
                for cell, result in work.finished():
                    finish(cell, result)
            raise


def _row(plan: Plan, cell: PlannedCell, outcome: CellResult | Lost) -> tuple[Row, float]:
    """A cell's row and its wall seconds."""
    if isinstance(outcome, Lost):
        return lost_row(plan, cell, outcome.error), 0.0
    return outcome.row, sum(outcome.seconds.values())

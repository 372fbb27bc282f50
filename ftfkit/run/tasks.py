"""What a planned cell sends to its worker, and the row of a cell whose worker never answered."""

from __future__ import annotations

from ftfkit.run.cell import CellTask
from ftfkit.run.plan import Plan, PlannedCell
from ftfkit.types import Predictions, Row


def task_of(
    plan: Plan, cell: PlannedCell, baseline_oof_buys: int | None = None, predictions: Predictions | None = None
) -> CellTask:
    """Everything a worker needs to compute a cell of this plan.

    Parameters
    ----------
    baseline_oof_buys : int, optional
        The baseline's tuned out-of-fold BUY count, where the cell's decision rule reproduces it.
    predictions : Predictions, optional
        Those of the cell's fit key where they are known.
    """
    return CellTask(
        row_key=cell.row_key,
        fit_key=cell.fit_key,
        spec=plan.spec(cell.variant),
        asset=cell.asset,
        fold=cell.fold,
        edges=plan.survey.edges,
        period=plan.survey.period,
        baseline_oof_buys=baseline_oof_buys,
        predictions=predictions,
        versions=plan.versions[cell.variant],
        fingerprint=cell.data_key,
    )


def lost_row(plan: Plan, cell: PlannedCell, error: str) -> Row:
    """Error row of a cell whose worker died, or whose call could not be made."""
    return Row(
        cell.row_key,
        cell.fit_key,
        cell.asset.name,
        cell.fold,
        "error",
        error=error,
        versions=plan.versions[cell.variant],
    )

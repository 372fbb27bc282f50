"""Rows of a run once more, from its stored predictions and the labels that its bars give."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from ftfkit.config.schema import Experiment
from ftfkit.errors import FtfkitError
from ftfkit.judge.rows import Cell
from ftfkit.run.cell import run_cell
from ftfkit.run.keys import canonical
from ftfkit.run.plan import Plan, make_plan
from ftfkit.run.plan_json import spec_config
from ftfkit.run.predictions import predictions_file, read_predictions
from ftfkit.run.records import rows_table
from ftfkit.run.tasks import task_of
from ftfkit.run.verify_inputs import Inputs
from ftfkit.types import Row

REL_TOL = 1e-9  # another processor may sum in another order
_GIVEN = frozenset({"variant", "asset", "fold", "row_key", "fit_key", "status", "error", "versions"})


def rescored(document: Mapping[str, Any], experiment: Experiment, rows: pd.DataFrame, folder: Path) -> Inputs:
    """Rows against what decision, trades and metrics make of their stored predictions.

    Parameters
    ----------
    document : mapping
        The run's plan; the bars that can be read now must be those of it.
    rows : DataFrame
        As in rows.parquet. One whose predictions are not in ``folder``, or are damaged, is left out.
    """
    good = rows[rows["status"] == "ok"]
    kept = good[[predictions_file(folder, key).is_file() for key in good["fit_key"]]]
    if kept.empty:
        return Inputs((), (), "")
    try:
        plan = make_plan(experiment, datetime.now(UTC))
    except FtfkitError as error:
        return Inputs((), (f"rows: cannot be recomputed from predictions: {error}",), "")
    lost = tuple(name for name in document["variants"] if not _as_planned(plan, name, document["variants"][name]))
    notes = [f"rows: {name} is composed otherwise now, and was not recomputed from predictions" for name in lost]
    found = kept[~kept["variant"].isin(lost)]
    own_keys = {cell.row_key for cell in plan.cells}
    if n_other := int((~found["row_key"].isin(own_keys)).sum()):
        notes.append(f"rows: code or packages that {n_other} of them were computed by are not those of the run")
    mismatches = tuple(_recomputed(plan, _by_cell(found), _tuned_buys(rows, document["baseline"]), folder))
    return Inputs(mismatches, tuple(notes), f"rows: {len(found)} recomputed from predictions" if len(found) else "")


def _as_planned(plan: Plan, name: str, planned: Mapping[str, Any]) -> bool:
    """Whether a variant is composed as it was planned; bars are told by their fingerprints, not by their place."""
    if name not in {variant.name for variant in plan.variants}:
        return False
    pair = spec_config(plan.spec(name)), planned["config"]
    own, other = ({group: values for group, values in one.items() if group != "data"} for one in pair)
    return canonical(own) == canonical(other)


def _by_cell(rows: pd.DataFrame) -> dict[Cell, dict[str, Any]]:
    found: list[dict[Any, Any]] = rows.to_dict("records")
    return {Cell(row["variant"], row["asset"], int(row["fold"])): row for row in found}


def _tuned_buys(rows: pd.DataFrame, baseline: str) -> dict[tuple[str, int], int]:
    """The baseline's tuned out-of-fold BUY counts, which some decision rules reproduce, by asset and fold."""
    own = rows[(rows["variant"] == baseline) & rows["oof_buys_tuned"].notna()]
    return {(row["asset"], int(row["fold"])): int(row["oof_buys_tuned"]) for _, row in own.iterrows()}


def _recomputed(
    plan: Plan, rows: Mapping[Cell, Mapping[str, Any]], buys: Mapping[tuple[str, int], int], folder: Path
) -> Iterator[str]:
    """Values of rows that are not what their predictions give; asset by asset, whose data is so read once."""
    for planned in sorted(plan.cells, key=lambda one: (one.asset.name, one.variant, one.fold)):
        cell = Cell(planned.variant, planned.asset.name, planned.fold)
        row = rows.get(cell)
        predictions = read_predictions(folder, row["fit_key"]) if row else None
        if row is None or predictions is None:
            continue
        task = task_of(plan, planned, buys.get((cell.asset, cell.fold)), predictions)
        made = run_cell(task).row
        if made.error:
            yield f"{cell}: cannot be recomputed from predictions: {made.error.strip().splitlines()[-1]}"
        else:
            yield from (f"{cell}: {text}" for text in _differences(cell, made, row))


def _differences(cell: Cell, made: Row, row: Mapping[str, Any]) -> Iterator[str]:
    (own,) = rows_table([(cell.variant, made)]).to_pylist()
    for column in sorted(own.keys() - _GIVEN):
        if not _same(own[column], row.get(column)):
            yield f"{column}: predictions give {own[column]}, the row has {row.get(column)}"


def _same(own: Any, other: Any) -> bool:
    if isinstance(own, float | int) and isinstance(other, float | int):
        return math.isclose(own, other, rel_tol=REL_TOL, abs_tol=REL_TOL)
    return bool(own == other) or (own is None and pd.isna(other))

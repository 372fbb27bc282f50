"""A run judged again: before it is complete, which is a look, or by other criteria than planned, which is post hoc."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ftfkit.config.schema import Experiment
from ftfkit.errors import RowsError
from ftfkit.judge import Readiness
from ftfkit.judge.criteria import criteria_of
from ftfkit.run.files import brief, read_json
from ftfkit.run.ledger import Ledger
from ftfkit.run.recompute import kept_readiness, planned_verdict, stored_frame
from ftfkit.run.records import MANIFEST, PLAN, ROWS
from ftfkit.run.store import store_of_run
from ftfkit.run.trials import trial_facts
from ftfkit.types import Verdict


def rejudge(folder: Path, planned: Experiment, *, changed: bool = False, readiness: Readiness | None = None) -> Verdict:
    """Judge a run's rows, and enter into the ledger what is more than reading its verdict.

    Parameters
    ----------
    folder : Path
        Of the run, finished or not, inside its output folder.
    planned : Experiment
        Composed from the run's plan and what was asked for beside it; rows of an unfinished run are in its store alone.
    changed : bool
        Whether its gates and statistics take the place of the planned ones.
    readiness : Readiness, optional
        Takes the place of the document that was planned with.

    Raises
    ------
    RowsError
        When there is no row yet, or nothing but the baseline was planned.
    """
    document = read_json(folder / PLAN)
    output, complete = folder.resolve().parents[1], (folder / MANIFEST).is_file()
    rows = _kept(folder / ROWS) if complete else _interim(document, planned, output)
    post_hoc = readiness is not None or (changed and _differs(document, planned))
    criteria = criteria_of(planned) if changed else None
    kept = readiness or kept_readiness(document, folder)
    verdict = planned_verdict(document, rows, kept, criteria, post_hoc=post_hoc)
    if verdict is None:
        raise RowsError(f"{folder}: holds the baseline alone, nothing can be judged (ftfkit)")
    facts = _facts(document, len(rows), verdict)
    if not complete:
        Ledger(output).append("looked", facts)
    elif post_hoc:
        Ledger(output).append("rejudged", facts)
    return verdict


def _kept(file: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(file)
    except (OSError, ValueError) as error:
        raise RowsError(f"{file}: cannot be read: {brief(error)} (ftfkit)") from error


def _interim(document: Mapping[str, Any], planned: Experiment, output: Path) -> pd.DataFrame:
    with store_of_run(planned, output) as store:
        rows = stored_frame(document, store)
    if rows.empty:
        raise RowsError(f"run {document['run_id']}: holds no row yet: none of its cells is finished (ftfkit)")
    return rows


def _differs(document: Mapping[str, Any], experiment: Experiment) -> bool:
    """Whether gates, thresholds or statistics are not those of the plan."""
    chosen = {"gates": experiment.gates.model_dump(mode="json"), "stats": experiment.stats.model_dump(mode="json")}
    return any(document[key] != value for key, value in chosen.items())


def _facts(document: Mapping[str, Any], n_rows: int, verdict: Verdict) -> dict[str, Any]:
    trials = trial_facts(document)
    return {
        "run_id": document["run_id"],
        "plan_hash": document["plan_hash"],
        "n_rows": n_rows,
        "n_cells": len(document["cells"]),
        "gates": verdict.gates,
        "variants": {name: {**trials[name], "verdict": one.verdict} for name, one in verdict.variants.items()},
    }

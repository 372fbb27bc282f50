"""``plan``: everything that is known of an experiment before it runs, written down and registered."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ftfkit.config.schema import Experiment
from ftfkit.judge.criteria import criteria_of
from ftfkit.judge.lint import lint_plan, lint_rows
from ftfkit.run.forecast import Forecast, forecast, stored_rows
from ftfkit.run.ledger import Ledger
from ftfkit.run.plan import Plan, make_plan, plan_document
from ftfkit.run.preregistration import FOLDER, Registration, read_plan, register, write_plan
from ftfkit.run.reads import enter_read
from ftfkit.run.records import rows_table
from ftfkit.run.store import Store, check_driver, open_store


class Prepared(NamedTuple):
    """A plan document, where it was written, when it was registered, and what it will cost and find."""

    document: dict[str, Any]
    file: Path
    registration: Registration
    forecast: Forecast


def prepared(experiment: Experiment, now: datetime, out: Path | None = None) -> Prepared:
    """Plan an experiment, lint it, write its plan file and enter it into the ledger.

    Parameters
    ----------
    experiment : Experiment
    now : datetime
        With time zone.
    out : Path, optional
        Plan file; ``<output.dir>/plans/<hash>_<label scheme>.json`` when not given.

    Raises
    ------
    PlanError
        When another plan is at ``out``.
    """
    check_driver(experiment)
    plan, output = make_plan(experiment, now), Path(experiment.output.dir)
    with open_store(experiment) as store:
        cost = forecast(plan, store, output)
        lint = _lint(plan, store)
    document = {**plan_document(plan), "forecast": asdict(cost), "lint": lint}
    file = out or output / FOLDER / f"{plan.plan_hash[:12]}_{plan.run_id.split('_', 4)[4]}.json"
    write_plan(document, file)
    ledger = Ledger(output)
    registration = register(document, str(file), ledger)
    enter_read(ledger, document)
    return Prepared(read_plan(file) | {"lint": lint}, file, registration, cost)


def _lint(plan: Plan, store: Store) -> list[dict[str, Any]]:
    """Confounds of the settings, and of the rows that are there already, as a pilot leaves them."""
    document, rows = plan_document(plan), stored_rows(plan, store)
    pilot = [(cell.variant, rows[cell.row_key]) for cell in plan.cells if cell.row_key in rows]
    found = [*lint_plan(document)]
    if pilot:
        found += lint_rows(document, rows_table(pilot).to_pandas(), criteria_of(plan.experiment))
    return [{**asdict(one), "variants": list(one.variants)} for one in found]

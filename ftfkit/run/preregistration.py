"""Pre-registration: a plan written before its run, the refusal of whatever differs, and what was known beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftfkit.errors import PlanError
from ftfkit.run.differences import differences
from ftfkit.run.files import UNREADABLE, brief, read_json, write_json
from ftfkit.run.ledger import Entry, Ledger
from ftfkit.run.plan_json import SCHEMA, hashed_part, plan_hash
from ftfkit.run.trials import known_before, trial_facts

FOLDER = "plans"  # inside output.dir


@dataclass(frozen=True)
class Registration:
    """When and where a run was planned.

    Attributes
    ----------
    file : str
        Plan file the run was started from.
    planned_utc : str
        When the ledger first heard of this plan.
    ledger_line : int
        Its line.
    known : mapping of str to str
        Variants whose results had been seen by then, each with the run that showed them.
    """

    file: str
    planned_utc: str
    ledger_line: int
    known: Mapping[str, str]


def preregistered(document: Mapping[str, Any], file: str, ledger: Ledger) -> Registration:
    """Registration of a run that is about to start from a plan file.

    Raises
    ------
    PlanError
        When the file is no plan, or ``document`` is not the planned one.
    """
    check_planned(read_plan(Path(file)), document, file)
    return register(document, file, ledger)


def read_plan(file: Path) -> dict[str, Any]:
    """A plan document, once its hash holds.

    Raises
    ------
    PlanError
        When the file is no plan of this schema, or was changed after it was written.
    """
    try:
        document = read_json(file)
        schema, stated, recomputed = document["schema"], document["plan_hash"], plan_hash(document)
    except UNREADABLE as error:
        raise PlanError(f"{file}: is not a plan: {brief(error)} (ftfkit)") from error
    if schema != SCHEMA:
        raise PlanError(f"{file}: schema == {schema} must be {SCHEMA} (ftfkit)")
    if stated != recomputed:
        rule = f"must be {recomputed[:12]}, the hash of its content: the plan was changed after it was written"
        raise PlanError(f"{file}: plan_hash == {stated[:12]} {rule} (ftfkit)")
    return dict(document)


def check_planned(planned: Mapping[str, Any], found: Mapping[str, Any], file: str) -> None:
    """Refuse an experiment that is not the planned one.

    Parameters
    ----------
    planned, found : mapping
        Plan documents.
    file : str
        Where the planned one is.

    Raises
    ------
    PlanError
        Naming the first difference: key, planned value, found value. Versions of libraries and source code of the
        cells count too, since other code makes other rows; time, command line, paths and plan file do not.
    """
    if planned["plan_hash"] == found["plan_hash"]:
        return
    key, before, after = next(iter(differences(hashed_part(planned), hashed_part(found))))
    code = "; the code or the libraries behind the cells are not those of the plan" if key.startswith("cells.") else ""
    raise PlanError(f"{file}: {key}: planned {before}, found {after}{code} (pre-registered plan)")


def register(document: Mapping[str, Any], file: str, ledger: Ledger) -> Registration:
    """Enter a plan into the ledger, once, and tell what was known before that."""
    entries = ledger.entries()
    first = next((one for one in entries if _plans(one, document)), None)
    if first is None:
        first = ledger.append("planned", planned_facts(document, file))
    known = known_before(entries[: first.n - 1], document)
    return Registration(file, first.utc, first.n, known)


def planned_facts(document: Mapping[str, Any], file: str) -> dict[str, Any]:
    """What the ledger says of a plan."""
    return {
        "plan_hash": document["plan_hash"],
        "file": file,
        "baseline": document["baseline"],
        "assets": sorted(document["universe"]["assets"]),
        "label": document["label"],
        "edges_utc": document["period"]["edges_utc"],
        "variants": trial_facts(document),
    }


def write_plan(document: Mapping[str, Any], file: Path) -> None:
    """Write a plan, or leave the one of the same hash that is there.

    Raises
    ------
    PlanError
        When another plan is there: a pre-registration is never overwritten.
    """
    if file.is_file():
        found = read_plan(file)["plan_hash"]
        if found != document["plan_hash"]:
            rule = "holds another plan, and a plan is never overwritten: give another --out"
            raise PlanError(f"{file}: plan_hash == {found[:12]} {rule} (ftfkit)")
        return
    write_json(file.parent, file.name, document)


def _plans(entry: Entry, document: Mapping[str, Any]) -> bool:
    return entry.kind == "planned" and entry.facts["plan_hash"] == document["plan_hash"]

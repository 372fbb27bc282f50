"""What is told beside a verdict and never decides one: looks at interim results, luck among all trials, confounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from ftfkit.judge import Criteria, verdict_to_dict
from ftfkit.judge.lint import lint_plan, lint_rows
from ftfkit.run.elsewhere import elsewhere_advice
from ftfkit.run.files import write_json
from ftfkit.run.ledger import Entry, Ledger
from ftfkit.run.records import ADVICE, COMPARISONS, VERDICT
from ftfkit.run.trials import judged_facts, trials_advice
from ftfkit.types import Verdict

SCHEMA = 1


def enter_verdict(
    folder: Path, ledger: Ledger, document: Mapping[str, Any], rows: pd.DataFrame, verdict: Verdict | None
) -> Entry:
    """Write verdict.json and comparisons.json of a run, and enter it into the ledger before anybody is told.

    Parameters
    ----------
    folder : Path
        Of the run; its plan and rows are there.
    document : mapping
        Its plan.
    rows : DataFrame
        As rows.parquet holds them.
    """
    if verdict is not None:
        found = verdict_to_dict(verdict)
        write_json(folder, VERDICT, found)
        write_json(folder, COMPARISONS, {name: one["comparison"] for name, one in found["variants"].items()})
    return ledger.append("judged", judged_facts(folder, document, rows, verdict))


def write_advice(
    folder: Path,
    before: Sequence[Entry],
    document: Mapping[str, Any],
    facts: Mapping[str, Any],
    rows: pd.DataFrame,
    criteria: Criteria,
) -> None:
    """Write ``advice.json`` of a run; the parameters are those of ``advice_document``."""
    write_json(folder, ADVICE, advice_document(before, document, facts, rows, criteria))


def advice_document(
    entries: Sequence[Entry],
    document: Mapping[str, Any],
    facts: Mapping[str, Any],
    rows: pd.DataFrame,
    criteria: Criteria,
) -> dict[str, Any]:
    """What ``advice.json`` holds.

    Parameters
    ----------
    entries : sequence of Entry
        The ledger before this run was judged.
    facts : mapping
        ``judged_facts`` of the run.
    """
    looks = [entry for entry in entries if entry.kind == "looked" and entry.facts["plan_hash"] == document["plan_hash"]]
    others = [entry for entry in entries if entry.facts.get("plan_hash") not in {None, document["plan_hash"]}]
    findings = (*lint_plan(document), *lint_rows(document, rows, criteria))
    return {
        "schema": SCHEMA,
        "ledger_lines": len(entries),
        "ledger_hash": entries[-1].hash if entries else None,
        "looks": [
            {"utc": entry.utc, **{key: entry.facts[key] for key in ("run_id", "n_rows", "n_cells")}} for entry in looks
        ],
        "trials": trials_advice(entries, facts),
        **elsewhere_advice(others, document, facts),
        "confounds": [{**asdict(one), "variants": list(one.variants)} for one in findings],
    }

"""What is told beside a verdict and never decides one: looks at interim results, luck among all trials, confounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from ftfkit.judge import Criteria
from ftfkit.judge.lint import lint_plan, lint_rows
from ftfkit.run.ledger import Entry, Ledger
from ftfkit.run.records import ADVICE, write_json
from ftfkit.run.trials import judged_facts, trials_advice
from ftfkit.types import Verdict

SCHEMA = 1


def write_advice(
    folder: Path,
    ledger: Ledger,
    document: Mapping[str, Any],
    rows: pd.DataFrame,
    verdict: Verdict | None,
    criteria: Criteria,
) -> None:
    """Write ``advice.json`` of a run, then enter the run into the ledger.

    Parameters
    ----------
    folder : Path
        Of the run; its plan, rows and verdict are there.
    document : mapping
        Its plan.
    rows : DataFrame
        As rows.parquet holds them.
    """
    facts = judged_facts(folder, document, rows, verdict)
    entered = None
    while entered is None:  # another driver's line in between would belong to what the advice stands on
        entries = ledger.entries()
        write_json(folder, ADVICE, advice_document(entries, document, facts, rows, criteria))
        entered = ledger.append_after(len(entries), "judged", facts)


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
    findings = (*lint_plan(document), *lint_rows(document, rows, criteria))
    return {
        "schema": SCHEMA,
        "ledger_lines": len(entries),
        "ledger_hash": entries[-1].hash if entries else None,
        "looks": [
            {"utc": entry.utc, **{key: entry.facts[key] for key in ("run_id", "n_rows", "n_cells")}} for entry in looks
        ],
        "trials": trials_advice(entries, facts),
        "confounds": [{**asdict(one), "variants": list(one.variants)} for one in findings],
    }

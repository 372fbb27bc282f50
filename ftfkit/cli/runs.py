"""``runs``: list the runs of the output folder."""

from __future__ import annotations

import json
from pathlib import Path

from ftfkit.cli.arguments import ArgumentParser
from ftfkit.run.records import RunRecord, list_runs


def main(arguments: list[str]) -> int:
    """Print one line a run, newest first."""
    parser = ArgumentParser(prog="python -m ftfkit runs", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("outputs"), help="output.dir of the runs (default outputs)")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    options = parser.parse_args(arguments)
    records = list_runs(options.output)
    if options.json:
        print(json.dumps([_document(record) for record in records], indent=2))
    elif not records:
        print(f"no runs in {options.output}; python -m ftfkit starts one")
    else:
        for record in records:
            print(_line(record))
    return 0


def _verdicts(record: RunRecord) -> dict[str, str]:
    return {name: item.verdict for name, item in record.verdict.variants.items()} if record.verdict else {}


def _marks(record: RunRecord) -> list[str]:
    """What must stay in sight beside a verdict."""
    if record.verdict is None:
        return []
    found = {
        "synthetic data": record.verdict.synthetic,
        "post hoc": record.verdict.post_hoc,
        "not pre-registered": record.plan.get("registration", True) is None,
    }
    return [mark for mark, holds in found.items() if holds]


def _document(record: RunRecord) -> dict[str, object]:
    if problem := record.unreadable:
        return {"run_id": record.run_id, "status": record.status, "unreadable": problem}
    told = {"rows": record.n_rows, "verdicts": _verdicts(record), "marks": _marks(record)}
    return {"run_id": record.run_id, "status": record.status, **told}


def _line(record: RunRecord) -> str:
    if problem := record.unreadable:
        return f"{record.run_id}  {record.status:<11} unreadable: {problem}"
    verdicts = ", ".join(f"{name} {verdict}" for name, verdict in _verdicts(record).items()) or "no verdict"
    marks = "".join(f" [{mark}]" for mark in _marks(record))
    return f"{record.run_id}  {record.status:<11} {record.n_rows:>5} rows  {verdicts}{marks}"

"""``verify``: recompute every number and verdict of a run, or check the ledger."""

from __future__ import annotations

import sys
from pathlib import Path

from ftfkit.cli.arguments import ArgumentParser
from ftfkit.errors import LedgerError, UsageError, VerifyError


def main(arguments: list[str]) -> int:
    """Print what was recomputed; exit 5 and name each place that does not agree."""
    parser = ArgumentParser(prog="python -m ftfkit verify", description=__doc__)
    parser.add_argument("run", nargs="?", help="run id, or a folder of a run; without it the ledger alone is checked")
    parser.add_argument("--output", type=Path, default=Path("outputs"), help="output.dir of the runs (default outputs)")
    options = parser.parse_args(arguments)
    if options.run is None:
        return _ledger(options.output)
    from ftfkit.api import verify

    found = verify(options.run, output=options.output)
    for line in found.mismatches:
        print(line, file=sys.stderr)
    for line in found.notes:
        print(f"not checked: {line}")
    if found.mismatches:
        n = len(found.mismatches)
        print(f"{n} {'place does' if n == 1 else 'places do'} not agree", file=sys.stderr)
        return VerifyError.exit_code
    for line in found.checked:
        print(f"agrees: {line}")
    return 0


def _ledger(output: Path) -> int:
    from ftfkit.run.ledger import Ledger
    from ftfkit.run.records import list_runs

    ledger = Ledger(output)
    if not ledger.path.is_file() and not (output / "runs").is_dir():
        raise UsageError(f"command line: --output {output} holds no run and no ledger (output.dir of your runs)")
    try:
        entries = ledger.entries()
    except LedgerError as error:
        raise VerifyError(str(error)) from error
    entered = {entry.facts["run_id"] for entry in entries if entry.kind == "judged"}
    missing = [run.run_id for run in list_runs(output) if run.status == "completed" and run.run_id not in entered]
    for run in missing:
        print(f"{ledger.path}: has no line of the completed run {run} (ftfkit)", file=sys.stderr)
    print(f"{ledger.path}: {len(entries)} lines, the chain holds")
    return VerifyError.exit_code if missing else 0

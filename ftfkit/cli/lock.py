"""``lock``: make a variant the champion that production jobs and the next sweeps start from."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftfkit.cli.arguments import ArgumentParser
from ftfkit.config.overrides import is_override, quoted
from ftfkit.errors import UsageError, VerifyError

if TYPE_CHECKING:
    from ftfkit.config.schema import Experiment
    from ftfkit.run.records import RunRecord


def main(arguments: list[str]) -> int:
    """Lock a verified, pre-registered LOCK on real data; one line for each reason why not, and exit 1."""
    parser = ArgumentParser(prog="python -m ftfkit lock", description=__doc__)
    parser.add_argument("run", nargs="?", help="run id, or a folder of a run")
    parser.add_argument("variant", nargs="?", help="variant of the run")
    parser.add_argument("overrides", nargs="*", help="overrides (champion.base_env=FILE)")
    parser.add_argument("--confirm", action="store_true", help="judge it first on the hold-out, which counts once")
    parser.add_argument("--dry-run", action="store_true", help="show the change, write nothing")
    parser.add_argument("--undo", action="store_true", help="take the last lock back")
    parser.add_argument("--history", action="store_true", help="list what was locked and taken back")
    parser.add_argument("--output", type=Path, default=Path("outputs"), help="output.dir of the runs (default outputs)")
    options = parser.parse_intermixed_args(arguments)
    _refuse_both(options)
    if options.history:
        return _history(options.output)
    if options.undo:
        return _undo(options.output, [one for one in (options.run, options.variant, *options.overrides) if one])
    if options.run is None or options.variant is None:
        raise UsageError("command line: lock needs RUN VARIANT, --undo or --history")
    return _lock(options)


def _refuse_both(options: argparse.Namespace) -> None:
    """What would be left undone, or done though it should not, where one flag is taken and the other not looked at."""
    asked = [name for name in ("undo", "history", "confirm", "dry_run") if getattr(options, name)]
    if len(asked) > 1 and asked != ["confirm", "dry_run"]:
        raise UsageError(f"command line: {' and '.join(_flag(name) for name in asked)} exclude each other")
    words = [one for one in (options.run, options.variant) if one and not is_override(one)]
    if words and (options.undo or options.history):
        raise UsageError(f"command line: {_flag(asked[0])} takes no RUN and no VARIANT, found {' '.join(words)}")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _lock(options: argparse.Namespace) -> int:
    from ftfkit.api import compose, verify
    from ftfkit.run.champion import lock, obstacles, prepare_change
    from ftfkit.run.ledger import Ledger
    from ftfkit.run.records import PLAN, RunRecord, find_run

    run = RunRecord(find_run(options.output, options.run).resolve(), status="")
    _check_known(run, options.variant)
    output = run.folder.parents[1]
    found = verify(run.folder)
    if found.mismatches:
        return _refused([f"verify: {line}" for line in found.mismatches], VerifyError.exit_code)
    if found.notes:  # nothing is locked that was not verified
        return _refused([f"not checked: {note}" for note in found.notes], 1)
    experiment = compose(f"plan={run.folder / PLAN}", quoted("output.dir", output), *options.overrides)
    entries = Ledger(output).entries()
    reasons = obstacles(run.plan, options.variant, run.verdict, entries, experiment, confirm=options.confirm)
    if reasons:
        return _refused(reasons, 1)
    change = prepare_change(run.plan, options.variant, experiment)
    if options.confirm and not options.dry_run and not _confirmed(run.plan, options.variant, experiment, output):
        return 1
    print(change.diff or f"{change.base_env} says so already", end="" if change.diff else "\n")
    if options.dry_run:
        return 0
    lock(change, output)
    print(f"{options.variant} is the champion: {change.base_env} is written; the next sweep's baseline stands on it")
    return 0


def _check_known(run: RunRecord, variant: str) -> None:
    """Refuse a variant that the run has not, before minutes are spent on verifying it."""
    known = () if run.unreadable or run.verdict is None else tuple(run.verdict.variants)
    if known and variant not in known:
        raise UsageError(f"command line: {variant} is no variant of this run; known: {', '.join(known)}")


def _confirmed(document: dict[str, Any], variant: str, experiment: Experiment, output: Path) -> bool:
    from ftfkit.run.holdout import confirm
    from ftfkit.run.plan import make_plan, plan_document
    from ftfkit.run.preregistration import check_planned

    plan = make_plan(experiment, datetime.now(UTC))
    check_planned(document, plan_document(plan), str(experiment.plan))
    found = confirm(plan, document, variant, output)
    for asset, delta in found.deltas.items():
        print(f"hold-out   {asset} delta f1_buy {delta:+.4f}")
    told = f"{found.reached} of {len(found.deltas)} assets reach {found.required_lift:g}, needed {found.needed}"
    if not found.passed:
        _refused([f"the hold-out does not confirm {variant}: {told}"], 1)
        return False
    print(f"hold-out   {told}")
    return True


def _undo(output: Path, overrides: list[str]) -> int:
    from ftfkit.api import compose
    from ftfkit.run.champion import undo

    experiment = compose(quoted("output.dir", output), *overrides)
    change = undo(output, output / experiment.champion.base_env)
    print(change.diff, end="")
    print(f"the lock of {change.champion.variant} (run {change.champion.run_id}) is taken back")
    return 0


def _history(output: Path) -> int:
    from ftfkit.run.ledger import Ledger

    entries = [one for one in Ledger(output).entries() if one.kind in {"opened", "confirmed", "locked", "unlocked"}]
    for entry in entries:
        done = "not confirmed" if entry.facts.get("passed") is False else entry.kind
        print(f"{entry.utc}  {done:<13}  {entry.facts['variant']}, run {entry.facts['run_id']}")
    if not entries:
        print(f"nothing was locked in {output}")
    return 0


def _refused(reasons: list[str], code: int) -> int:
    for reason in reasons:
        print(f"lock refused: {reason}", file=sys.stderr)
    return code

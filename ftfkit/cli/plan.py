"""``plan``: what an experiment would run, cost and find; writes its pre-registration."""

from __future__ import annotations

import argparse
import json
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftfkit.cli.arguments import ArgumentParser

if TYPE_CHECKING:
    from ftfkit.run.forecast import Forecast, Power
    from ftfkit.run.preregistration import Registration


ENOUGH = 0.8  # power that an experiment should have
_WEAK = "warning    power is below 80 %: a lift may be there and stay INCONCLUSIVE; more folds or history help"


def main(arguments: list[str]) -> int:
    """Print cells, time, power and confounds, and write the plan that ``plan=FILE`` then holds a run to."""
    parser = ArgumentParser(prog="python -m ftfkit plan", description=__doc__)
    parser.add_argument(
        "overrides", nargs="*", default=[], help="the experiment (loss=focal/standard universe=defi_top5 ...)"
    )
    parser.add_argument("--out", type=Path, help="plan file (default: in output.dir/plans, named by the plan's hash)")
    parser.add_argument("--json", action="store_true", help="print the plan document instead of a summary")
    parser.add_config_dir()
    parser.add_argument("-m", "--multirun", action="store_true", help=argparse.SUPPRESS)  # as the run itself has it
    options = parser.parse_intermixed_args(arguments)

    from ftfkit.config.compose import composer
    from ftfkit.config.experiment import compose
    from ftfkit.run.prepare import prepared

    experiment = compose(options.overrides, composer(options.config_dir))
    document, file, registration, cost = prepared(experiment, datetime.now(UTC), options.out)
    print(json.dumps(document, indent=2) if options.json else _text(document, file, registration, cost))
    return 0


def _text(document: dict[str, Any], file: Path, registration: Registration, cost: Forecast) -> str:
    names = [name for name in document["variants"] if name != document["baseline"]]
    period = document["period"]
    lines = [
        f"variants   {', '.join(names) or 'none'} (family of {len(names)}) against {document['baseline']}",
        f"universe   {document['universe']['name']}: {', '.join(document['universe']['assets'])}",
        f"period     {period['start_utc'][:10]} to {period['end_utc'][:10]}, {len(document['folds'])} folds, "
        f"{'hold-out from ' + period['holdout_from'][:10] if period['holdout_from'] else 'no hold-out reserved'}",
        f"gates      {document['gates']['name']}, required lift {document['gates']['required_lift']:g}",
        f"cells      {cost.n_cells}: {cost.n_reused} reused, {cost.n_to_run} to run",
        f"time       {_time(cost)}",
        *_device(document),
        *_power(cost.power),
        *_readiness(document),
        *(f"confound   {one['text']}{_named(one['variants'])}" for one in document["lint"]),
        *(f"known      the results of {name} were seen in run {run}" for name, run in registration.known.items()),
        f"plan hash  {document['plan_hash']}",
        f"registered {registration.planned_utc} in line {registration.ledger_line} of the ledger",
        f"run it     {shlex.join(['python', '-m', 'ftfkit', f'plan={file}'])}",
    ]
    return "\n".join(lines)


def _device(document: dict[str, Any]) -> list[str]:
    from ftfkit.run.devices import device_note

    note = device_note(document)
    return [] if note is None else [f"device     {note}"]


def _readiness(document: dict[str, Any]) -> list[str]:
    from ftfkit.run.plan_json import readiness_note

    note = readiness_note(document)
    return [] if note is None else [f"warning    {note}"]


def _time(cost: Forecast) -> str:
    if cost.seconds is None:
        return "unknown: no cell of this label scheme, folds and search was ever timed"
    minutes = cost.seconds / 60
    told = f"{minutes:.0f} min" if minutes >= 2 else f"{cost.seconds:.0f} s"
    return (
        f"about {told} on {cost.workers} workers, by {cost.n_timed} like cells" if cost.n_to_run else "nothing to run"
    )


def _power(found: Power) -> list[str]:
    lines = [f"fold sd    {found.sd_fold:.4f}, from {found.sd_source}"]
    if found.mde80 is None or found.power is None:
        return [*lines, "power      unknown: one fold has no variance"]
    needed = "more than 1,000 folds" if found.folds_needed is None else f"{found.folds_needed} folds"
    history = "" if found.history_days is None else f", {found.history_days:.0f} days of history"
    return [
        *lines,
        f"power      {found.power:.2f} at the required lift {found.required_lift:g} ({found.test} < {found.alpha:g})",
        f"detectable {found.mde80:.4f} at 80 % power",
        f"needed     {needed} of this length{history} for 80 % power at the required lift",
        *([] if found.power >= ENOUGH else [_WEAK]),
    ]


def _named(variants: list[str]) -> str:
    return f" ({', '.join(variants)})" if variants else ""

"""``lock``: make a variant the champion, for reasons that hold, and be able to take it back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ftfkit.config.champion import FILE, Champion, locks_document, read_locks
from ftfkit.config.origin import placed
from ftfkit.config.overrides import group_of
from ftfkit.config.schema import Experiment
from ftfkit.errors import FtfkitError
from ftfkit.run.base_env import changed_env, option_variables, unified_diff
from ftfkit.run.elsewhere import judged_otherwise
from ftfkit.run.files import brief, write_atomically
from ftfkit.run.ledger import Entry, Ledger
from ftfkit.run.trials import same_trial, trial_facts
from ftfkit.types import Verdict


@dataclass(frozen=True)
class Change:
    """One change of champion, made or to be made."""

    champion: Champion
    base_env: Path
    diff: str


def obstacles(
    document: Mapping[str, Any],
    variant: str,
    verdict: Verdict | None,
    entries: Sequence[Entry],
    experiment: Experiment,
    *,
    confirm: bool = False,
) -> list[str]:
    """Reasons why a variant of a verified run must not become the champion, one line each.

    Parameters
    ----------
    document : mapping
        Plan of the run.
    verdict : Verdict or None
        What verdict.json holds.
    entries : sequence of Entry
        The ledger.
    experiment : Experiment
        The plan's, composed today: its baseline stands on today's champion.
    confirm : bool
        Whether the hold-out is read before the lock, so that an attempt that broke off may go on.
    """
    one = verdict.variants.get(variant) if verdict else None
    if verdict is None or one is None:
        known = ", ".join(verdict.variants) if verdict else "none"
        return [f"{variant} is no variant of this run; known: {known}"]
    found = [] if one.verdict == "LOCK" else [f"the verdict on {variant} is {one.verdict}, must be LOCK"]
    found += [
        f"{name} was not applicable, must PASS" for name, gate in one.gates.items() if gate.status == "NOT_APPLICABLE"
    ]
    found += ["the data is synthetic"] if document["synthetic"] else []
    found += ["the verdict is post hoc"] if verdict.post_hoc else []
    found += _unregistered(document, variant)
    if document["champion"] != experiment.locked:
        today, then = experiment.locked or "the configured one", document["champion"] or "the configured one"
        found.append(f"the champion has changed since: the run compared with {then}, today's is {today}")
    found += [
        f"another plan judged it {verdict} (run {entry.facts['run_id']}, ledger line {entry.n})"
        for entry, verdict in judged_otherwise(entries, document, variant)
    ]
    return found + _unconfirmed(document, variant, entries, confirm)


def _unregistered(document: Mapping[str, Any], variant: str) -> list[str]:
    registration = document["registration"]
    if registration is None:
        return ["the run was not pre-registered: python -m ftfkit plan, then plan=FILE, on data not yet looked at"]
    run = registration["known"].get(variant)
    return [f"its results were known before they were planned, from run {run}"] if run else []


def _unconfirmed(document: Mapping[str, Any], variant: str, entries: Sequence[Entry], confirm: bool) -> list[str]:
    """Whether a hold-out spoke against this trial, in whichever run; older lines name run and variant alone."""
    own, place = trial_facts(document)[variant], (document["run_id"], variant)
    tried = [
        one
        for one in entries
        if one.kind in {"opened", "confirmed"}
        and ((one.facts["run_id"], one.facts["variant"]) == place or same_trial(one.facts, own))
    ]
    if any(one.kind == "confirmed" and not one.facts["passed"] for one in tried):
        return ["its hold-out did not confirm it"]
    if tried and tried[-1].kind == "opened" and not confirm:
        return [f"its hold-out was opened (ledger line {tried[-1].n}) without an outcome: lock it with --confirm"]
    return []


def prepare_change(document: Mapping[str, Any], variant: str, experiment: Experiment) -> Change:
    """What locking a variant would change.

    Raises
    ------
    ConfigError
        When ``champion.variables`` cannot express the variant.
    """
    output = Path(experiment.output.dir)
    file = output / experiment.champion.base_env
    locks = read_locks(output)
    planned = document["variants"][variant]
    before = _text(file)
    variables: dict[str, str | None] = {}
    for group, option in planned["options"].items():
        values = [value for value in planned["values"] if group_of(value) == group]
        with placed(experiment):
            variables |= option_variables(experiment.champion, group, option, planned["config"][group], values)
    after = changed_env(before, variables)
    kept = [value for lock in locks[-1:] for value in lock.values if group_of(value) not in planned["options"]]
    champion = Champion(
        run_id=document["run_id"],
        variant=variant,
        locked_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        options={**(locks[-1].options if locks else {}), **planned["options"]},
        values=(*kept, *planned["values"]),
        env_before=before,
        env_after=after,
        base_env=str(file.absolute()),
    )
    return Change(champion, file, unified_diff(before, after, file))


def lock(change: Change, output: Path) -> None:
    """Make the change: env file, then champion, then ledger.

    Raises
    ------
    FtfkitError
        When somebody has edited the env file, or locked another variant in it, since the change was prepared.
    """
    champion = change.champion
    if _text(change.base_env) != champion.env_before:
        rule = f"was edited while {champion.variant} was being locked, must be as it was; lock it again"
        raise FtfkitError(f"{change.base_env}: {rule} (ftfkit)")
    write_atomically(change.base_env, champion.env_after)
    _write_locks(output, (*read_locks(output), champion))
    facts = {"run_id": champion.run_id, "variant": champion.variant, "options": dict(champion.options)}
    Ledger(output).append("locked", facts | {"base_env": str(change.base_env)})


def undo(output: Path, base_env: Path) -> Change:
    """Take the last lock back, in the file that it changed.

    Parameters
    ----------
    output : Path
    base_env : Path
        Taken where the lock does not say which file it changed.

    Raises
    ------
    FtfkitError
        When there is none, or somebody has edited the env file since.
    """
    locks = read_locks(output)
    if not locks:
        raise FtfkitError(f"{output / FILE}: holds no lock, nothing can be undone (ftfkit)")
    last = locks[-1]
    base_env = Path(last.base_env or base_env)
    if _text(base_env) != last.env_after:
        raise FtfkitError(f"{base_env}: was edited since {last.run_id} was locked, must be as lock left it (ftfkit)")
    write_atomically(base_env, last.env_before)
    _write_locks(output, locks[:-1])
    Ledger(output).append("unlocked", {"run_id": last.run_id, "variant": last.variant, "base_env": str(base_env)})
    return Change(last, base_env, unified_diff(last.env_after, last.env_before, base_env))


def _text(file: Path) -> str | None:
    """The file as it stands, line ends included; None where there is none."""
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise FtfkitError(f"{file}: must be a text file in UTF-8: {brief(error)} (ftfkit)") from error


def _write_locks(output: Path, locks: Sequence[Champion]) -> None:
    write_atomically(output / FILE, json.dumps(locks_document(locks), indent=1) + "\n")

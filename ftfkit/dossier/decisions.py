"""Sections 6 and 7: what may be locked, how to get the same again, what took part."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from ftfkit.config.overrides import key_of, value_of
from ftfkit.dossier.configuration import LONG
from ftfkit.dossier.overview import by_verdict
from ftfkit.dossier.results import Results
from ftfkit.dossier.text import Table, listed, table
from ftfkit.dossier.trust import judged_otherwise_lines, known_lines


def lock_lines(results: Results) -> list[str]:
    """What to do with each verdict of the run."""
    groups = by_verdict(results)
    locks = groups.get("LOCK", [])
    if not locks:
        return [f"No lock. Keep {results.baseline}; no change of the champion."]
    obstacles = _obstacles(results, locks)
    if obstacles:
        return [f"{listed(locks)} passed every gate, but lock refuses this run: {'; '.join(obstacles)}."]
    lines = [f"{listed(locks)} may be locked. The command shows the change as a diff before it writes."]
    if len(locks) > 1:
        lines.append(
            "Lock at most one, and choose it by what was written down before the run, not by the largest delta."
        )
    return lines


def lock_commands(results: Results) -> list[str]:
    """Lock command of every variant that may be locked."""
    locks = by_verdict(results).get("LOCK", [])
    if not locks or _obstacles(results, locks):
        return []
    run, output = str(results.plan["run_id"]), _output(results)
    return [shlex.join(["python", "-m", "ftfkit", "lock", run, name, *output]) for name in locks]


def reproduction(results: Results) -> list[str]:
    """Commands that make the run again, recompute this document, and judge its rows again."""
    run, output = str(results.plan["run_id"]), _output(results)
    again = [shlex.join(["python", "-m", "ftfkit", command, run, *output]) for command in ("verify", "judge")]
    return [str(results.plan["command"]), *again]


def _output(results: Results) -> list[str]:
    """Where the commands find the run, unless it is where they look by themselves."""
    given = [value_of(one) for one in results.plan["overrides"] if key_of(one) == "output.dir"]
    return ["--output", given[-1]] if given else []


def links(results: Results) -> list[tuple[str, str]]:
    """Documents and files around the run."""
    track: Mapping[str, Any] = results.plan["track"] or {}
    lines = [("Plan document", track.get("plan_document") or "")]
    lines += [("Readiness document", (results.plan["readiness"] or {}).get("path") or "")]
    lines += [("Link", link) for link in track.get("links", ())]
    return [(label, text) for label, text in lines if text]


def fingerprints(results: Results) -> Table:
    """SHA-256 of each asset's validated bars."""
    rows = [(asset, str(entry["sha256"])) for asset, entry in results.plan["data"].items()]
    note = f"The first {LONG} of {len(rows)}; all are in plan.json." if len(rows) > LONG else ""
    return table(("Asset", "SHA-256 of its bars"), rows[:LONG], n_text=2, note=note)


def plugins(results: Results) -> Table:
    """Plugin distributions that took part."""
    rows = [(p["name"], p["distribution"], p["version"]) for p in results.plan["plugins"]]
    return table(("Plugin", "distribution", "version"), rows, n_text=3)


def versions(results: Results) -> Table:
    """Versions at planning; a second column where rows were computed with others."""
    planned = {"python": results.plan["python"], **results.plan["versions"]}
    differing = _row_versions(results, planned)
    columns = ("Distribution", "version", "rows computed with")
    rows = [(name, str(version), differing.get(name, "")) for name, version in planned.items()]
    return table(columns if differing else columns[:2], [row if differing else row[:2] for row in rows], n_text=3)


def _row_versions(results: Results, planned: Mapping[str, Any]) -> dict[str, str]:
    if "versions" not in results.rows:
        return {}
    found: dict[str, set[str]] = {}
    for text in sorted(results.rows["versions"].dropna().unique()):
        for name, version in json.loads(text).items():
            found.setdefault(name, set()).add(str(version))
    return {name: ", ".join(sorted(v)) for name, v in found.items() if v != {str(planned.get(name))}}


def _obstacles(results: Results, locks: list[str]) -> list[str]:
    open_gates = {
        name
        for verdict in results.verdicts
        if verdict.variant in locks
        for name, result in verdict.gates.items()
        if result.status == "NOT_APPLICABLE"
    }
    obstacles = ["synthetic data"] if results.synthetic else []
    obstacles += ["post hoc verdict"] if results.post_hoc else []
    obstacles += [] if results.plan.get("registration") else ["not pre-registered"]
    obstacles += known_lines(results)
    obstacles += judged_otherwise_lines(results, locks)
    return obstacles + [f"{name} was not applicable" for name in sorted(open_gates)]

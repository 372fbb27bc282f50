"""Sections 6 and 7: what may be locked, how to get the same again, what took part."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from ftfkit.dossier.overview import by_verdict
from ftfkit.dossier.record import Record
from ftfkit.dossier.text import Table, listed, table


def lock_lines(record: Record) -> list[str]:
    """What to do with each verdict of the run."""
    groups = by_verdict(record)
    locks = groups.get("LOCK", [])
    if not locks:
        return [f"No lock. Keep {record.baseline}; no change of the champion."]
    obstacles = _obstacles(record, locks)
    if obstacles:
        return [f"{listed(locks)} passed every gate, but lock refuses this run: {'; '.join(obstacles)}."]
    lines = [f"{listed(locks)} may be locked. The command shows the change as a diff before it writes."]
    if len(locks) > 1:
        lines.append(
            "Lock at most one, and choose it by what was written down before the run, not by the largest delta."
        )
    return lines


def lock_commands(record: Record) -> list[str]:
    """Lock command of every variant that may be locked."""
    locks = by_verdict(record).get("LOCK", [])
    if not locks or _obstacles(record, locks):
        return []
    return [shlex.join(["python", "-m", "ftfkit", "lock", str(record.plan["run_id"]), name]) for name in locks]


def reproduction(record: Record) -> list[str]:
    """Commands that make the run again and check this document against its rows."""
    return [str(record.plan["command"]), shlex.join(["python", "-m", "ftfkit", "verify", str(record.plan["run_id"])])]


def links(record: Record) -> list[tuple[str, str]]:
    """Documents and files around the run."""
    track: Mapping[str, Any] = record.plan["track"] or {}
    lines = [("Plan document", track.get("plan_document") or "")]
    lines += [("Readiness document", (record.plan["readiness"] or {}).get("path") or "")]
    lines += [("Link", link) for link in track.get("links", ())]
    return [(label, text) for label, text in lines if text]


def fingerprints(record: Record) -> Table:
    """SHA-256 of each asset's validated bars."""
    rows = [(asset, str(entry["sha256"])) for asset, entry in record.plan["data"].items()]
    return table(("Asset", "SHA-256 of its bars"), rows, n_text=2)


def plugins(record: Record) -> Table:
    """Plugin distributions that took part."""
    rows = [(p["name"], p["distribution"], p["version"]) for p in record.plan["plugins"]]
    return table(("Plugin", "Distribution", "Version"), rows, n_text=3)


def versions(record: Record) -> Table:
    """Versions at planning; a second column where rows were computed with others."""
    planned = {"python": record.plan["python"], **record.plan["versions"]}
    differing = _row_versions(record, planned)
    columns = ("Distribution", "Version", "Rows computed with")
    rows = [(name, str(version), differing.get(name, "")) for name, version in planned.items()]
    return table(columns if differing else columns[:2], [row if differing else row[:2] for row in rows], n_text=3)


def _row_versions(record: Record, planned: Mapping[str, Any]) -> dict[str, str]:
    if "versions" not in record.rows:
        return {}
    found: dict[str, set[str]] = {}
    for text in sorted(record.rows["versions"].dropna().unique()):
        for name, version in json.loads(text).items():
            found.setdefault(name, set()).add(str(version))
    return {name: ", ".join(sorted(v)) for name, v in found.items() if v != {str(planned.get(name))}}


def _obstacles(record: Record, locks: list[str]) -> list[str]:
    open_gates = {
        name
        for verdict in record.verdicts
        if verdict.variant in locks
        for name, result in verdict.gates.items()
        if result.status == "NOT_APPLICABLE"
    }
    obstacles = ["synthetic data"] if record.synthetic else []
    obstacles += ["post hoc verdict"] if record.post_hoc else []
    return obstacles + [f"{name} was not applicable" for name in sorted(open_gates)]

"""Title, header lines and what each verdict says in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftfkit.dossier.record import Record
from ftfkit.dossier.text import assignments, count, listed

_MEANING = {
    "LOCK": "every pre-registered gate passed; the variant may replace the baseline",
    "ABANDON": "a gate failed and the data leave no room for the required lift, or other gates rule the variant out",
    "INCONCLUSIVE": "the run cannot tell; this is no evidence that the idea fails",
    "INCOMPLETE": "rows or evidence are missing; nothing is said about the idea",
}


def title(record: Record) -> str:
    """Heading of the dossier: what was tried and what came out."""
    track = record.plan["track"]
    subject = f"Track {track['id']}, {track['title']}".rstrip(", ") if track else f"Run {record.plan['run_id']}"
    marks = [outcome(record)]
    marks += ["SYNTHETIC DATA"] if record.synthetic else []
    marks += ["POST HOC"] if record.post_hoc else []
    return f"{subject}: results dossier ({', '.join(marks)})"


def outcome(record: Record) -> str:
    """Verdicts of the run in a few words."""
    groups = by_verdict(record)
    if not groups:
        return "baseline only, no verdict"
    if len(groups) == 1:
        return next(iter(groups))
    return ", ".join(f"{name} × {len(variants)}" for name, variants in groups.items())


def by_verdict(record: Record) -> Mapping[str, list[str]]:
    """Verdict to variants, in the order of the verdicts."""
    found = {name: [v.variant for v in record.verdicts if v.verdict == name] for name in _MEANING}
    return {name: variants for name, variants in found.items() if variants}


def header(record: Record) -> list[tuple[str, str]]:
    """Labelled lines above the verdict; those without content are left out."""
    plan = record.plan
    track: Mapping[str, Any] = plan["track"] or {}
    readiness = plan["readiness"]
    lines = [
        ("Date", str(plan["created_utc"])[:10]),
        ("Track", f"{track.get('id', '')}: {track.get('title', '')}".strip(": ")),
        ("Hypothesis", track.get("hypothesis", "")),
        ("Plan document", track.get("plan_document") or ""),
        ("MLOps readiness", _readiness(readiness)),
        ("Run", f"{plan['run_id']}: {status(record)}"),
        ("Plan hash", str(plan["plan_hash"])),
        ("Gates", f"{plan['gates']['name']}, thresholds part of the plan hash"),
    ]
    return [(label, text) for label, text in lines if text]


def status(record: Record) -> str:
    """Counts of rows and how the run ended."""
    tally = tallies(record)
    parts = [f"{count(tally['rows'])} rows", f"{count(tally['error'])} errors"]
    parts += [f"{count(tally[name])} {name}" for name in ("skipped", "missing") if tally[name]]
    ended = "completed" if not (tally["error"] or tally["missing"]) else "incomplete"
    return f"{', '.join(parts)}, status {ended}"


def tallies(record: Record) -> dict[str, int]:
    """Numbers of planned cells and of rows by status; ``missing`` are cells without a row."""
    states = record.rows["status"].value_counts()
    tally = {name: int(states.get(name, 0)) for name in ("ok", "error", "skipped")}
    planned = len(record.plan["cells"])
    return {"planned": planned, "rows": len(record.rows), **tally, "missing": max(0, planned - len(record.rows))}


def headline(record: Record) -> list[tuple[str, str]]:
    """Each verdict with a sentence that names its variants."""
    total = len(record.variants)
    return [
        (
            verdict,
            f"for {'all ' if len(names) == total > 1 else ''}{len(names)} variant{'s' if len(names) != 1 else ''} "
            f"({listed(names)}): {_MEANING[verdict]}.",
        )
        for verdict, names in by_verdict(record).items()
    ]


def baseline_line(record: Record) -> str:
    """What the champion is, and whether anything may replace it."""
    locks = by_verdict(record).get("LOCK", [])
    options = {group: record.plan["options"].get(group) for group in record.plan["factor_groups"]}
    setting = f" ({assignments(options)})" if options else ""
    if not locks:
        return f"{record.baseline}{setting} stays the champion; nothing is to be changed in production."
    blocked = "synthetic data" if record.synthetic else "a post-hoc verdict" if record.post_hoc else ""
    if blocked:
        return f"{record.baseline}{setting} stays the champion: {blocked} cannot lock {listed(locks)}."
    return f"{listed(locks)} may replace the champion {record.baseline}{setting}; section 6 has the command."


def _readiness(readiness: Mapping[str, Any] | None) -> str:
    if not readiness or not readiness.get("path"):
        return ""
    digest = readiness.get("sha256")
    return f"{readiness['path']} (sha256 {digest[:12]})" if digest else f"{readiness['path']} (not found)"

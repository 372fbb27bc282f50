"""Title, header lines and what each verdict says in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftfkit.dossier import trust
from ftfkit.dossier.results import Results
from ftfkit.dossier.text import assignments, count, listed

_MEANING = {
    "LOCK": "every gate passed",
    "ABANDON": "a gate failed and the data leave no room for the required lift, or other gates rule the variant out",
    "INCONCLUSIVE": "the run cannot tell; this is no evidence that the idea fails",
    "INCOMPLETE": "rows, or the evidence of a gate, are missing; nothing is said about the idea",
}


def title(results: Results) -> str:
    """Heading of the dossier: what was tried and what came out."""
    track = results.plan["track"]
    subject = f"Track {track['id']}, {track['title']}".rstrip(", ") if track else f"Run {results.plan['run_id']}"
    said = ", ".join(filter(None, (outcome(results), marks(results))))
    return f"{subject}: results dossier ({said})"


def marks(results: Results) -> str:
    """What must stay in sight: synthetic data, a post-hoc verdict, a run without a plan; empty for none."""
    found = {
        "SYNTHETIC DATA": results.synthetic,
        "POST HOC": results.post_hoc,
        "NOT PRE-REGISTERED": trust.unregistered(results),
    }
    return ", ".join(mark for mark, holds in found.items() if holds)


def outcome(results: Results) -> str:
    """Verdicts of the run in a few words."""
    groups = by_verdict(results)
    if not groups:
        return "baseline only, no verdict"
    if len(groups) == 1:
        return next(iter(groups))
    return ", ".join(f"{name} × {len(variants)}" for name, variants in groups.items())


def by_verdict(results: Results) -> Mapping[str, list[str]]:
    """Verdict to variants, in the order of the verdicts."""
    found = {name: [v.variant for v in results.verdicts if v.verdict == name] for name in _MEANING}
    return {name: variants for name, variants in found.items() if variants}


def header(results: Results) -> list[tuple[str, str]]:
    """Labelled lines above the verdict; those without content are left out."""
    plan = results.plan
    track: Mapping[str, Any] = plan["track"] or {}
    readiness = plan["readiness"]
    lines = [
        ("Date", str(plan["created_utc"])[:10]),
        ("Track", f"{track.get('id', '')}: {track.get('title', '')}".strip(": ")),
        ("Hypothesis", track.get("hypothesis", "")),
        ("Plan document", track.get("plan_document") or ""),
        ("MLOps readiness", _readiness(readiness)),
        ("Run", f"{plan['run_id']}: {status(results)}"),
        ("Plan hash", str(plan["plan_hash"])),
        ("Registration", trust.registration(results)),
        ("Same variants in other plans", trust.elsewhere(results)),
        ("Other variants on this market", trust.beside(results)),
        ("Interim looks", trust.looks(results)),
        ("Gates", _gates(results)),
    ]
    return [(label, text) for label, text in lines if text]


def status(results: Results) -> str:
    """Counts of rows and how the run ended."""
    tally = tallies(results)
    parts = [f"{count(tally['rows'])} rows", f"{count(tally['error'])} errors"]
    parts += [f"{count(tally[name])} {name}" for name in ("skipped", "missing") if tally[name]]
    ended = "completed" if not (tally["error"] or tally["missing"]) else "incomplete"
    return f"{', '.join(parts)}, status {ended}"


def tallies(results: Results) -> dict[str, int]:
    """Numbers of planned cells and of rows by status; ``missing`` are cells without a row."""
    states = results.rows["status"].value_counts()
    tally = {name: int(states.get(name, 0)) for name in ("ok", "error", "skipped")}
    planned = len(results.plan["cells"])
    return {"planned": planned, "rows": len(results.rows), **tally, "missing": max(0, planned - len(results.rows))}


def headline(results: Results) -> list[tuple[str, str]]:
    """Each verdict with a sentence that names its variants."""
    total = len(results.variants)
    return [
        (
            verdict,
            f"for {'all ' if len(names) == total > 1 else ''}{len(names)} variant{'s' if len(names) != 1 else ''} "
            f"({listed(names)}): {_meaning(verdict, results)}.",
        )
        for verdict, names in by_verdict(results).items()
    ]


def baseline_line(results: Results) -> str:
    """What the champion is, and whether anything may replace it."""
    locks = by_verdict(results).get("LOCK", [])
    options = {group: results.plan["options"].get(group) for group in results.plan["factor_groups"]}
    setting = f" ({assignments(options)})" if options else ""
    if not locks:
        return f"{results.baseline}{setting} stays the champion; nothing is to be changed in production."
    blocked = _blocked(results)
    if blocked:
        return f"{results.baseline}{setting} stays the champion: {blocked} cannot lock {listed(locks)}."
    return f"{listed(locks)} may replace the champion {results.baseline}{setting}; section 6 has the command."


def _meaning(verdict: str, results: Results) -> str:
    if verdict != "LOCK":
        return _MEANING[verdict]
    if trust.unregistered(results):
        return "every gate passed, but nobody had written variants and gates down before the run: lock refuses it"
    gate = "gate" if results.post_hoc else "pre-registered gate"
    return f"every {gate} passed; the variant may replace the baseline"


def _blocked(results: Results) -> str:
    """What keeps every variant of the run from being locked; empty for nothing."""
    if results.synthetic:
        return "synthetic data"
    if results.post_hoc:
        return "a post-hoc verdict"
    return "a run that was not pre-registered" if trust.unregistered(results) else ""


def _gates(results: Results) -> str:
    planned = str(results.plan["gates"]["name"])
    if results.verdict is None or results.verdict.gates == planned:
        return f"{planned}, hashed into the plan"
    return f"{results.verdict.gates}; the plan has {planned}"


def _readiness(readiness: Mapping[str, Any] | None) -> str:
    if not readiness or not readiness.get("path"):
        return ""
    digest = readiness.get("sha256")
    return f"{readiness['path']} (sha256 {digest[:12]})" if digest else f"{readiness['path']} (not found)"

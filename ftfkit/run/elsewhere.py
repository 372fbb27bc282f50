"""What other plans made of the variants of one: the same trial under other gates, and trials outside its family."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ftfkit.run.ledger import Entry
from ftfkit.run.trials import same_trial, trial_facts

JUDGED = ("judged", "rejudged")
MARKET = ("assets", "label", "edges_utc")


def elsewhere_advice(others: Sequence[Entry], document: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """What advice.json tells of other plans.

    Parameters
    ----------
    others : sequence of Entry
        Ledger lines of other plans, from before the run was judged.
    document : mapping
        The run's plan.
    facts : mapping
        ``judged_facts`` of the run.
    """
    own = {name: one for name, one in facts["variants"].items() if name != document["baseline"]}
    return {
        "elsewhere": [_told(entry, there, name) for name, one in own.items() for entry, there in _same(others, one)],
        "beside": _beside(others, facts),
    }


def judged_otherwise(entries: Iterable[Entry], document: Mapping[str, Any], variant: str) -> list[tuple[Entry, str]]:
    """Lines in which a run of another plan judged the same trial, and not LOCK, each with its verdict."""
    own = trial_facts(document)[variant]
    others = [one for one in entries if one.kind == "judged" and one.facts.get("plan_hash") != document["plan_hash"]]
    found = [(entry, str(entry.facts["variants"][name]["verdict"])) for entry, name in _same(others, own)]
    return [(entry, verdict) for entry, verdict in found if verdict != "LOCK"]


def _same(entries: Iterable[Entry], own: Mapping[str, str]) -> Iterator[tuple[Entry, str]]:
    """Lines that hold a trial as a variant, with its name there."""
    for entry in entries:
        if entry.kind == "planned" or entry.kind in JUDGED:
            yield from ((entry, name) for name, one in _variants(entry) if same_trial(one, own))


def _variants(entry: Entry) -> list[tuple[str, Any]]:
    """Variants of a line without its baseline, which a judged line shows by having no verdict."""
    found = entry.facts["variants"].items()
    if entry.kind == "planned":
        return [(name, one) for name, one in found if name != entry.facts.get("baseline")]
    return [(name, one) for name, one in found if one.get("verdict") is not None]


def _told(entry: Entry, there: str, name: str) -> dict[str, Any]:
    one = entry.facts["variants"][there]
    return {
        "variant": name,
        "ledger_line": entry.n,
        "kind": entry.kind,
        "plan_hash": entry.facts["plan_hash"],
        "run_id": entry.facts.get("run_id"),
        "verdict": one["verdict"] if entry.kind in JUDGED else None,
    }


def _beside(others: Sequence[Entry], facts: Mapping[str, Any]) -> dict[str, int]:
    """How many trials other plans hold on the same assets, label and blocks: corrections for many tests miss them."""
    alike = [
        entry
        for entry in others
        if entry.kind in {"planned", "judged"} and all(entry.facts.get(key) == facts[key] for key in MARKET)
    ]
    found = {
        one["trial"]: entry.facts["plan_hash"]
        for entry in alike
        for _, one in _variants(entry)
        if not any(same_trial(one, own) for own in facts["variants"].values())
    }
    return {"n_variants": len(found), "n_plans": len({*found.values()})}

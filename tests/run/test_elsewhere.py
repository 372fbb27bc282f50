"""What advice tells of other plans: the same trial under other gates, and trials that no correction counts."""

from __future__ import annotations

from typing import Any

from ftfkit.run.elsewhere import elsewhere_advice
from ftfkit.run.ledger import Entry

MARKET = {"assets": ["A", "B"], "label": "L", "edges_utc": ["x", "y"]}
DOCUMENT = {"baseline": "none", "plan_hash": "own"}


def trial(name: str, verdict: str | None = None) -> dict[str, Any]:
    return {"trial": f"trial of {name}", "fits": f"fits of {name}", "verdict": verdict}


OWN = {**MARKET, "run_id": "r0", "plan_hash": "own", "variants": {"none": trial("none"), "a": trial("a", "LOCK")}}


def entry(n: int, kind: Any, variants: dict[str, Any], **changes: Any) -> Entry:
    facts = {**MARKET, "plan_hash": f"plan {n}", "run_id": f"r{n}", "variants": variants, **changes}
    return Entry(n, "", kind, facts, "", "")


def test_lines_that_hold_the_same_trial_are_listed() -> None:
    renamed = {**trial("a"), "fits": "other"}
    dearer = {**trial("a", "ABANDON"), "trial": "other"}
    others = [
        entry(1, "planned", {"b": renamed, "none": trial("none")}, baseline="none"),
        entry(2, "judged", {"none": trial("none"), "a": dearer}),
        entry(3, "rejudged", {"a": trial("a", "INCONCLUSIVE")}),
        entry(4, "planned", {"a": trial("a"), "none": trial("none")}, baseline="a"),
        entry(5, "planned", {"x": {**trial("a"), "fits": "others"}}),
        entry(6, "looked", {"a": trial("a", "LOCK")}),
    ]
    found = elsewhere_advice(others, DOCUMENT, OWN)["elsewhere"]
    assert [(one["variant"], one["ledger_line"], one["kind"], one["verdict"]) for one in found] == [
        ("a", 1, "planned", None),
        ("a", 2, "judged", "ABANDON"),
        ("a", 3, "rejudged", "INCONCLUSIVE"),
        ("a", 5, "planned", None),
    ]


def test_variants_of_other_plans_on_the_same_market_are_counted_once_each() -> None:
    others = [
        entry(1, "planned", {"b": trial("b"), "none": trial("none")}, baseline="none"),
        entry(2, "judged", {"b": trial("b", "ABANDON"), "none": trial("none")}, plan_hash="plan 1"),
        entry(3, "judged", {"c": trial("c", "ABANDON"), "a": trial("a", "LOCK")}),
        entry(4, "judged", {"d": trial("d", "ABANDON")}, assets=["A"]),
        entry(5, "judged", {"e": trial("e", "ABANDON")}, label="M"),
        entry(6, "planned", {"f": trial("f")}, edges_utc=["x", "z"]),
    ]
    assert elsewhere_advice(others, DOCUMENT, OWN)["beside"] == {"n_variants": 2, "n_plans": 2}

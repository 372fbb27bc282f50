"""How far a verdict can be trusted: registration, interim looks, confounds, luck among all trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ftfkit.dossier.results import Results
from ftfkit.dossier.text import Table, listed, moment, number, table

SHOWN = 5  # lines of other plans that are named; the others are counted


def registration(results: Results) -> str:
    """When the run was planned, or that it was not; empty where the plan does not say."""
    if "registration" not in results.plan:
        return ""
    found = results.plan["registration"]
    if not found:
        return "not pre-registered (python -m ftfkit plan freezes variants, gates and data before a run)"
    planned = f"pre-registered {moment(found['planned_utc'])} UTC (ledger line {found['ledger_line']})"
    return f"{planned}{''.join(f'; {text}' for text in known_lines(results))}"


def unregistered(results: Results) -> bool:
    """Whether there are verdicts on a plan that nobody had written down before the run."""
    return results.verdict is not None and results.plan.get("registration", True) is None


def known_lines(results: Results) -> list[str]:
    """Variants whose results somebody had seen before they were planned."""
    known: Mapping[str, str] = (results.plan.get("registration") or {}).get("known", {})
    runs: dict[str, list[str]] = {}
    for name, run in known.items():
        runs.setdefault(run, []).append(name)
    return [f"the results of {listed(names)} were known before, from run {run}" for run, names in runs.items()]


def judged_otherwise_lines(results: Results, names: Sequence[str]) -> list[str]:
    """Runs of other plans that judged one of these variants, and not LOCK."""
    return [
        f"{one['variant']} was {one['verdict']} in run {one['run_id']} of another plan"
        for one in _advice(results).get("elsewhere", [])
        if one["kind"] == "judged" and one["verdict"] != "LOCK" and one["variant"] in names
    ]


def elsewhere(results: Results) -> str:
    """Ledger lines of other plans that hold a variant of this run; empty without any."""
    found = _advice(results).get("elsewhere", [])
    told = [f"{one['variant']} {_done(one)}" for one in found[:SHOWN]]
    return "; ".join([*told, *([f"and {len(found) - SHOWN} more in advice.json"] if len(found) > SHOWN else [])])


def beside(results: Results) -> str:
    """How many variants other plans tried on the same market; empty for none."""
    found = _advice(results).get("beside") or {"n_variants": 0, "n_plans": 0}
    n, plans = found["n_variants"], found["n_plans"]
    if not n:
        return ""
    tried = f"{n} variant{'s' if n != 1 else ''} of {plans} other plan{'s' if plans != 1 else ''}"
    return f"{tried} on the same assets, label and blocks; the p-values adjusted for this family do not count them"


def _done(one: Mapping[str, Any]) -> str:
    if one["kind"] == "planned":
        return f"is also in another plan (ledger line {one['ledger_line']})"
    again = "judged again, post hoc," if one["kind"] == "rejudged" else "judged"
    return f"was {again} {one['verdict']} by another plan (run {one['run_id']}, ledger line {one['ledger_line']})"


def looks(results: Results) -> str:
    """Looks at interim results of this plan; empty without any."""
    found = _advice(results).get("looks", [])
    told = [f"{moment(look['utc'])} UTC at {look['n_rows']} of {look['n_cells']} rows" for look in found]
    return f"{len(told)} ({listed(told)}); each adds to the chance of a false lock" if told else ""


def confounds(results: Results) -> list[tuple[str, list[str]]]:
    """What would explain a difference besides the factor, with the variants concerned."""
    return [(one["text"], list(one["variants"])) for one in _advice(results).get("confounds", [])]


def deflated(results: Results) -> Table:
    """Deflated Sharpe ratio of each variant; undefined with fewer than four blocks."""
    found: Mapping[str, Any] = _trials(results).get("deflated_sharpe", {})
    rows = [
        (name, *(number(one[key], 3, signed=key != "probability") for key in ("sharpe", "benchmark", "probability")))
        for name in results.names  # not the file's order, which verify cannot know
        if (one := found.get(name)) is not None
    ]
    columns = ("Variant", "Sharpe a block", "luck among all trials", "probability of a true Sharpe above that")
    return table(columns, rows)


def trials_line(results: Results) -> str:
    """How many configurations were ever judged on these assets; empty where nobody counted."""
    trials = _trials(results)
    if not trials:
        return ""
    n = trials["n_trials"]
    return (
        f"The ledger knows {n} configuration{'s' if n != 1 else ''} judged on these assets, this run's included. The "
        "best of many looks better than it is."
    )


def overfitting_line(results: Results) -> str:
    """Probability of backtest overfitting; empty where it is undefined."""
    found = _trials(results).get("overfitting")
    if not found:
        return ""
    return (
        f"Probability of backtest overfitting by f1_buy: {found['probability']:.2f} over {found['n_combinations']} "
        f"ways to split {_blocks(found['n_splits'], len(results.folds))} in two, among {found['n_strategies']} "
        "configurations; at .5 the best of one half says nothing about the other."
    )


def _blocks(n: int, folds: int) -> str:
    return f"{n} blocks" if n == folds else f"{n} of the {folds} blocks"


def _advice(results: Results) -> Mapping[str, Any]:
    return results.advice or {}


def _trials(results: Results) -> Mapping[str, Any]:
    trials: Mapping[str, Any] = _advice(results).get("trials", {})
    return trials

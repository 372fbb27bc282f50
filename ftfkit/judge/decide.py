"""The four verdicts, in the defined order: the first that applies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.judge.gates import not_comparable
from ftfkit.types import ROUNDING, GateResult, VerdictName

LIFT_GATES = ("f1_lift", "dependence")  # more data could still turn these
SMALL_GATES = {"sample_size", "mlops_readiness"}  # failing these alone says nothing against the idea
MAX_BUY_RATE = 0.9
MAX_REASONS = 20

Decision = tuple[VerdictName, tuple[str, ...]]


@dataclass(frozen=True)
class Case:
    """One variant before the decision."""

    evidence: GateEvidence
    faults: tuple[str, ...]  # missing and error rows, NaN; the baseline's too
    lost: tuple[str, ...]  # those of them that leave a cell without a result
    baseline_doubt: str  # why nothing can be concluded against this baseline, or nothing


def decide(case: Case, checks: Mapping[str, GateCheck], results: Mapping[str, GateResult], gates: str) -> Decision:
    """Verdict with its reasons.

    Parameters
    ----------
    case : Case
    checks, results : mapping
        The chosen set and what it found, by gate.
    gates : str
        Name of the set.
    """
    excused = {name for name, check in checks.items() if not_comparable(check, case.evidence)}
    incomplete = _incomplete(case, results, excused)
    if incomplete:
        return "INCOMPLETE", incomplete
    failed = [name for name, result in results.items() if result.status not in {"PASS", "NOT_APPLICABLE"}]
    if not failed:
        return "LOCK", (f"every gate of {gates} passes",)
    told = tuple(f"{name} {results[name].status}: {results[name].reason}" for name in failed)
    doubts = _doubts(case, failed)
    return ("INCONCLUSIVE", (*doubts, *told)) if doubts else ("ABANDON", told)


def baseline_doubt(rows: pd.DataFrame) -> str:
    """Baselines that buy nearly everything or rank no better than chance; rows may lack the columns."""
    doubts = []
    if "buy_rate" in rows and rows["buy_rate"].mean() > MAX_BUY_RATE + ROUNDING:
        doubts.append(f"the baseline buys {rows['buy_rate'].mean():.1%} of all events")
    if {"average_precision", "ap_chance"} <= set(rows):
        skill = (rows["average_precision"] - rows["ap_chance"]).mean()
        if skill <= ROUNDING:
            doubts.append(f"the baseline ranks no better than chance (average precision {skill:+.4f} above it)")
    return "; ".join(doubts)


def _incomplete(case: Case, results: Mapping[str, GateResult], excused: set[str]) -> tuple[str, ...]:
    if case.faults:
        more = len(case.faults) - MAX_REASONS
        return (*case.faults[:MAX_REASONS], *([f"and {more} more"] if more > 0 else []))
    broken = [name for name, result in results.items() if result.status == "ERROR" and name not in excused]
    return tuple(f"{name} ERROR: {results[name].reason}" for name in broken)


def _doubts(case: Case, failed: Sequence[str]) -> tuple[str, ...]:
    """Reasons why the failed gates do not settle the matter."""
    doubts, required = [], case.evidence.required_lift
    if case.evidence.test_events_differ:
        doubts.append("f1 is not comparable: scored on other test events than the baseline")
    elif any(name in LIFT_GATES for name in failed):
        high = case.evidence.comparison.fold_t.ci95[1]
        if high is None or high >= required - ROUNDING:
            bound = "undefined" if high is None else f"{high:+.4f}"
            doubts.append(f"upper bound of the fold-t CI95 is {bound}: a lift of {required:g} is not ruled out")
    if set(failed) <= SMALL_GATES:
        doubts.append(f"only {' and '.join(failed)} failed")
    if case.baseline_doubt:
        doubts.append(case.baseline_doubt)
    return tuple(doubts)

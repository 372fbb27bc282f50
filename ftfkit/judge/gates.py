"""Runs gate checks so that they fail closed: no evidence, no pass."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Real
from typing import get_args

import numpy as np

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.judge.rows import Cell, first_of
from ftfkit.types import GateResult, GateStatus

READINESS_GATE = "mlops_readiness"  # the one gate that may be not applicable


def run_gates(checks: Mapping[str, GateCheck], evidence: GateEvidence, lost: Sequence[str]) -> dict[str, GateResult]:
    """Result of each gate check.

    Parameters
    ----------
    checks : mapping of str to GateCheck
    evidence : GateEvidence
    lost : sequence of str
        Cells without a result, of the variant or its baseline; any makes the gates that read rows ERROR.

    Notes
    -----
    Each check gets frames of its own: one that edits them cannot decide those after it.
    """
    return {name: _run(name, check, evidence, lost) for name, check in checks.items()}


def not_comparable(check: GateCheck, evidence: GateEvidence) -> bool:
    """True when the check compares F1 between rows that were scored on different events."""
    return check.compares_f1 and evidence.test_events_differ


def _run(name: str, check: GateCheck, evidence: GateEvidence, lost: Sequence[str]) -> GateResult:
    missing = _missing(check, evidence, lost)
    if missing:
        return GateResult("ERROR", reason=missing)
    try:
        result = check.check(_own(evidence))
        wrong = _wrong(name, result)
        if wrong:
            return GateResult("ERROR", reason=_line(wrong))
        return replace(result, observed=_plain(result.observed), threshold=_plain(result.threshold))
    except (Exception, SystemExit) as error:  # a plugin's check may break; no verdict rests on it, none is lost for it
        return GateResult("ERROR", reason=_line(f"raised {type(error).__name__}: {error}"))


def _wrong(name: str, result: GateResult) -> str:
    """Why a result cannot be used, or nothing."""
    if not isinstance(result, GateResult) or result.status not in get_args(GateStatus):
        return f"gave {result!r}, must give a GateResult with one of the four statuses"
    if result.status == "NOT_APPLICABLE" and name != READINESS_GATE:
        return f"NOT_APPLICABLE is for {READINESS_GATE} alone: {result.reason}"
    texts: dict[str, object] = {"unit": result.unit, "reason": result.reason}
    for field, value in {"observed": result.observed, "threshold": result.threshold}.items():
        if isinstance(value, str):
            texts[field] = value
        elif value is not None and not isinstance(value, Real):
            return f"{field} == {value!r}, must be a number or text"
        elif result.status in {"PASS", "FAIL"} and _undefined(field, value):
            return f"{field} == {value!r}, must be defined for a {result.status}: {result.reason}"
    for field, text in texts.items():
        if not isinstance(text, str) or text.splitlines() not in ([], [text]):
            return f"{field} == {text!r}, must be one line of text"
    return ""


def _undefined(field: str, value: float | None) -> bool:
    """A check may do without a threshold, but not without a figure."""
    return field == "observed" if value is None else not math.isfinite(value)


def _line(text: str) -> str:
    return " ".join(text.split())


def _own(evidence: GateEvidence) -> GateEvidence:
    """Frames that share their data until one is written to, as all shallow copies of pandas do."""
    rows, baseline_rows = (frame.copy(deep=False) for frame in (evidence.rows, evidence.baseline_rows))
    return replace(evidence, rows=rows, baseline_rows=baseline_rows)


def _missing(check: GateCheck, evidence: GateEvidence, lost: Sequence[str]) -> str:
    """Why the check cannot be made, or nothing."""
    if not_comparable(check, evidence):
        return "not comparable: scored on other test events than the baseline"
    if not check.requires:
        return ""
    if lost:
        return first_of(lost)
    if evidence.rows.empty:
        return "no pair of rows"
    absent = [column for column in check.requires if column not in evidence.rows]
    return f"column {', '.join(absent)} is missing" if absent else _first_nan(check, evidence)


def _first_nan(check: GateCheck, evidence: GateEvidence) -> str:
    for frame in (evidence.rows, evidence.baseline_rows):
        for column in check.requires:
            empty = np.flatnonzero(frame[column].isna())
            if len(empty):
                first = frame.iloc[empty[0]]
                return f"{column} is NaN: {Cell(first['variant'], first['asset'], int(first['fold']))}"
    return ""


def _plain(value: float | str | None) -> float | str | None:
    """A Python number, or None where JSON has no word for it."""
    if value is None or isinstance(value, str):
        return value
    return float(value) if math.isfinite(value) else None

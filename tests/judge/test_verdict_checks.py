"""Gate checks that break, dodge or edit their evidence."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.judge import Criteria
from ftfkit.types import GateResult


class Careless(GateCheck):
    """A plugin's check that answers whatever it was built with."""

    status: str = "NOT_APPLICABLE"

    def check(self, evidence: GateEvidence) -> GateResult:
        if self.status == "raise":
            raise ZeroDivisionError("no trades\nat all")
        if self.status == "exit":
            sys.exit(0)
        if self.status == "nothing":
            return None  # type: ignore[return-value]
        return GateResult(self.status, observed=float("nan"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("NOT_APPLICABLE", "NOT_APPLICABLE is for mlops_readiness alone"),
        ("raise", "raised ZeroDivisionError: no trades"),
        ("exit", "raised SystemExit: 0"),
        ("nothing", "gave None, must give a GateResult"),
        ("pass", "gave GateResult(status='pass'"),
    ],
)
def test_a_check_that_breaks_or_dodges_fails_closed(judged, panel, strict, status: str, reason: str) -> None:
    careless = Criteria(strict.gates, {**strict.checks, "turnover": Careless(status=status)}, strict.stats)
    one = judged(panel(), careless)
    assert one.verdict == "INCOMPLETE"
    assert one.gates["turnover"].reason.startswith(reason)


class Vague(GateCheck):
    """A plugin's check that passes on whatever figures and texts it was built with."""

    given: Any

    def check(self, evidence: GateEvidence) -> GateResult:
        return GateResult(**{"status": "PASS", "observed": 1.0, "threshold": 0.0, **self.given})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"observed": float("nan"), "threshold": float("inf")}, "observed == nan, must be defined for a PASS"),
        ({"observed": None, "status": "FAIL"}, "observed == None, must be defined for a FAIL"),
        ({"threshold": np.float64("inf")}, "threshold == "),
        ({"observed": [1.0]}, "observed == [1.0], must be a number or text"),
        ({"threshold": [1.0], "status": "ERROR"}, "threshold == [1.0], must be a number or text"),
        ({"observed": "1\n2"}, "observed == '1\\n2', must be one line of text"),
        ({"unit": "bps\n"}, "unit == 'bps\\n', must be one line of text"),
        ({"reason": None}, "reason == None, must be one line of text"),
    ],
)
def test_a_result_that_is_not_well_defined_is_an_error(judged, panel, strict, given: Any, reason: str) -> None:
    vague = Criteria(strict.gates, {**strict.checks, "vague": Vague(given=given)}, strict.stats)
    one = judged(panel(), vague)
    assert (one.verdict, one.gates["vague"].status) == ("INCOMPLETE", "ERROR")
    assert one.gates["vague"].reason.startswith(reason)


@pytest.mark.parametrize("observed", ["+3 bps, +1", 3, np.int64(3), np.float32(3)])
def test_a_check_may_observe_text_or_any_number(judged, panel, strict, observed: Any) -> None:
    vague = Criteria(strict.gates, {**strict.checks, "vague": Vague(given={"observed": observed})}, strict.stats)
    assert judged(panel(), vague).gates["vague"].status == "PASS"


class Editing(GateCheck):
    """A plugin's check that makes the evidence better than it is."""

    def check(self, evidence: GateEvidence) -> GateResult:
        for frame, value in ((evidence.rows, 1.0), (evidence.baseline_rows, 0.0)):
            frame["average_precision"] = value
            frame["n_trades"] = 1e6
        return GateResult("PASS", 1.0, 0.0, "share", "edited")


def test_a_check_that_edits_its_evidence_decides_no_other_gate(judged, panel, strict) -> None:
    rows = panel(average_precision=0.2, n_trades=1.0)
    edited = Criteria(strict.gates, {"editing": Editing(), **strict.checks}, strict.stats)
    gates = dict(judged(rows, edited).gates)
    assert gates.pop("editing").status == "PASS"
    assert gates == judged(rows, strict).gates
    assert {gates[name].status for name in ("no_skill", "operating_point", "sample_size")} == {"FAIL"}

"""Conformance of gate checks: one passing and one failing case each, and no pass without evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.judge.gates import run_gates
from ftfkit.testing.conformance import Conformance
from ftfkit.testing.evidence import hopeless_evidence, no_evidence, promising_evidence, with_baseline_f1
from ftfkit.types import GateResult, GateStatus

CELL = ("variant", "asset", "fold", "status")


class GateCheckConformance(Conformance):
    """A gate passes and fails where it should and is ERROR without evidence; it fails closed.

    Override ``passing`` and ``failing`` where the made-up evidence lacks a column that the check reads, or where it
    is not to be decided by a variant that is better, or worse, in everything.
    """

    def passing(self, component: GateCheck) -> GateEvidence:
        """Evidence on which the check must say PASS."""
        return promising_evidence()

    def failing(self, component: GateCheck) -> GateEvidence:
        """Evidence on which the check must say FAIL."""
        return hopeless_evidence()

    def test_passes_where_it_should(self, component: GateCheck) -> None:
        result = _run(component, self.passing(component))
        assert result.status == "PASS", result.reason
        _assert_well_formed(result)

    def test_fails_where_it_should(self, component: GateCheck) -> None:
        result = _run(component, self.failing(component))
        assert result.status == "FAIL", result.reason
        _assert_well_formed(result)

    def test_missing_evidence_is_an_error(self, component: GateCheck) -> None:
        result = _run(component, no_evidence())
        assert result.status == "ERROR", result.reason
        assert result.reason

    def test_a_missing_column_is_an_error(self, component: GateCheck) -> None:
        evidence = self.passing(component)
        for column in component.requires:
            without = replace(evidence, rows=evidence.rows.drop(columns=column))
            result = _run(component, without)
            assert (result.status, column in result.reason) == ("ERROR", True)

    @pytest.mark.parametrize("whose", ["rows", "baseline_rows"])
    def test_a_nan_in_a_required_column_is_an_error(self, component: GateCheck, whose: str) -> None:
        evidence = self.passing(component)
        for column in component.requires:
            frame = getattr(evidence, whose).copy()
            frame[column] = frame[column].astype(float)
            frame.loc[3, column] = np.nan
            assert _run(component, replace(evidence, **{whose: frame})).status == "ERROR", column

    def test_a_lost_cell_is_an_error_where_rows_are_read(self, component: GateCheck) -> None:
        if component.requires:
            assert _run(component, self.passing(component), ["row missing"]).status == "ERROR"

    def test_reads_no_column_that_it_does_not_require(self, component: GateCheck) -> None:
        """Otherwise a missing one would be found out too late, or not at all."""
        evidence = self.passing(component)
        kept = [*CELL, *component.requires]
        narrow = replace(evidence, rows=evidence.rows[kept], baseline_rows=evidence.baseline_rows[kept])
        assert _run(component, narrow) == _run(component, evidence)

    def test_other_test_events_are_not_compared_by_f1(self, component: GateCheck) -> None:
        if component.compares_f1:
            assert _run(component, replace(self.passing(component), test_events_differ=True)).status == "ERROR"

    @pytest.mark.parametrize("f1", [0.1, 0.9])
    def test_declares_that_it_compares_f1_where_it_does(self, component: GateCheck, f1: float) -> None:
        """F1 of other events is another quantity: with ``compares_f1`` the core refuses to set one beside the other.

        A check of the variant's F1 alone, such as its swing over folds, compares nothing and may leave it False.
        """
        if component.compares_f1:
            pytest.skip("declares compares_f1")
        for evidence in (self.passing(component), self.failing(component)):
            assert _run(component, with_baseline_f1(evidence, f1)) == _run(component, evidence), "set compares_f1"

    def test_is_deterministic_and_leaves_the_evidence_alone(self, component: GateCheck) -> None:
        evidence, untouched = self.passing(component), self.passing(component)
        assert component.check(evidence) == component.check(evidence)  # the judge itself would hand out copies
        pd.testing.assert_frame_equal(evidence.rows, untouched.rows)
        pd.testing.assert_frame_equal(evidence.baseline_rows, untouched.baseline_rows)


def _run(check: GateCheck, evidence: GateEvidence, lost: Sequence[str] = ()) -> GateResult:
    """As the judge runs any check, whatever it is called: none but ``mlops_readiness`` may be NOT_APPLICABLE."""
    return run_gates({"check": check}, evidence, lost)["check"]


def _assert_well_formed(result: GateResult) -> None:
    assert result.status in get_args(GateStatus)
    assert result.reason
    assert "\n" not in result.reason
    assert result.unit
    for figure in (result.observed, result.threshold):
        assert isinstance(figure, str) or (figure is not None and math.isfinite(figure))

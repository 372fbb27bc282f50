"""Each suite for decision rules, metrics, gate checks and dossier sections finds the faults it is there for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd

import ftfkit.testing as suites
from ftfkit.components import DecisionContext, DecisionRule, DossierSection, GateCheck, GateEvidence, Metric
from ftfkit.types import GateResult, Scored


class NeverSure(DecisionRule):
    def threshold(self, context: DecisionContext) -> float:
        return float(np.std(context.oof_proba, ddof=1))


class Undefined(Metric):
    def compute(self, scored: Scored) -> Mapping[str, float]:
        with np.errstate(invalid="ignore"):
            return {"hit_rate": float(np.divide(scored.y[scored.buy].sum(), scored.buy.sum()))}


class PassesOnNothing(GateCheck):
    def check(self, evidence: GateEvidence) -> GateResult:
        bad = bool((evidence.rows["expectancy_bps"] < 0).any()) if "expectancy_bps" in evidence.rows else False
        return GateResult("FAIL" if bad else "PASS", 0.0, 0.0, "bps", "no row is negative")


class ReadsMore(GateCheck):
    requires: ClassVar[tuple[str, ...]] = ("f1_buy",)

    def check(self, evidence: GateEvidence) -> GateResult:
        n_trades = float(evidence.rows["n_trades"].mean()) if "n_trades" in evidence.rows else 0.0
        return GateResult("PASS", n_trades, 0.0, "trades", "trades a row")


class ComparesUndeclared(GateCheck):
    """Sets F1 of the variant beside the baseline's, on whatever events each was scored."""

    requires: ClassVar[tuple[str, ...]] = ("f1_buy",)

    def check(self, evidence: GateEvidence) -> GateResult:
        delta = float((evidence.rows["f1_buy"] - evidence.baseline_rows["f1_buy"]).median())
        return GateResult("PASS" if delta > 0 else "FAIL", delta, 0.0, "f1_buy", "median delta")


class ReadsTheComparison(GateCheck):
    requires: ClassVar[tuple[str, ...]] = ("n_trades",)

    def check(self, evidence: GateEvidence) -> GateResult:
        passed = (evidence.comparison.d_z or 0) > 0.5
        return GateResult("PASS" if passed else "FAIL", float(passed), 1.0, "d_z", "effect size")


class Loud(DossierSection):
    title: ClassVar[str] = "Loud"

    def render(self, rows: pd.DataFrame, comparisons: Any) -> str:
        rows["n_trades"] = 0
        return "# Loud\n"


FAULTS = [
    (suites.DecisionRuleConformance, NeverSure(), "test_threshold_is_a_number"),
    (suites.MetricConformance, Undefined(), "test_every_column_is_finite"),
    (suites.GateCheckConformance, PassesOnNothing(), "test_missing_evidence_is_an_error"),
    (suites.GateCheckConformance, ReadsMore(), "test_reads_no_column_that_it_does_not_require"),
    (suites.GateCheckConformance, ComparesUndeclared(), "test_declares_that_it_compares_f1_where_it_does"),
    (suites.GateCheckConformance, ReadsTheComparison(), "test_declares_that_it_compares_f1_where_it_does"),
    (suites.DossierSectionConformance, Loud(), "test_headings_stay_below_those_of_the_dossier"),
    (suites.DossierSectionConformance, Loud(), "test_is_deterministic_and_leaves_the_rows_alone"),
]


def test_a_fault_is_found_by_the_test_that_is_there_for_it(is_found: bool) -> None:
    assert is_found

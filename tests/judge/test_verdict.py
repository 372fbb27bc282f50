"""The four verdicts, in their order, and what each is for."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.errors import RowsError
from ftfkit.judge import ADVICE_GATES, Criteria, Grid, Readiness, judge_rows
from ftfkit.types import GateResult, VariantVerdict

LINE = np.array([-2, -1, 0, 1, 2]) / np.sqrt(2.5)
WORSE = {"f1_buy": 0.35 + 0.01 * np.outer(LINE, LINE)}


def judged(rows: pd.DataFrame, criteria: Criteria, **more: object) -> VariantVerdict:
    return judge_rows(rows, baseline="none", criteria=criteria, **more).variants["better"]  # type: ignore[arg-type]


# INCOMPLETE


@pytest.mark.parametrize("row", [7, 32])
def test_a_missing_row_is_named(panel, strict, row: int) -> None:
    one = judged(panel().drop(index=row), strict)
    assert one.verdict == "INCOMPLETE"
    assert one.reasons == (f"row missing: {'none' if row < 25 else 'better'}, A1, fold 2",)
    assert one.gates["f1_lift"].status == "ERROR"


@pytest.mark.parametrize("status", ["error", "running", ""])
def test_a_status_other_than_ok_or_skipped_is_named(panel, strict, status: str) -> None:
    rows = panel()
    rows.loc[40, "status"] = status or "OK"
    one = judged(rows, strict)
    assert (one.verdict, one.reasons) == ("INCOMPLETE", (f"status {status or 'OK'}: better, A3, fold 0",))


def test_a_nan_that_the_set_reads_is_named(panel, strict) -> None:
    rows = panel()
    rows.loc[41, "sortino"] = np.nan
    one = judged(rows, strict)
    assert (one.verdict, one.reasons) == ("INCOMPLETE", ("sortino is NaN: better, A3, fold 1",))
    assert {name for name, result in one.gates.items() if result.status == "ERROR"} == {"joint_metric"}


def test_a_nan_that_the_set_does_not_read_is_let_be(panel, published) -> None:
    rows = panel()
    rows.loc[41, "average_precision"] = np.nan
    one = judged(rows, published)
    assert one.verdict == "LOCK"
    assert one.advice["no_skill"].reason == "average_precision is NaN: better, A3, fold 1"


def test_incomplete_comes_before_abandon(panel, strict) -> None:
    rows = panel(**WORSE)
    rows.loc[41, "n_trades"] = np.nan
    assert judged(rows, strict).verdict == "INCOMPLETE"


def test_a_baseline_row_taints_all_variants_and_a_variant_row_its_own(panel, strict) -> None:
    rows = panel(variants=("better", "other"))
    only_other = judge_rows(rows.drop(index=60), baseline="none", criteria=strict)
    assert [one.verdict for one in only_other.variants.values()] == ["LOCK", "INCOMPLETE"]
    both = judge_rows(rows.drop(index=3), baseline="none", criteria=strict)
    assert [one.verdict for one in both.variants.values()] == ["INCOMPLETE", "INCOMPLETE"]


def test_an_error_in_the_chosen_set_leaves_it_incomplete(panel, strict) -> None:
    one = judged(panel().drop(columns="ap_chance"), strict)
    assert (one.verdict, one.reasons) == ("INCOMPLETE", ("no_skill ERROR: column ap_chance is missing",))


def test_an_expected_document_that_is_not_there_leaves_it_incomplete(panel, strict) -> None:
    one = judged(panel(), strict, readiness=Readiness(None, expected=True))
    assert (one.verdict, one.gates["mlops_readiness"].status) == ("INCOMPLETE", "ERROR")


def test_one_fold_leaves_it_incomplete(panel, strict) -> None:
    one = judged(panel(n_folds=1), strict)
    assert one.verdict == "INCOMPLETE"
    assert {name for name, result in one.gates.items() if result.status == "ERROR"} == {
        "stability",
        "dependence",
        "no_skill",
    }
    comparison = one.comparison
    assert (comparison.fold_t.p, comparison.nadeau_bengio.t, comparison.mde80, comparison.icc_fold) == (None,) * 4


def test_long_lists_of_faults_are_cut(panel, strict) -> None:
    rows = panel(n_folds=10)
    rows.loc[rows["variant"] == "better", "status"] = "error"
    one = judged(rows, strict)
    assert len(one.reasons) == 21
    assert one.reasons[-1] == "and 30 more"


def test_planned_cells_that_no_row_shows_are_missing(panel, strict) -> None:
    grid = Grid(("better", "never"), tuple(f"A{i}" for i in range(5)), (0, 1, 2, 3, 4, 5))
    verdict = judge_rows(panel(), baseline="none", criteria=strict, grid=grid)
    assert [one.verdict for one in verdict.variants.values()] == ["INCOMPLETE", "INCOMPLETE"]
    assert verdict.variants["never"].comparison.n_pairs == 0
    assert "row missing: none, A0, fold 5" in verdict.variants["better"].reasons


def test_planned_variants_without_rows_count_in_the_family(panel, strict) -> None:
    assets, folds = tuple(f"A{i}" for i in range(5)), tuple(range(5))
    alone = judge_rows(panel(), baseline="none", criteria=strict, grid=Grid(("better",), assets, folds))
    family = judge_rows(panel(), baseline="none", criteria=strict, grid=Grid(("better", "b", "c"), assets, folds))
    p, p_bh = (run.variants["better"].comparison.nadeau_bengio.p_bh for run in (alone, family))
    assert p_bh == pytest.approx(3 * p)


# skipped rows


def test_skipped_rows_are_not_missing(panel, strict) -> None:
    rows = panel(f1_buy=0.05)
    rows.loc[rows.index[45:], ["status", "f1_buy", "sortino"]] = ["skipped", np.nan, np.nan]
    one = judged(rows, strict)
    assert one.verdict == "ABANDON"
    assert one.comparison.n_pairs == 20


def test_skipped_rows_cannot_lock(panel, strict) -> None:
    rows = panel()
    rows.loc[40, "status"] = "skipped"
    one = judged(rows, strict)
    assert {result.status for result in one.gates.values()} <= {"PASS", "NOT_APPLICABLE"}
    assert (one.verdict, one.reasons[0][:22]) == ("INCOMPLETE", "1 rows were skipped as")


# LOCK


def test_readiness_that_is_not_applicable_does_not_stop_a_lock(panel, strict) -> None:
    one = judged(panel(), strict)
    assert (one.verdict, one.gates["mlops_readiness"].status) == ("LOCK", "NOT_APPLICABLE")


def test_a_lock_comes_before_doubts_about_the_baseline(panel, strict) -> None:
    assert judged(panel(base_buy_rate=0.95), strict).verdict == "LOCK"


def test_advice_never_changes_the_verdict(panel, criteria) -> None:
    six = criteria("f1_buy_boost", advice=ADVICE_GATES)
    rows = panel(f1_buy_tuned=0.40, average_precision=0.20)
    one = judged(rows, six)
    assert one.verdict == "LOCK"
    assert {name: result.status for name, result in one.advice.items()} == {
        "dependence": "PASS",
        "operating_point": "FAIL",
        "no_skill": "FAIL",
    }


def test_advice_that_the_set_holds_is_not_run_twice(panel, criteria) -> None:
    assert judged(panel(), criteria("f1_buy_boost_strict", advice=ADVICE_GATES)).advice == {}


# INCONCLUSIVE


def test_a_lift_that_is_not_ruled_out_is_inconclusive(panel, strict) -> None:
    noisy = 0.40 + 0.05 * np.broadcast_to(LINE, (5, 5))
    one = judged(panel(f1_buy=noisy), strict)
    assert one.comparison.fold_t.ci95[1] > 0.015
    assert one.verdict == "INCONCLUSIVE"
    assert "a lift of 0.015 is not ruled out" in one.reasons[0]


@pytest.mark.parametrize(("above", "verdict"), [(1e-6, "INCONCLUSIVE"), (-1e-6, "ABANDON")])
def test_the_bound_is_the_upper_end_of_the_fold_t_interval(panel, strict, above: float, verdict: str) -> None:
    sd = 0.02
    half = 2.7764451051977987 * sd / np.sqrt(5)
    f1 = 0.40 + 0.015 + above - half + sd * np.broadcast_to(LINE, (5, 5))
    assert judged(panel(f1_buy=f1), strict).verdict == verdict


def test_the_published_set_looks_at_f1_lift_alone(panel, published) -> None:
    """A wide interval does not help a variant whose lift passes and whose trades got worse."""
    rows = panel(f1_buy=0.45 + 0.09 * np.broadcast_to(LINE, (5, 5)), sortino=0.4)
    one = judged(rows, published)
    assert one.gates["f1_lift"].status == "PASS"
    assert one.advice["dependence"].status == "FAIL"
    assert one.verdict == "ABANDON"


def test_a_failed_dependence_gate_with_a_wide_interval_is_inconclusive(panel, strict) -> None:
    rows = panel(f1_buy=0.45 + 0.09 * np.broadcast_to(LINE, (5, 5)), sortino=0.4)
    assert judged(rows, strict).verdict == "INCONCLUSIVE"


@pytest.mark.parametrize("values", [{"n_trades": 40.0}, {}])
def test_failing_only_sample_size_or_readiness_is_inconclusive(panel, strict, values: dict[str, float]) -> None:
    one = judged(panel(**values), strict, readiness=Readiness("# Nothing", expected=True))
    assert one.verdict == "INCONCLUSIVE"
    assert one.reasons[0].startswith("only ")


def test_failing_sample_size_and_another_is_not(panel, strict) -> None:
    assert judged(panel(n_trades=40.0, sortino=0.1), strict).verdict == "ABANDON"


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({"base_buy_rate": 0.91}, "INCONCLUSIVE"),
        ({"base_buy_rate": 0.9}, "ABANDON"),
        ({"base_average_precision": 0.25}, "INCONCLUSIVE"),
        ({"base_average_precision": 0.2501}, "ABANDON"),
    ],
)
def test_a_baseline_without_skill_or_choice_settles_nothing(
    panel, published, values: dict[str, float], verdict: str
) -> None:
    one = judged(panel(**WORSE, **values), published)
    assert one.verdict == verdict


def test_other_test_events_are_not_comparable(panel, strict) -> None:
    rows = panel(**WORSE)
    rows["test_events"] = np.where(rows["variant"] == "none", "a", "b")
    one = judged(rows, strict)
    assert one.verdict == "INCONCLUSIVE"
    status = {name: result.status for name, result in one.gates.items()}
    assert {name for name, value in status.items() if value == "ERROR"} == {
        "f1_lift",
        "per_asset",
        "dependence",
        "operating_point",
    }
    assert one.gates["f1_lift"].reason.startswith("not comparable")
    assert status["joint_metric"] == status["sample_size"] == status["no_skill"] == "PASS"
    assert (one.comparison.n_pairs, one.comparison.mean, one.comparison.p) == (25, None, None)


def test_other_test_events_do_not_excuse_a_missing_row(panel, strict) -> None:
    rows = panel()
    rows["test_events"] = np.where(rows["variant"] == "none", "a", "b")
    assert judged(rows.drop(index=30), strict).verdict == "INCOMPLETE"


# ABANDON


def test_a_clear_loss_is_abandoned_with_its_gates(panel, strict) -> None:
    one = judged(panel(**WORSE), strict)
    assert one.verdict == "ABANDON"
    assert [reason.split()[0] for reason in one.reasons] == ["f1_lift", "per_asset", "dependence"]


# the edges


def test_the_baseline_alone_has_no_verdict(panel, strict) -> None:
    assert judge_rows(panel(variants=()), baseline="none", criteria=strict).variants == {}


def test_an_unknown_baseline_lists_the_known(panel, strict) -> None:
    with pytest.raises(RowsError, match="baseline == champion must be one of: better, none"):
        judge_rows(panel(), baseline="champion", criteria=strict)


def test_an_unknown_metric_is_refused(panel, strict) -> None:
    other = Criteria(strict.gates, strict.checks, strict.stats.model_copy(update={"metric": "f2_buy"}))
    with pytest.raises(RowsError, match=r"stats\.metric == f2_buy must be a column"):
        judge_rows(panel(), baseline="none", criteria=other)


@pytest.mark.parametrize("n_assets", [1, 2])
@pytest.mark.parametrize("n_folds", [2, 6, 12])
def test_any_number_of_assets_and_folds_is_judged(panel, published, n_assets: int, n_folds: int) -> None:
    one = judged(panel(n_assets=n_assets, n_folds=n_folds), published)
    assert one.verdict == "LOCK"
    assert (one.comparison.icc_fold is None) is (n_assets == 1)


def test_the_order_of_rows_changes_nothing(panel, strict) -> None:
    rows = panel(variants=("better", "other"))
    shuffled = pd.concat([rows[:25], rows[25:].sample(frac=1, random_state=1).sort_values("variant")])
    assert judge_rows(shuffled, baseline="none", criteria=strict) == judge_rows(rows, baseline="none", criteria=strict)


def test_an_identical_variant_is_told_as_such(panel, strict) -> None:
    one = judged(panel(f1_buy=0.4), strict)
    comparison = one.comparison
    assert (comparison.mean, comparison.t, comparison.d_z, comparison.p) == (0.0, 0.0, 0.0, 1.0)
    assert (comparison.p_rope, comparison.sign_flip_p, one.verdict) == (1.0, 1.0, "ABANDON")


def test_a_constant_lift_has_no_t_and_p_zero(panel, strict) -> None:
    comparison = judged(panel(f1_buy=0.42), strict).comparison
    assert (comparison.t, comparison.d_z, comparison.p, comparison.nadeau_bengio.p_bh) == (None, None, 0.0, 0.0)


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
def test_a_check_that_breaks_or_dodges_fails_closed(panel, strict, status: str, reason: str) -> None:
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
def test_a_result_that_is_not_well_defined_is_an_error(panel, strict, given: Any, reason: str) -> None:
    vague = Criteria(strict.gates, {**strict.checks, "vague": Vague(given=given)}, strict.stats)
    one = judged(panel(), vague)
    assert (one.verdict, one.gates["vague"].status) == ("INCOMPLETE", "ERROR")
    assert one.gates["vague"].reason.startswith(reason)


@pytest.mark.parametrize("observed", ["+3 bps, +1", 3, np.int64(3), np.float32(3)])
def test_a_check_may_observe_text_or_any_number(panel, strict, observed: Any) -> None:
    vague = Criteria(strict.gates, {**strict.checks, "vague": Vague(given={"observed": observed})}, strict.stats)
    assert judged(panel(), vague).gates["vague"].status == "PASS"


class Editing(GateCheck):
    """A plugin's check that makes the evidence better than it is."""

    def check(self, evidence: GateEvidence) -> GateResult:
        for frame, value in ((evidence.rows, 1.0), (evidence.baseline_rows, 0.0)):
            frame["average_precision"] = value
            frame["n_trades"] = 1e6
        return GateResult("PASS", 1.0, 0.0, "share", "edited")


def test_a_check_that_edits_its_evidence_decides_no_other_gate(panel, strict) -> None:
    rows = panel(average_precision=0.2, n_trades=1.0)
    edited = Criteria(strict.gates, {"editing": Editing(), **strict.checks}, strict.stats)
    gates = dict(judged(rows, edited).gates)
    assert gates.pop("editing").status == "PASS"
    assert gates == judged(rows, strict).gates
    assert {gates[name].status for name in ("no_skill", "operating_point", "sample_size")} == {"FAIL"}


def test_facts_of_the_run_are_carried(panel, strict) -> None:
    verdict = judge_rows(panel(), baseline="none", criteria=strict, run_id="r", post_hoc=True, synthetic=True)
    assert (verdict.run_id, verdict.post_hoc, verdict.synthetic, verdict.gates) == ("r", True, True, strict.gates.name)

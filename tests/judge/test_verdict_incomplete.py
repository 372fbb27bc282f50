"""What makes a verdict INCOMPLETE, and what does not."""

from __future__ import annotations

import numpy as np
import pytest

from ftfkit.judge import Grid, Readiness, judge_rows


@pytest.mark.parametrize("row", [7, 32])
def test_a_missing_row_is_named(judged, panel, strict, row: int) -> None:
    one = judged(panel().drop(index=row), strict)
    assert one.verdict == "INCOMPLETE"
    assert one.reasons == (f"row missing: {'none' if row < 25 else 'better'}, A1, fold 2",)
    assert one.gates["f1_lift"].status == "ERROR"


@pytest.mark.parametrize("status", ["error", "running", ""])
def test_a_status_other_than_ok_or_skipped_is_named(judged, panel, strict, status: str) -> None:
    rows = panel()
    rows.loc[40, "status"] = status or "OK"
    one = judged(rows, strict)
    assert (one.verdict, one.reasons) == ("INCOMPLETE", (f"status {status or 'OK'}: better, A3, fold 0",))


def test_a_nan_that_the_set_reads_is_named(judged, panel, strict) -> None:
    rows = panel()
    rows.loc[41, "sortino"] = np.nan
    one = judged(rows, strict)
    assert (one.verdict, one.reasons) == ("INCOMPLETE", ("sortino is NaN: better, A3, fold 1",))
    assert {name for name, result in one.gates.items() if result.status == "ERROR"} == {"joint_metric"}


def test_a_nan_that_the_set_does_not_read_is_let_be(judged, panel, published) -> None:
    rows = panel()
    rows.loc[41, "average_precision"] = np.nan
    one = judged(rows, published)
    assert one.verdict == "LOCK"
    assert one.advice["no_skill"].reason == "average_precision is NaN: better, A3, fold 1"


def test_a_baseline_row_taints_all_variants_and_a_variant_row_its_own(panel, strict) -> None:
    rows = panel(variants=("better", "other"))
    only_other = judge_rows(rows.drop(index=60), baseline="none", criteria=strict)
    assert [one.verdict for one in only_other.variants.values()] == ["LOCK", "INCOMPLETE"]
    both = judge_rows(rows.drop(index=3), baseline="none", criteria=strict)
    assert [one.verdict for one in both.variants.values()] == ["INCOMPLETE", "INCOMPLETE"]


def test_an_error_in_the_chosen_set_leaves_it_incomplete(judged, panel, strict) -> None:
    one = judged(panel().drop(columns="ap_chance"), strict)
    assert (one.verdict, one.reasons) == ("INCOMPLETE", ("no_skill ERROR: column ap_chance is missing",))


def test_an_expected_document_that_is_not_there_leaves_it_incomplete(judged, panel, strict) -> None:
    one = judged(panel(), strict, readiness=Readiness(None, expected=True))
    assert (one.verdict, one.gates["mlops_readiness"].status) == ("INCOMPLETE", "ERROR")


def test_one_fold_leaves_it_incomplete(judged, panel, strict) -> None:
    one = judged(panel(n_folds=1), strict)
    assert one.verdict == "INCOMPLETE"
    assert {name for name, result in one.gates.items() if result.status == "ERROR"} == {
        "stability",
        "dependence",
        "no_skill",
    }
    comparison = one.comparison
    assert (comparison.fold_t.p, comparison.nadeau_bengio.t, comparison.mde80, comparison.icc_fold) == (None,) * 4


def test_long_lists_of_faults_are_cut(judged, panel, strict) -> None:
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


def test_skipped_rows_are_not_missing(judged, panel, strict) -> None:
    rows = panel(f1_buy=0.05)
    rows.loc[rows.index[45:], ["status", "f1_buy", "sortino"]] = ["skipped", np.nan, np.nan]
    one = judged(rows, strict)
    assert one.verdict == "ABANDON"
    assert one.comparison.n_pairs == 20


def test_skipped_rows_cannot_lock(judged, panel, strict) -> None:
    rows = panel()
    rows.loc[40, "status"] = "skipped"
    one = judged(rows, strict)
    assert {result.status for result in one.gates.values()} <= {"PASS", "NOT_APPLICABLE"}
    assert (one.verdict, one.reasons[0][:22]) == ("INCOMPLETE", "1 rows were skipped as")

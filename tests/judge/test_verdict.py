"""The four verdicts, in their order, and what each is for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ftfkit.errors import RowsError
from ftfkit.judge import ADVICE_GATES, Criteria, Readiness, judge_rows

LINE = np.array([-2, -1, 0, 1, 2]) / np.sqrt(2.5)


WORSE = {"f1_buy": 0.35 + 0.01 * np.outer(LINE, LINE)}


def test_incomplete_comes_before_abandon(judged, panel, strict) -> None:
    rows = panel(**WORSE)
    rows.loc[41, "n_trades"] = np.nan
    assert judged(rows, strict).verdict == "INCOMPLETE"


def test_readiness_that_is_not_applicable_does_not_stop_a_lock(judged, panel, strict) -> None:
    one = judged(panel(), strict)
    assert (one.verdict, one.gates["mlops_readiness"].status) == ("LOCK", "NOT_APPLICABLE")


def test_a_lock_comes_before_doubts_about_the_baseline(judged, panel, strict) -> None:
    assert judged(panel(base_buy_rate=0.95), strict).verdict == "LOCK"


def test_advice_never_changes_the_verdict(judged, panel, criteria) -> None:
    six = criteria("f1_buy_boost", advice=ADVICE_GATES)
    rows = panel(f1_buy_tuned=0.40, average_precision=0.20)
    one = judged(rows, six)
    assert one.verdict == "LOCK"
    assert {name: result.status for name, result in one.advice.items()} == {
        "dependence": "PASS",
        "operating_point": "FAIL",
        "no_skill": "FAIL",
    }


def test_advice_that_the_set_holds_is_not_run_twice(judged, panel, criteria) -> None:
    assert judged(panel(), criteria("f1_buy_boost_strict", advice=ADVICE_GATES)).advice == {}


def test_a_lift_that_is_not_ruled_out_is_inconclusive(judged, panel, strict) -> None:
    noisy = 0.40 + 0.05 * np.broadcast_to(LINE, (5, 5))
    one = judged(panel(f1_buy=noisy), strict)
    assert one.comparison.fold_t.ci95[1] > 0.015
    assert one.verdict == "INCONCLUSIVE"
    assert "a lift of 0.015 is not ruled out" in one.reasons[0]


@pytest.mark.parametrize(("above", "verdict"), [(1e-6, "INCONCLUSIVE"), (-1e-6, "ABANDON")])
def test_the_bound_is_the_upper_end_of_the_fold_t_interval(judged, panel, strict, above: float, verdict: str) -> None:
    sd = 0.02
    half = 2.7764451051977987 * sd / np.sqrt(5)
    f1 = 0.40 + 0.015 + above - half + sd * np.broadcast_to(LINE, (5, 5))
    assert judged(panel(f1_buy=f1), strict).verdict == verdict


def test_the_published_set_looks_at_f1_lift_alone(judged, panel, published) -> None:
    """A wide interval does not help a variant whose lift passes and whose trades got worse."""
    rows = panel(f1_buy=0.45 + 0.09 * np.broadcast_to(LINE, (5, 5)), sortino=0.4)
    one = judged(rows, published)
    assert one.gates["f1_lift"].status == "PASS"
    assert one.advice["dependence"].status == "FAIL"
    assert one.verdict == "ABANDON"


def test_a_failed_dependence_gate_with_a_wide_interval_is_inconclusive(judged, panel, strict) -> None:
    rows = panel(f1_buy=0.45 + 0.09 * np.broadcast_to(LINE, (5, 5)), sortino=0.4)
    assert judged(rows, strict).verdict == "INCONCLUSIVE"


@pytest.mark.parametrize("values", [{"n_trades": 40.0}, {}])
def test_failing_only_sample_size_or_readiness_is_inconclusive(judged, panel, strict, values: dict[str, float]) -> None:
    one = judged(panel(**values), strict, readiness=Readiness("# Nothing", expected=True))
    assert one.verdict == "INCONCLUSIVE"
    assert one.reasons[0].startswith("only ")


def test_failing_sample_size_and_another_is_not(judged, panel, strict) -> None:
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
    judged, panel, published, values: dict[str, float], verdict: str
) -> None:
    one = judged(panel(**WORSE, **values), published)
    assert one.verdict == verdict


def test_other_test_events_are_not_comparable(judged, panel, strict) -> None:
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


def test_other_test_events_do_not_excuse_a_missing_row(judged, panel, strict) -> None:
    rows = panel()
    rows["test_events"] = np.where(rows["variant"] == "none", "a", "b")
    assert judged(rows.drop(index=30), strict).verdict == "INCOMPLETE"


def test_a_clear_loss_is_abandoned_with_its_gates(judged, panel, strict) -> None:
    one = judged(panel(**WORSE), strict)
    assert one.verdict == "ABANDON"
    assert [reason.split()[0] for reason in one.reasons] == ["f1_lift", "per_asset", "dependence"]


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
def test_any_number_of_assets_and_folds_is_judged(judged, panel, published, n_assets: int, n_folds: int) -> None:
    one = judged(panel(n_assets=n_assets, n_folds=n_folds), published)
    assert one.verdict == "LOCK"
    assert (one.comparison.icc_fold is None) is (n_assets == 1)


def test_the_order_of_rows_changes_nothing(panel, strict) -> None:
    rows = panel(variants=("better", "other"))
    shuffled = pd.concat([rows[:25], rows[25:].sample(frac=1, random_state=1).sort_values("variant")])
    assert judge_rows(shuffled, baseline="none", criteria=strict) == judge_rows(rows, baseline="none", criteria=strict)


def test_an_identical_variant_is_told_as_such(judged, panel, strict) -> None:
    one = judged(panel(f1_buy=0.4), strict)
    comparison = one.comparison
    assert (comparison.mean, comparison.t, comparison.d_z, comparison.p) == (0.0, 0.0, 0.0, 1.0)
    assert (comparison.p_rope, comparison.sign_flip_p, one.verdict) == (1.0, 1.0, "ABANDON")


def test_a_constant_lift_has_no_t_and_p_zero(judged, panel, strict) -> None:
    comparison = judged(panel(f1_buy=0.42), strict).comparison
    assert (comparison.t, comparison.d_z, comparison.p, comparison.nadeau_bengio.p_bh) == (None, None, 0.0, 0.0)


def test_facts_of_the_run_are_carried(panel, strict) -> None:
    verdict = judge_rows(panel(), baseline="none", criteria=strict, run_id="r", post_hoc=True, synthetic=True)
    assert (verdict.run_id, verdict.post_hoc, verdict.synthetic, verdict.gates) == ("r", True, True, strict.gates.name)

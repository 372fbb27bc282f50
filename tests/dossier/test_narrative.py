from dataclasses import replace

import pytest

from ftfkit.dossier import narrative
from ftfkit.dossier.results import read_results
from ftfkit.dossier.write import write_dossier
from ftfkit.types import FoldTest, GateResult


@pytest.fixture
def summary(make_run, make_rows):
    """Verdict and text of the only variant; ``changes`` replace fields of its comparison."""

    def write(lift, sd=0.01, changes=None, checks=None, **shape):
        extra = {} if checks is None else {"checks": checks}
        results = read_results(make_run(make_rows({"none": 0.0, "tried": lift}, sd=sd, **shape), **extra))
        (verdict,) = results.verdicts
        changed = replace(verdict, comparison=replace(verdict.comparison, **(changes or {})))
        results = replace(results, verdict=replace(results.verdict, variants={"tried": changed}))
        ((found, sentences),) = narrative.summaries(results)
        return found.verdict, " ".join(sentences)

    return write


def test_lock_says_what_passed_and_what_dependence_leaves_of_it(summary):
    verdict, text = summary(0.05)
    assert verdict == "LOCK"
    assert "Every gate passed." in text
    assert "which excludes 0" in text
    assert "variants looked at" not in text


def test_lock_among_several_warns_of_the_best_of_many(make_run, make_rows):
    results = read_results(make_run(make_rows({"none": 0.0, "a": 0.05, "b": 0.05})))
    assert all("one of 2 variants looked at" in " ".join(text) for _, text in narrative.summaries(results))


def test_abandon_states_effect_exclusion_and_power(summary):
    verdict, text = summary(-0.05)
    assert verdict == "ABANDON"
    assert "excludes 0 in the wrong direction" in text
    assert "a true lift of +0.015 is not compatible with these rows" in text
    assert "Power: the smallest true lift found with 80 % probability was +0.0" in text


def test_power_is_that_of_the_minimum_detectable_effect(summary):
    _, text = summary(-0.05, changes={"mde80": 0.0451684})
    assert "found with probability 0.16" in text
    assert "it takes 25 folds of this length" in text
    _, text = summary(-0.05, changes={"mde80": 0.0149})
    assert "at least 80 % power at the required lift" in text


def test_abandon_by_other_gates_does_not_claim_that_the_lift_is_excluded(summary):
    checks = {"f1_lift": {}, "sample_size": {"min_trades": 1000}, "stability": {"max_variance": 1e-9}}
    verdict, text = summary(0.05, checks=checks)
    assert verdict == "ABANDON"
    assert "2 of 3 gates failed: sample_size, stability." in text
    assert "The lift itself is not ruled out" in text
    assert "not compatible" not in text


def test_inconclusive_is_no_evidence_against_the_idea(summary):
    verdict, text = summary(0.01, sd=0.1)
    assert verdict == "INCONCLUSIVE"
    assert "The run cannot tell." in text
    assert "no evidence against it" in text


def test_inconclusive_for_another_cause_points_to_its_reason(summary):
    checks = {"f1_lift": {}, "sample_size": {"min_trades": 1000}}
    verdict, text = summary(0.05, checks=checks, changes={"fold_t": FoldTest(5.0, 4, 0.01, 0.01, (0.0, 0.01))})
    assert verdict == "INCONCLUSIVE"
    assert "What keeps this from ABANDON: only sample_size failed." in text


def test_a_baseline_without_skill_is_named_as_what_more_data_cannot_mend(make_run, make_rows):
    rows = make_rows({"none": 0.0, "tried": -0.05})
    rows.loc[rows["variant"] == "none", "buy_rate"] = 0.95
    ((verdict, sentences),) = narrative.summaries(read_results(make_run(rows)))
    assert verdict.verdict == "INCONCLUSIVE"
    assert "What keeps this from ABANDON: the baseline buys 95.0% of all events. It takes another baseline" in " ".join(
        sentences
    )


def test_a_lift_that_shows_is_not_called_merely_possible(make_run, make_rows):
    rows = make_rows({"none": 0.0, "tried": 0.1})
    rows.loc[rows["variant"] == "none", "buy_rate"] = 0.95
    rows.loc[rows["variant"] == "tried", "expectancy_bps"] -= 50
    ((verdict, sentences),) = narrative.summaries(read_results(make_run(rows)))
    assert verdict.gates["f1_lift"].status == "PASS"
    assert verdict.verdict == "INCONCLUSIVE"
    assert "still possible" not in " ".join(sentences)
    assert "What keeps this from ABANDON: the baseline buys 95.0% of all events." in " ".join(sentences)


def test_a_lift_that_is_open_and_a_weak_baseline_are_both_told(make_run, make_rows):
    rows = make_rows({"none": 0.0, "tried": 0.01}, sd=0.1)
    rows.loc[rows["variant"] == "none", "buy_rate"] = 0.95
    ((_, sentences),) = narrative.summaries(read_results(make_run(rows)))
    assert "a lift worth having is still possible." in " ".join(sentences)
    assert "What keeps this from ABANDON: the baseline buys 95.0% of all events." in " ".join(sentences)


def test_figures_that_are_undefined_are_said_to_be(summary):
    nothing = FoldTest(None, 0, None, None, (None, None))
    gone = {"mean": None, "ci95": (None, None), "fold_t": nothing, "nadeau_bengio": nothing, "mde80": None}
    _, text = summary(-0.05, changes=gone)
    assert "The mean change of f1_buy is undefined (25 pairs)." in text
    assert "Power: unknown" in text
    _, text = summary(0.05, changes=gone)
    assert "no test that allows for dependent pairs" in text


def test_incomplete_blames_the_run(make_run, make_rows):
    rows = make_rows({"none": 0.0, "tried": -0.05})
    rows.loc[rows.index[-1], "status"] = "error"
    ((verdict, sentences),) = narrative.summaries(read_results(make_run(rows)))
    assert verdict.verdict == "INCOMPLETE"
    assert sentences[0].startswith("No verdict on the idea")


def test_incomplete_for_want_of_a_document_sends_nobody_to_run_cells_again(make_run, make_rows):
    results = read_results(make_run(make_rows({"none": 0.0, "tried": -0.05})))
    (verdict,) = results.verdicts
    missing = GateResult("ERROR", None, 6, "sections", "the readiness document is missing")
    why = (f"mlops_readiness ERROR: {missing.reason}",)
    apart = GateResult("ERROR", None, 0.015, "f1_buy", "not comparable")
    gates = {**verdict.gates, "f1_lift": apart, "mlops_readiness": missing}
    verdict = replace(verdict, verdict="INCOMPLETE", reasons=why, gates=gates)
    results = replace(results, verdict=replace(results.verdict, variants={"tried": verdict}))
    ((_, sentences),) = narrative.summaries(results)
    assert sentences[0] == ("No verdict on the idea, though no row is missing: mlops_readiness lacks its evidence.")
    assert "under track.readiness and run again: every row is reused" in sentences[1]


def test_many_variants_are_summed_up_in_a_table(make_run, make_rows):
    rows = make_rows({"none": 0.0, **{f"v{i}": 0.05 for i in range(9)}})
    table = narrative.brief(read_results(make_run(rows)))
    why = "every gate of f1_buy_boost passes"
    assert [row[:4] for row in table.rows] == [(f"v{i}", "LOCK", why, "0 of 6") for i in range(9)]


def test_the_first_table_says_verdict_reason_effect_and_power(make_run, make_rows):
    markdown = write_dossier(make_run(make_rows({"none": 0.0, "tried": -0.05})), sections={}).read_text(
        encoding="utf-8"
    )
    top = markdown[: markdown.index("### tried: ABANDON")]
    assert "| tried | ABANDON | f1_lift FAIL: mean delta -0.0" in top
    assert "mean Δ f1_buy | CI95 low | CI95 high | MDE at 80 % power |" in top
    assert "paired (5 assets × 5 folds; CI95 by bootstrap of the pairs); the required lift is +0.015." in top

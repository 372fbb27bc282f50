"""The published Track 6 sweep, re-judged from its reconstructed rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from autorank import autorank
from scipy import stats
from tea_tasting import adjust_fdr
from tea_tasting.experiment import ExperimentResult

from ftfkit.judge import Readiness, judge_rows, read_rows
from ftfkit.types import Verdict

VARIANTS = ("mild_focus", "standard", "aggressive_focus", "class_balanced")
FAILED = {"f1_lift", "joint_metric", "per_asset", "sample_size"}


@pytest.fixture(scope="module")
def figures(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "reference" / "track06_published.json").read_text())


@pytest.fixture(scope="module")
def rows(shared: Path) -> pd.DataFrame:
    return read_rows(shared / "reference" / "track06_rows_reconstructed.csv")


@pytest.fixture(scope="module")
def judged(rows: pd.DataFrame, published, complete_document: str) -> Verdict:
    return judge_rows(rows, baseline="none", criteria=published, readiness=Readiness(complete_document, expected=True))


def test_every_variant_is_abandoned(judged: Verdict) -> None:
    assert {name: one.verdict for name, one in judged.variants.items()} == dict.fromkeys(VARIANTS, "ABANDON")


@pytest.mark.parametrize("variant", VARIANTS)
def test_exactly_four_gates_fail(judged: Verdict, variant: str) -> None:
    status = {name: result.status for name, result in judged.variants[variant].gates.items()}
    assert status == dict.fromkeys(FAILED, "FAIL") | {"stability": "PASS", "mlops_readiness": "PASS"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_figures_agree_to_their_printed_digits(judged: Verdict, figures: dict[str, Any], variant: str) -> None:
    ours, printed = judged.variants[variant].comparison, figures["paired_delta"][variant]
    assert ours.n_pairs == 25
    assert round(ours.mean, 4) == printed["mean"]
    assert round(ours.d_z, 3) == printed["cohens_d"]
    assert ours.p == pytest.approx(printed["p_raw"], rel=0.005)  # the rows carry d_z as printed, p follows from it
    assert ours.t == pytest.approx(printed["cohens_d"] * 5, abs=0.0025)
    assert ours.ci95 == pytest.approx(printed["ci95"], abs=0.003)


def test_adjusted_p_has_the_cumulative_minimum(judged: Verdict) -> None:
    comparisons = [judged.variants[name].comparison for name in VARIANTS]
    assert [float(f"{one.p_bh:.3e}") for one in comparisons] == [1.154e-07, 1.154e-07, 1.154e-07, 2.088e-06]
    for test in ("fold_t", "nadeau_bengio"):
        tests = [getattr(one, test) for one in comparisons]
        expected = stats.false_discovery_control([one.p for one in tests])
        np.testing.assert_allclose([one.p_bh for one in tests], expected, rtol=1e-12)


@pytest.mark.parametrize("test", ["pairs", "fold_t", "nadeau_bengio"])
def test_adjusted_p_equals_tea_tasting(judged: Verdict, test: str) -> None:
    comparisons = {name: judged.variants[name].comparison for name in VARIANTS}
    ours = {name: one if test == "pairs" else getattr(one, test) for name, one in comparisons.items()}
    theirs = adjust_fdr(ExperimentResult({name: {"pvalue": one.p} for name, one in ours.items()})).to_dicts()
    expected = {one["metric"]: one["pvalue_adj"] for one in theirs}
    assert {name: one.p_bh for name, one in ours.items()} == pytest.approx(expected, rel=1e-9, abs=0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_p_on_pairs_and_on_fold_means_equals_autorank(judged: Verdict, rows: pd.DataFrame, variant: str) -> None:
    scores = rows.pivot(index=["asset", "fold"], columns="variant", values="f1_buy")[["none", variant]]
    ours = judged.variants[variant].comparison
    theirs = [autorank(one, force_mode="parametric").pvalue for one in (scores, scores.groupby("fold").mean())]
    assert [ours.p, ours.fold_t.p] == pytest.approx(theirs, rel=1e-9, abs=0)


def test_supporting_figures_are_told(judged: Verdict, figures: dict[str, Any]) -> None:
    for variant in VARIANTS:
        printed = figures["delta_supporting"][variant]
        reason = judged.variants[variant].gates["joint_metric"].reason
        assert f"{printed['expectancy']:+.1f}" in reason.replace("0 bps", " bps")
        assert f"max drawdown {printed['max_drawdown']:+.2f}" in reason
        assert "the baseline has 47.4" in judged.variants[variant].gates["sample_size"].reason


def test_advice_is_told_and_does_not_count(judged: Verdict) -> None:
    for one in judged.variants.values():
        assert one.advice["dependence"].status == "FAIL"
        assert one.advice["operating_point"].reason == "column f1_buy_tuned, average_precision is missing"
        assert one.advice["no_skill"].status == "ERROR"
        assert any("below 6" in warning for warning in one.warnings)

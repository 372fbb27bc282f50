"""Each rule on a plan or rows that break it, and on some that do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ftfkit.config.experiment import compose
from ftfkit.judge import Criteria
from ftfkit.judge.lint import Finding, lint_plan, lint_rows
from ftfkit.run.plan_json import spec_config

CriteriaOf = Callable[..., Criteria]
Panel = Callable[..., pd.DataFrame]


def plan_of(*overrides: str, **changes: Any) -> dict[str, Any]:
    """What the lint reads of a plan document."""
    experiment = compose(overrides)
    variants = {
        variant.name: {"config": spec_config(variant.spec), "neutral": dict(variant.spec.loss.neutral)}
        for variant in experiment.all_variants
    }
    assets = [f"A{place}" for place in range(5)]
    document = {"baseline": experiment.baseline.name, "variants": variants, "universe": {"assets": assets}}
    return {**document, "folds": [0, 1, 2, 3, 4], **changes}


def joint_plan() -> dict[str, Any]:
    """Balancing x focal loss that moves gamma alone."""
    document = plan_of("balancing=balanced,none", "loss=none,focal/standard")
    for variant in document["variants"].values():
        if variant["neutral"]:
            variant["config"]["loss"]["alpha"] = 0.5
    return document


def by_rule(findings: tuple[Finding, ...]) -> Mapping[str, list[Finding]]:
    return {rule: [one for one in findings if one.rule == rule] for rule in {one.rule for one in findings}}


def test_the_published_focal_variants_move_gamma_and_alpha_together() -> None:
    found = by_rule(lint_plan(plan_of("track=06_focal_loss")))
    (moved,) = found["moved together"]
    assert set(moved.variants) == {"mild_focus", "standard", "aggressive_focus", "class_balanced"}
    assert "loss.alpha and loss.gamma" in moved.text
    (fixed,) = found["fixed threshold"]
    assert set(fixed.variants) == set(moved.variants)


def test_an_arm_that_moves_one_alone_separates_them() -> None:
    together = plan_of("loss=focal/standard", "loss.alpha=0.25,0.75")
    assert "moved together" in by_rule(lint_plan(together))
    separated = plan_of("loss=focal/standard", "loss.alpha=0.25,0.5")
    assert by_rule(lint_plan(separated)) == {}


def test_an_arm_that_separates_other_values_does_not_help() -> None:
    document = plan_of("loss=focal/standard", "loss.alpha=0.25,0.5")
    other = next(one for name, one in document["variants"].items() if "0.5" in name)
    other["config"]["loss"] = {**other["config"]["loss"], "gamma": 4.0}
    assert "moved together" in by_rule(lint_plan(document))


def test_a_sweep_over_two_groups_separates_its_joint_variants() -> None:
    joint = joint_plan()
    assert "moved together" not in by_rule(lint_plan(joint))
    alone = dict(
        joint, variants={n: v for n, v in joint["variants"].items() if n in {joint["baseline"], "none+standard"}}
    )
    (moved,) = by_rule(lint_plan(alone))["moved together"]
    assert moved.variants == ("none+standard",)
    assert "balancing.class_weight and loss.gamma" in moved.text


def test_leaving_a_loss_for_its_neutral_one_counts_its_parameters_too() -> None:
    document = plan_of("loss=focal/standard")
    turned = dict(document, baseline="standard")
    assert by_rule(lint_plan(turned))["moved together"][0].variants == ("none",)


def test_another_component_is_one_change() -> None:
    document = plan_of("loss=focal/standard", "loss.alpha=0.5")
    variant = document["variants"]["standard[alpha=0.5]"]
    variant["neutral"] = {}
    assert lint_plan(document) == ()


@pytest.mark.parametrize(("decision", "found"), [("fixed", True), ("tuned", False), ("matched_rate", False)])
def test_a_loss_under_a_fixed_threshold(decision: str, found: bool) -> None:
    document = plan_of("loss=focal/standard", f"decision={decision}")
    assert ("fixed threshold" in by_rule(lint_plan(document))) == found


def test_balancing_under_a_fixed_threshold_is_not_about_the_loss() -> None:
    assert lint_plan(plan_of("balancing=balanced,none", "decision=fixed")) == ()


def test_class_weights_that_differ_beside_the_factor() -> None:
    document = joint_plan()
    (found,) = by_rule(lint_plan(document))["class weights"]
    assert found.variants == ("none+standard",)


def test_search_budgets_by_configuration() -> None:
    document = plan_of("loss=focal/standard", "loss.alpha=0.5")
    assert lint_plan(document) == ()
    config = document["variants"]["standard[alpha=0.5]"]["config"]
    config["hpo"] = {**config["hpo"], "n_trials": 200}
    (found,) = by_rule(lint_plan(document))["search budget"]
    assert "none 50, standard[alpha=0.5] 200" in found.text


def test_search_spaces_of_different_size() -> None:
    document = plan_of("loss=focal/standard", "loss.alpha=0.5")
    config = document["variants"]["standard[alpha=0.5]"]["config"]
    config["model"] = {**config["model"], "space": {}}
    assert "parameters searched by HPO" in by_rule(lint_plan(document))["search budget"][0].text


@pytest.fixture
def document() -> dict[str, Any]:
    made = plan_of("loss=focal/standard", "loss.alpha=0.5")
    return dict(made, variants={"none": made["variants"]["none"], "better": made["variants"]["standard[alpha=0.5]"]})


@pytest.fixture
def clean(panel: Panel) -> pd.DataFrame:
    """Rows in which the lint finds nothing: f1_buy varies enough for every gate to be open."""
    swing = np.where(np.arange(5) % 2, 0.2, 0.75) * np.ones((5, 1))
    skill = {"average_precision": 0.3 + 0.001 * np.arange(5), "base_average_precision": 0.3 + 0.001 * np.arange(5)}
    return panel(f1_buy=swing, base_f1_buy=0.4, n_test=400.0, base_n_test=400.0, **skill)


def test_clean_rows_have_no_finding(clean: pd.DataFrame, document: dict[str, Any], strict: Criteria) -> None:
    rows = clean.assign(weight_ratio=3.5, n_trials=50)
    assert lint_rows(document, rows, strict) == ()


def test_no_rows_no_finding(document: dict[str, Any], strict: Criteria) -> None:
    assert lint_rows(document, pd.DataFrame(), strict) == ()


def test_class_weights_as_fitted(clean: pd.DataFrame, document: dict[str, Any], strict: Criteria) -> None:
    rows = clean.assign(weight_ratio=np.where(clean["variant"] == "better", 1.0, 3.5))
    (found,) = lint_rows(document, rows, strict)
    assert (found.rule, found.variants) == ("class weights", ("better",))
    assert "none 3.5, better 1" in found.text


def test_class_weights_of_a_balancing_variant_are_its_factor(
    clean: pd.DataFrame, document: dict[str, Any], strict: Criteria
) -> None:
    base = document["variants"]["none"]
    config = {**base["config"], "balancing": {"class_weight": None, "uniqueness": False}}
    balancing = dict(document, variants={"none": base, "better": {**base, "config": config}})
    rows = clean.assign(weight_ratio=np.where(clean["variant"] == "better", 1.0, 3.5))
    assert lint_rows(balancing, rows, strict) == ()


def test_search_budgets_as_run(clean: pd.DataFrame, document: dict[str, Any], strict: Criteria) -> None:
    rows = clean.assign(n_trials=np.where(clean["variant"] == "better", 50, 10))
    (found,) = lint_rows(document, rows, strict)
    assert (found.rule, found.variants) == ("search budget", ("better",))


@pytest.mark.parametrize(("n_trades", "found"), [(47.4, True), (50.0, False)])
def test_a_baseline_that_fails_an_absolute_gate(
    clean: pd.DataFrame, document: dict[str, Any], strict: Criteria, n_trades: float, found: bool
) -> None:
    rows = clean.assign(n_trades=np.where(clean["variant"] == "none", n_trades, 60.0))
    findings = lint_rows(document, rows, strict)
    assert [one.rule for one in findings] == ["baseline fails"] * found
    assert all("47.4 trades a row, needed 50" in one.text for one in findings)


def test_the_published_baseline_fails_sample_size(shared: Path, criteria: CriteriaOf) -> None:
    rows = pd.read_csv(shared / "reference" / "track06_rows_reconstructed.csv", keep_default_na=False)
    plan = plan_of("track=06_focal_loss", universe={"assets": sorted(set(rows["asset"]))})
    findings = by_rule(lint_rows(plan, rows, criteria("f1_buy_boost")))
    assert [one.text for one in findings["baseline fails"]] == [
        "the baseline none itself fails sample_size: 47.4 trades a row, needed 50; the baseline has 47.4"
    ]
    assert [one.text for one in findings["settled gate"]] == ["stability cannot fail on these rows: it decides nothing"]

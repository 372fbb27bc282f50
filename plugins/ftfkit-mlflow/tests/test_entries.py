"""What is logged, where values are missing, long or not finite; needs no MLflow."""

from __future__ import annotations

import math
from dataclasses import replace

from ftfkit_mlflow.entries import MAX_VALUE, cell_metrics, clipped, lift_metrics, verdict_tags

from ftfkit.testing.observers import sample_verdict
from ftfkit.types import GateResult


def test_a_figure_that_is_missing_or_not_finite_is_left_out() -> None:
    row = {"f1_buy": 0.4, "sortino": None, "precision": math.nan, "n_trades": 12, "threshold": 0.3, "extra": {"own": 2}}
    assert cell_metrics(row) == {"f1_buy": 0.4, "n_trades": 12.0, "own": 2.0}


def test_an_undefined_comparison_is_left_out() -> None:
    variant = sample_verdict().variants["idea"]
    bare = replace(variant, comparison=replace(variant.comparison, mean=None, ci95=(None, None), d_z=None))
    assert {"lift/mean", "lift/ci95_low", "lift/ci95_high", "lift/d_z"} == set(lift_metrics(variant)) - set(
        lift_metrics(bare)
    )
    assert lift_metrics(variant)["lift/n_gates_not_passed"] == 1


def test_a_reason_cannot_break_the_table_of_a_note() -> None:
    gates = {"stability": GateResult("ERROR", reason="column a|b is missing")}
    tags = verdict_tags(replace(sample_verdict().variants["idea"], gates=gates))
    assert "| stability | ERROR | column a/b is missing |" in tags["mlflow.note.content"]
    assert tags["gate.stability"] == "ERROR"


def test_long_values_are_cut() -> None:
    assert clipped("x" * MAX_VALUE) == "x" * MAX_VALUE
    assert clipped("x" * (MAX_VALUE + 1)) == "x" * (MAX_VALUE - 3) + "..."

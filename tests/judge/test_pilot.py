from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ftfkit.judge import Criteria
from ftfkit.judge.pilot import absolute_failures, settled_gates

Panel = Callable[..., pd.DataFrame]
CriteriaOf = Callable[..., Criteria]

PLAN = {"baseline": "none", "universe": {"assets": [f"A{place}" for place in range(5)]}, "folds": [0, 1, 2, 3, 4]}
SWING = np.where(np.arange(5) % 2, 0.2, 0.75) * np.ones((5, 1))


def test_gates_that_anything_could_still_turn_are_not_named(panel: Panel, strict: Criteria) -> None:
    assert settled_gates(panel(f1_buy=SWING, base_f1_buy=0.4), PLAN, strict) == {}


@pytest.mark.parametrize(("high", "settled"), [(0.60, True), (0.61, False)])
def test_stability_cannot_fail_while_no_two_rows_lie_far_enough_apart(
    panel: Panel, strict: Criteria, high: float, settled: bool
) -> None:
    """Three of .2 and two of x have variance .3 (x - .2)^2, which is .05 at x = .608."""
    values = np.full((5, 5), 0.2)
    values[0, 0] = high
    found = settled_gates(panel(f1_buy=values, base_f1_buy=0.3), PLAN, strict)
    assert found == ({"stability": "cannot fail"} if settled else {})


@pytest.mark.parametrize(("n_test", "settled"), [(49.0, True), (50.0, False)])
def test_sample_size_cannot_pass_with_fewer_events_than_trades_needed(
    panel: Panel, strict: Criteria, n_test: float, settled: bool
) -> None:
    rows = panel(f1_buy=SWING, base_f1_buy=0.4, base_n_test=n_test, n_test=n_test)
    assert settled_gates(rows, PLAN, strict) == ({"sample_size": "cannot pass"} if settled else {})


def test_no_lift_is_possible_over_a_perfect_baseline(panel: Panel, published: Criteria) -> None:
    found = settled_gates(panel(base_f1_buy=0.99, f1_buy=0.2), PLAN, published)
    assert found["f1_lift"] == "cannot pass"
    found = settled_gates(panel(base_f1_buy=0.98, f1_buy=0.2), PLAN, published)
    assert "f1_lift" not in found


def test_a_drawdown_bound_that_no_drawdown_can_break(panel: Panel, criteria: CriteriaOf) -> None:
    loose = criteria("f1_buy_boost", joint_metric={"max_drawdown_increase_pct": 100.0})
    rows = panel(f1_buy=SWING, base_f1_buy=0.4, base_expectancy_bps=-1e4, base_sortino=-100.0)
    assert settled_gates(rows, PLAN, loose) == {"joint_metric": "cannot fail"}


@pytest.mark.parametrize("column", ["f1_buy", "ap_chance", "n_trades"])
def test_gates_without_their_columns_are_not_tried(panel: Panel, strict: Criteria, column: str) -> None:
    rows = panel(f1_buy=SWING, base_f1_buy=0.4)
    if column == "f1_buy":
        rows = rows[~((rows["variant"] == "none") & (rows["fold"] == 0))]  # the baseline's grid has a hole
    else:
        rows = rows.drop(columns=column)
    assert settled_gates(rows, PLAN, strict) == {}


@pytest.mark.parametrize(
    ("values", "failing"),
    [
        ({}, []),
        ({"base_n_trades": 47.4}, ["sample_size"]),
        ({"base_f1_buy": SWING}, ["stability"]),
        ({"base_average_precision": 0.25}, ["no_skill"]),
    ],
)
def test_absolute_gates_of_the_baseline(
    panel: Panel, strict: Criteria, values: dict[str, Any], failing: list[str]
) -> None:
    assert list(absolute_failures(panel(**values), PLAN, strict)) == failing


def test_only_gates_of_the_set_are_held_against_the_baseline(panel: Panel, published: Criteria) -> None:
    assert absolute_failures(panel(base_average_precision=0.25), PLAN, published) == {}

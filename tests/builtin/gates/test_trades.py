"""joint_metric, stability and sample_size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ftfkit.builtin.gates.joint_metric import JointMetric
from ftfkit.builtin.gates.sample_size import SampleSize
from ftfkit.builtin.gates.stability import Stability

LINE = np.array([-2, -1, 0, 1, 2]) / np.sqrt(2.5)
TRADES = {"expectancy_bps": (5.0, 5.0), "sortino": (0.5, 0.5), "max_drawdown_pct": (10.0, 9.0)}


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({}, "PASS"),
        ({"expectancy_bps": (4.9, 5.0)}, "FAIL"),
        ({"sortino": (0.4, 0.5)}, "FAIL"),
        ({"max_drawdown_pct": (10.1, 9.0)}, "FAIL"),
        ({"max_drawdown_pct": (2.0, 9.0), "sortino": (0.9, 0.5), "expectancy_bps": (9.0, 5.0)}, "PASS"),
    ],
)
def test_joint_metric_asks_all_three(evidence, values: dict[str, tuple[float, float]], status: str) -> None:
    assert JointMetric().check(evidence(**(TRADES | values))).status == status


def test_joint_metric_weighs_assets_equally_where_one_has_fewer_rows(evidence) -> None:
    given = evidence(2, 4, **(TRADES | {"sortino": (np.array([[0.4] * 4, [0.65] * 4]), 0.5)}))
    kept = [0, 1, 2, 3, 4]  # -.1 on four rows of one asset, +.15 on one row of the other
    given = replace(given, rows=given.rows.loc[kept], baseline_rows=given.baseline_rows.loc[kept])
    assert JointMetric().check(given).status == "PASS"


def test_joint_metric_takes_its_bound_from_conf(evidence) -> None:
    given = evidence(**(TRADES | {"max_drawdown_pct": (11.0, 9.0)}))
    assert JointMetric(max_drawdown_increase_pct=2.0).check(given).status == "PASS"


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"max_drawdown_pct": (10.0004, 9.0)}, "+0.00 bps, +0.000, +1.0004 pct"),
        ({"expectancy_bps": (4.996, 5.0)}, "-0.004 bps, +0.000, +1.00 pct"),
        ({"sortino": (0.49999, 0.5)}, "+0.00 bps, -0.00001, +1.00 pct"),
        ({"expectancy_bps": (4.99, 5.0)}, "-0.01 bps, +0.000, +1.00 pct"),
    ],
)
def test_a_figure_that_just_fails_is_told_with_the_digits_that_show_it(
    evidence, values: dict[str, tuple[float, float]], shown: str
) -> None:
    result = JointMetric().check(evidence(**(TRADES | values)))
    assert (result.status, result.observed) == ("FAIL", shown)
    assert shown.split(", ")[2] in result.reason


def test_stability_looks_at_the_worst_asset(evidence) -> None:
    f1 = np.full((5, 5), 0.4)
    f1[3] = 0.5 + 0.23 * LINE
    result = Stability().check(evidence(f1_buy=(f1, 0.4)))
    assert (result.status, result.observed) == ("FAIL", pytest.approx(0.23**2))
    assert "(A3)" in result.reason


def test_stability_does_not_mind_differences_between_assets(evidence) -> None:
    f1 = np.array([0.0, 0.9, 0.1, 0.8, 0.5])[:, None]
    assert Stability().check(evidence(f1_buy=(f1, 0.4))).observed == 0.0


def test_stability_of_one_fold_is_an_error(evidence) -> None:
    result = Stability().check(evidence(n_folds=1))
    assert (result.status, result.reason) == ("ERROR", "A0 has one fold, a variance needs two")


def test_sample_size_tells_the_baseline_too(evidence) -> None:
    result = SampleSize().check(evidence(n_trades=(34.08, 47.4)))
    assert (result.status, result.observed) == ("FAIL", pytest.approx(34.08))
    assert result.reason == "34.1 trades a row, needed 50; the baseline has 47.4"

"""operating_point and no_skill."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ftfkit.builtin.gates.no_skill import NoSkill
from ftfkit.builtin.gates.operating_point import OperatingPoint


def ranked(precision: np.ndarray | float, chance: float = 0.25) -> dict[str, tuple[object, object]]:
    return {"average_precision": (precision, 0.3), "ap_chance": (chance, chance)}


@pytest.mark.parametrize("seed", range(6))
def test_no_skill_is_scipys_t_test_on_fold_means(evidence, seed: int) -> None:
    precision = 0.26 + 0.02 * np.random.default_rng(seed).normal(size=(5, 5))
    theirs = stats.ttest_1samp(precision.mean(axis=0) - 0.25, 0)
    result = NoSkill().check(evidence(**ranked(precision)))
    assert f"p {theirs.pvalue:.3g} on" in result.reason
    assert (result.status == "PASS") == (theirs.pvalue < 0.05 and theirs.statistic > 0)


@pytest.mark.parametrize(("precision", "status"), [(0.26, "PASS"), (0.25, "FAIL"), (0.24, "FAIL")])
def test_without_spread_the_mean_alone_decides(evidence, precision: float, status: str) -> None:
    assert NoSkill().check(evidence(**ranked(precision))).status == status


def test_significantly_worse_than_chance_is_no_skill(evidence) -> None:
    result = NoSkill().check(evidence(**ranked(0.2 + 0.001 * np.arange(5.0))))
    assert (result.status, result.observed < 0) == ("FAIL", True)


def test_no_skill_on_one_fold_is_an_error(evidence) -> None:
    assert NoSkill().check(evidence(n_folds=1, **ranked(0.4))).status == "ERROR"


@pytest.mark.parametrize(
    ("tuned", "precision", "status"),
    [(0.4075, 0.3, "PASS"), (0.4074, 0.3, "FAIL"), (0.45, 0.299, "FAIL"), (0.39, 0.4, "FAIL")],
)
def test_operating_point_asks_half_the_lift_and_no_worse_ranking(
    evidence, tuned: float, precision: float, status: str
) -> None:
    result = OperatingPoint().check(evidence(f1_buy_tuned=(tuned, 0.4), average_precision=(precision, 0.3)))
    assert (result.status, result.threshold) == (status, 0.0075)

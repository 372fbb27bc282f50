from __future__ import annotations

import numpy as np
import pytest

from ftfkit.judge import judge_rows
from ftfkit.judge.power import mde80, power

LINE = np.array([-2, -1, 0, 1, 2]) / np.sqrt(2.5)


def warned(rows, criteria) -> tuple[str, ...]:
    return judge_rows(rows, baseline="none", criteria=criteria).variants["better"].warnings


@pytest.mark.parametrize(("n_folds", "few"), [(5, True), (6, False)])
def test_fewer_than_six_folds_are_told(panel, strict, n_folds: int, few: bool) -> None:
    assert any("folds are few" in text for text in warned(panel(n_folds=n_folds), strict)) is few


def test_low_power_is_told_with_its_figures(panel, strict) -> None:
    rows = panel(f1_buy=0.40 + 0.03 * np.broadcast_to(LINE, (5, 5)))
    text = next(text for text in warned(rows, strict) if "underpowered" in text)
    assert f"is {mde80(0.03, 5):.4f}" in text
    assert f"with probability {power(0.015, 0.03, 5):.2f} (nadeau_bengio)" in text


def test_the_gates_own_test_plans(panel, criteria) -> None:
    by_fold = criteria("f1_buy_boost_strict", dependence={"test": "fold_t", "alpha": 0.1})
    rows = panel(f1_buy=0.40 + 0.03 * np.broadcast_to(LINE, (5, 5)))
    comparison = judge_rows(rows, baseline="none", criteria=by_fold).variants["better"].comparison
    assert comparison.mde80 == pytest.approx(mde80(0.03, 5, "fold_t", 0.1), rel=1e-12)


def test_enough_power_is_not_told(panel, strict) -> None:
    assert not any("underpowered" in text for text in warned(panel(), strict))


@pytest.mark.parametrize(("f1", "cursed"), [(0.43, True), (0.41, False)])
def test_the_winners_curse_is_told_of_large_lifts(panel, strict, f1: float, cursed: bool) -> None:
    rows = panel(f1_buy=f1 + 0.005 * np.outer(LINE, LINE))
    assert any("winner's curse" in text for text in warned(rows, strict)) is cursed


def test_pairs_that_move_together_are_told(panel, strict) -> None:
    together = panel(f1_buy=0.40 + 0.03 * np.broadcast_to(LINE, (5, 5)))
    assert any("about 5.0 independent ones" in text for text in warned(together, strict))
    assert not any("independent" in text for text in warned(panel(), strict))


def test_fragile_is_where_the_two_tests_disagree(panel, strict) -> None:
    for t_fold, expected in ((2.9, True), (2.7, False), (9.0, False)):
        rows = panel(f1_buy=0.45 + np.broadcast_to(LINE, (5, 5)) * 0.05 * np.sqrt(5) / t_fold)
        one = judge_rows(rows, baseline="none", criteria=strict).variants["better"]
        assert one.fragile is expected

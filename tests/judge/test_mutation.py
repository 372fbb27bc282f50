"""For each gate: rows that just pass lock, rows that just fail do not, and only because of that gate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ftfkit.judge import Readiness, judge_rows

Values = dict[str, Any]

T_CRITICAL = 2.7764451051977987  # t(4) at .975
LINE = np.array([-2, -1, 0, 1, 2]) / np.sqrt(2.5)  # mean 0, variance 1 (ddof 1)
BY_FOLD = np.broadcast_to(LINE, (5, 5))
EPS = 1e-6


def interaction(scale: float) -> np.ndarray:
    """Deviations that vanish on average over every asset and over every fold."""
    return scale * np.outer(LINE, LINE)


def lift(mean: float) -> Values:
    return {"f1_buy": 0.40 + mean + interaction(0.001)}


def wide(scale: float) -> Values:
    """A mean lift of .02 that every fold and asset shares, on pairs of a wide spread."""
    return {"f1_buy": 0.42 + interaction(scale)}


def unstable(variance: float) -> Values:
    """One asset's f1_buy swings over folds, the baseline's along with it."""
    f1 = np.full((5, 5), 0.43) + interaction(0.001)
    f1[2] = 0.5 + np.sqrt(variance) * LINE
    return {"f1_buy": f1, "base_f1_buy": f1 - 0.03 - interaction(0.001)}


def improving_assets(n: int) -> Values:
    delta = np.full((5, 5), 0.06) + interaction(0.001)
    delta[n:] = interaction(0.001)[n:] - EPS
    return {"f1_buy": 0.4 + delta}


def fold_noise(t: float) -> Values:
    """A mean lift of .05 whose Nadeau-Bengio t is given."""
    return {"f1_buy": 0.45 + BY_FOLD * 0.05 / (t * np.sqrt(1 / 5 + 1 / 4)) + interaction(0.001)}


def skill(t: float) -> Values:
    """Average precision .05 above chance with a given t on fold means, and above the baseline's throughout."""
    precision = 0.30 + BY_FOLD * 0.05 / (t / np.sqrt(5))
    return {"average_precision": precision, "base_average_precision": precision - 0.01, "ap_chance": 0.25}


CASES = [
    ("f1_lift", lift(0.015), lift(0.015 - EPS)),
    ("f1_lift", wide(0.060), wide(0.067)),
    ("joint_metric", {"expectancy_bps": 5.0}, {"expectancy_bps": 5.0 - EPS}),
    ("joint_metric", {"sortino": 0.5}, {"sortino": 0.5 - EPS}),
    ("joint_metric", {"max_drawdown_pct": 10.0}, {"max_drawdown_pct": 10.0 + EPS}),
    ("stability", unstable(0.05), unstable(0.05 + EPS)),
    ("per_asset", improving_assets(4), improving_assets(3)),
    ("sample_size", {"n_trades": 50.0}, {"n_trades": 50.0 - EPS}),
    ("dependence", fold_noise(T_CRITICAL + EPS), fold_noise(T_CRITICAL - EPS)),
    ("operating_point", {"f1_buy_tuned": 0.41 + 0.0075}, {"f1_buy_tuned": 0.41 + 0.0075 - EPS}),
    (
        "operating_point",
        {"average_precision": 0.30, "base_average_precision": 0.30},
        {"average_precision": 0.30 - EPS, "base_average_precision": 0.30},
    ),
    ("no_skill", skill(T_CRITICAL + EPS), skill(T_CRITICAL - EPS)),
    (
        "no_skill",
        {"ap_chance": 0.25, "average_precision": 0.30},
        {"ap_chance": 0.30, "average_precision": 0.30},
    ),
]


@pytest.mark.parametrize(("gate", "passing", "failing"), CASES)
def test_each_gate_turns_the_verdict_alone(
    panel, criteria, strict, complete_document: str, gate: str, passing: Values, failing: Values
) -> None:
    document = Readiness(complete_document, expected=True)
    locked = judge_rows(panel(**passing), baseline="none", criteria=strict, readiness=document).variants["better"]
    assert (locked.verdict, {result.status for result in locked.gates.values()}) == ("LOCK", {"PASS"}), locked.reasons

    stopped = judge_rows(panel(**failing), baseline="none", criteria=strict, readiness=document).variants["better"]
    assert [name for name, result in stopped.gates.items() if result.status != "PASS"] == [gate]
    assert stopped.gates[gate].status == "FAIL"
    assert stopped.verdict in {"ABANDON", "INCONCLUSIVE"}

    lenient = criteria("f1_buy_boost_strict", without=gate)
    freed = judge_rows(panel(**failing), baseline="none", criteria=lenient, readiness=document).variants["better"]
    assert freed.verdict == "LOCK"


@pytest.mark.parametrize(
    ("passing", "failing"),
    [
        ("Set.", ""),
        ("A todo list is kept.", "todo: a list"),
        ("To do so, switch.", "To do: switch."),
        ("_Set_", "_TBD_"),
    ],
)
def test_a_document_that_just_fails_turns_the_verdict_alone(
    panel, criteria, strict, complete_document: str, passing: str, failing: str
) -> None:
    full, short = (
        Readiness(complete_document.replace("Said in full.", text, 1), expected=True) for text in (passing, failing)
    )
    locked = judge_rows(panel(), baseline="none", criteria=strict, readiness=full).variants["better"]
    assert locked.verdict == "LOCK"
    stopped = judge_rows(panel(), baseline="none", criteria=strict, readiness=short).variants["better"]
    assert [name for name, result in stopped.gates.items() if result.status != "PASS"] == ["mlops_readiness"]
    assert stopped.verdict == "INCONCLUSIVE"
    lenient = criteria("f1_buy_boost_strict", without="mlops_readiness")
    freed = judge_rows(panel(), baseline="none", criteria=lenient, readiness=short).variants["better"]
    assert freed.verdict == "LOCK"


def test_the_shipped_sets_hold_their_gates(published, strict) -> None:
    six = ["f1_lift", "joint_metric", "stability", "per_asset", "sample_size", "mlops_readiness"]
    assert list(published.checks) == six
    assert list(strict.checks) == [*six, "dependence", "operating_point", "no_skill"]
    assert {gate for gate, _, _ in CASES} | {"mlops_readiness"} == set(strict.checks)

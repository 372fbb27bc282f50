"""Where the gate turns, and that its evidence is what a run really leaves."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from ftfkit_gate_cost_sensitivity.gate import CostSensitivity

import ftfkit
from ftfkit.api import judge
from ftfkit.components import GateEvidence
from ftfkit.errors import ConfigError
from ftfkit.testing.evidence import promising_evidence
from ftfkit.types import GateResult

SPOT = CostSensitivity(factor=1.5, fee_bps=10, slippage_bps=2)  # 6 bps more a side, about 12 a trade


def evidence(own: tuple[float, float], other: tuple[float, float]) -> GateEvidence:
    """Every row of an arm has one (expectancy_bps, n_trades)."""
    given = promising_evidence()
    frames = {
        name: frame.assign(expectancy_bps=expectancy, n_trades=n_trades)
        for (name, frame), (expectancy, n_trades) in zip(
            {"rows": given.rows, "baseline_rows": given.baseline_rows}.items(), (own, other), strict=True
        )
    }
    return replace(given, **frames)


def checked(own: tuple[float, float], other: tuple[float, float], gate: CostSensitivity = SPOT) -> GateResult:
    return gate.check(evidence(own, other))


@pytest.mark.parametrize(
    ("own", "other", "status"),
    [
        ((30, 100), (20, 100), "PASS"),
        ((10, 100), (5, 100), "FAIL"),  # earns as it is, not when dearer
        ((12.1, 100), (12.1, 100), "PASS"),  # 12.03 is borne, a lead is not asked for
        ((12.0, 100), (12.0, 100), "FAIL"),
        ((20, 300), (40, 120), "FAIL"),  # leads by 1200 bps, and by trading more often: behind when dearer
        ((20, 300), (40, 60), "PASS"),
        ((60, 40), (20, 400), "FAIL"),  # a lead in expectancy, not in profit
        ((0, 0), (-50, 100), "FAIL"),  # not to trade is no answer to costs
    ],
)
def test_turns_where_profit_or_lead_is_lost(own: tuple[float, float], other: tuple[float, float], status: str) -> None:
    assert checked(own, other).status == status


def test_a_gentler_stress_lets_the_frequent_trader_pass() -> None:
    gentle = CostSensitivity(factor=1.1, fee_bps=10, slippage_bps=2)
    assert checked((20, 300), (40, 120), gentle).status == "PASS"


def test_tells_what_it_saw() -> None:
    result = checked((30, 100), (20, 100))
    assert result.unit == "profit a cell, its lead, at 1.5x costs"
    assert result.reason == (
        "with 6 bps more on each side +1797.1 bps a cell, the baseline +798.3; bears +15.0 bps more on each side"
    )
    assert result.observed == "+1797.1 bps, +998.8 bps"


def test_says_so_where_nothing_was_traded() -> None:
    assert checked((0, 0), (20, 100)).reason.endswith("; no trade at all")


def test_the_option_is_the_strict_set_and_this_gate_at_the_costs_of_the_run() -> None:
    strict = ftfkit.compose("gates=f1_buy_boost_strict")
    costs = ftfkit.compose("gates=f1_buy_boost_costs", "trade.fee_bps=4", "trade.slippage_bps=0.5")
    added = costs.gate_checks["cost_sensitivity"]
    assert added == CostSensitivity(factor=1.5, fee_bps=4, slippage_bps=0.5)
    assert costs.gates.checks["cost_sensitivity"] == {"factor": 1.5, "fee_bps": 4, "slippage_bps": 0.5}
    assert {**strict.gate_checks, "cost_sensitivity": added} == dict(costs.gate_checks)
    assert (costs.gates.name, costs.gates.required_lift) == ("f1_buy_boost_costs", strict.gates.required_lift)


def test_a_factor_that_stresses_nothing_is_refused_with_its_owner() -> None:
    with pytest.raises(ConfigError) as refusal:
        ftfkit.compose("gates=f1_buy_boost_costs", "gates.checks.cost_sensitivity.factor=1")
    assert str(refusal.value) == (
        "command line: gates.checks.cost_sensitivity.factor == 1 must be > 1 (plugin ftfkit-gate-cost-sensitivity)"
    )


def test_judges_rows_from_anywhere() -> None:
    given = evidence((20, 300), (40, 120))
    rows = pd.concat([given.baseline_rows, given.rows])
    gates = judge(rows, gates="f1_buy_boost_costs").variants["idea"].gates
    assert gates["cost_sensitivity"].status == "FAIL"
    cheap = judge(rows, gates="f1_buy_boost_costs", overrides=["trade.fee_bps=1", "trade.slippage_bps=0"])
    assert cheap.variants["idea"].gates["cost_sensitivity"].status == "PASS"

"""What the section shows, beside what its suite asks of any section."""

from __future__ import annotations

import pandas as pd
from ftfkit_gate_cost_sensitivity.section import CostSection

COLUMNS = ("variant", "status", "expectancy_bps", "n_trades")
ROWS = pd.DataFrame(
    [
        ("none", "ok", 40.0, 120),
        ("none", "ok", 10.0, 60),
        ("idea", "ok", 20.0, 300),
        ("idea", "error", float("nan"), float("nan")),
        ("idle", "ok", 0.0, 0),
    ],
    columns=COLUMNS,
)


def table(rows: pd.DataFrame) -> list[list[str]]:
    lines = [line for line in CostSection().render(rows, {}).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_profit_falls_with_costs_and_faster_where_trades_are_many() -> None:
    header, _, *lines = table(ROWS)
    assert header == [
        "Variant", "Trades a cell", "Expectancy (bps)", "Profit at +0 (bps)", "Profit at +3 (bps)",
        "Profit at +6 (bps)", "Profit at +12 (bps)", "Profit at +24 (bps)", "Bears (bps a side)",
    ]  # fmt: skip
    assert lines == [
        ["none", "90.0", "+30.0", "+2,700", "+2,159", "+1,617", "+536", "-1,623", "+15.0"],
        ["idea", "300.0", "+20.0", "+6,000", "+4,197", "+2,395", "-1,206", "-8,394", "+10.0"],
        ["idle", "0.0", "n/a", "+0", "+0", "+0", "+0", "+0", "n/a"],
    ]


def test_turnover_is_shown_where_the_rows_hold_it() -> None:
    header, _, first, *_ = table(ROWS.assign(turnover_per_year=[100.0, 300.0, 900.0, None, 0.0]))
    assert (header[2], first[2]) == ("Turnover a year", "200")


def test_a_run_of_error_rows_has_no_table() -> None:
    assert CostSection().render(ROWS[ROWS["status"] == "error"], {}) == "No row was scored."

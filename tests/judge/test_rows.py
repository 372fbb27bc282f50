from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ftfkit.errors import RowsError
from ftfkit.judge import Grid, read_rows
from ftfkit.judge.rows import (
    NUMBER_COLUMNS,
    REQUIRED_COLUMNS,
    check_within,
    lost_cells,
    nan_cells,
    observed_grid,
    validated,
)

GRID = Grid(("better",), ("A0", "A1"), (0, 1))


def test_csv_and_parquet_give_the_same_rows(panel, tmp_path: Path) -> None:
    rows = panel()
    rows["test_events"] = "00ff"
    rows.to_csv(tmp_path / "rows.csv", index=False)
    rows.to_parquet(tmp_path / "rows.parquet")
    pd.testing.assert_frame_equal(
        read_rows(tmp_path / "rows.csv").astype(object), read_rows(tmp_path / "rows.parquet").astype(object)
    )


def test_names_that_look_empty_or_numeric_stay_names(panel, tmp_path: Path) -> None:
    rows = panel(variants=("NA",)).replace({"asset": {"A0": "007", "A1": "null"}})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    read = read_rows(tmp_path / "rows.csv")
    assert set(read["variant"]) == {"none", "NA"}
    assert {"007", "null"} <= set(read["asset"])


@pytest.mark.parametrize("token", ["", "NaN", "inf", "-inf", "None"])
def test_what_is_not_finite_is_nan(panel, tmp_path: Path, token: str) -> None:
    rows = panel().astype({"f1_buy": object})
    rows.loc[30, "f1_buy"] = token
    rows.to_csv(tmp_path / "rows.csv", index=False)
    read = read_rows(tmp_path / "rows.csv")
    assert read["f1_buy"].dtype == np.float64
    assert np.flatnonzero(read["f1_buy"].isna()).tolist() == [30]


@pytest.mark.parametrize("column", NUMBER_COLUMNS)
def test_text_in_a_metric_is_refused_by_row(panel, tmp_path: Path, column: str) -> None:
    rows = panel().assign(buy_rate=0.3, ap_chance=0.3).astype({column: object})
    rows.loc[2, column] = "high"
    rows.to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(RowsError, match=rf"rows\.csv: row 3: {column} == high must be a number"):
        read_rows(tmp_path / "rows.csv")
    with pytest.raises(RowsError, match=f"{column} holds text"):
        validated(rows)


def test_text_in_other_columns_is_kept(panel, tmp_path: Path) -> None:
    panel().assign(note="as seen").to_csv(tmp_path / "rows.csv", index=False)
    assert set(read_rows(tmp_path / "rows.csv")["note"]) == {"as seen"}


def test_duplicates_are_refused_by_name(panel) -> None:
    rows = panel()
    with pytest.raises(RowsError, match=r"\(better, A1, fold 2\) is duplicated"):
        validated(pd.concat([rows, rows.iloc[[32]]]), "x.csv")


@pytest.mark.parametrize("column", ["f1_buy", "fold", "variant", "note"])
def test_a_column_that_is_there_twice_is_refused_by_name(panel, tmp_path: Path, column: str) -> None:
    rows = panel().assign(note="as seen")
    twice = pd.concat([rows, rows[[column]]], axis=1)
    twice.to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(RowsError, match=rf"^rows: column {column} is duplicated, must be there once \(ftfkit\)$"):
        validated(twice)
    with pytest.raises(RowsError, match=rf"rows\.csv: column {column} is duplicated, must be there once"):
        read_rows(tmp_path / "rows.csv")


def test_columns_without_a_name_are_let_be(panel, tmp_path: Path) -> None:
    """As a spreadsheet leaves them at the right."""
    lines = panel().to_csv(index=False).splitlines()
    (tmp_path / "rows.csv").write_text("".join(f"{line},,\n" for line in lines))
    assert len(read_rows(tmp_path / "rows.csv")) == 50


@pytest.mark.parametrize("column", ["variant", "asset", "fold", "status", "f1_buy", "n_trades"])
def test_a_missing_column_is_refused_by_name(panel, column: str) -> None:
    with pytest.raises(RowsError, match=f"column {column} is missing"):
        validated(panel().drop(columns=column))


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("f1_buy", 41.0, r"f1_buy == 41 must be in \[0, 1\] \(none, A0, fold 0\)"),
        ("average_precision", -0.1, r"average_precision == -0\.1 must be in \[0, 1\]"),
        ("ap_chance", 25.0, r"ap_chance == 25 must be in \[0, 1\]"),
        ("buy_rate", 30.0, r"buy_rate == 30 must be in \[0, 1\]"),
        ("max_drawdown_pct", -9.0, "max_drawdown_pct == -9 must be >= 0"),
        ("n_trades", -1.0, "n_trades == -1 must be >= 0"),
        ("fold", 0.5, r"fold == 0\.5 must be a whole number"),
    ],
)
def test_values_out_of_range_are_refused(panel, column: str, value: float, rule: str) -> None:
    rows = panel().astype({column: float})
    rows.loc[0, column] = value
    with pytest.raises(RowsError, match=rule):
        validated(rows)


@pytest.mark.parametrize(
    ("fold_of", "first"),
    [
        (lambda fold: fold + 2**53, "9007199254740992"),
        (lambda fold: fold.astype(object) + 10**30, "1000000000000000000000000000000"),
        (lambda fold: pd.Timestamp("2024-01-01") + pd.to_timedelta(fold, unit="ns"), "2024-01-01 00:00:00"),
        (lambda fold: [pd.Timestamp(2024, 1, 1 + one).date() for one in fold], "2024-01-01"),
    ],
)
def test_what_cannot_number_a_fold_is_refused_as_such(panel, tmp_path: Path, fold_of, first: str) -> None:
    rows = panel()
    rows["fold"] = fold_of(rows["fold"])
    rows.to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(RowsError, match=rf"^rows: fold == {first} must be a whole number below 2\*\*53 \(ftfkit\)$"):
        validated(rows)
    with pytest.raises(RowsError, match=r"rows\.csv: fold == \S.* must be a whole number"):
        read_rows(tmp_path / "rows.csv")


@pytest.mark.parametrize("column", ["variant", "asset", "status"])
def test_a_name_must_be_there(panel, column: str) -> None:
    rows = panel().astype({column: object})
    rows.loc[1, column] = None
    with pytest.raises(RowsError, match=f"{column} == empty must be a name"):
        validated(rows)


def test_no_rows_are_refused(panel) -> None:
    with pytest.raises(RowsError, match="holds no row"):
        validated(panel().iloc[:0])


def test_the_given_frame_is_left_alone(panel) -> None:
    rows = panel().astype({"fold": float})
    before = rows.copy(deep=True)
    validated(rows)
    pd.testing.assert_frame_equal(rows, before)


@pytest.mark.parametrize("name", ["rows.json", "rows"])
def test_other_suffixes_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RowsError, match=r"must be \.csv or \.parquet"):
        read_rows(tmp_path / name)


@pytest.mark.parametrize(("row", "n_fields"), [(0, 9), (0, 11), (2, 3), (2, 12)])
def test_a_row_of_another_length_is_refused_by_line(panel, tmp_path: Path, row: int, n_fields: int) -> None:
    header, *rows = panel()[list(REQUIRED_COLUMNS)].assign(error="").to_csv(index=False).splitlines()
    rows[1] = f'{rows[1]}"two\nlines, {"long" * 50_000}"'
    rows[row] = ",".join([*rows[row].split(","), "7", "7"][:n_fields])
    (tmp_path / "rows.csv").write_text("\n".join(["\ufeff" + header, "", *rows]))
    line = row + 3 + int(row > 1)
    with pytest.raises(RowsError, match=rf"rows\.csv: line {line}: {n_fields} fields, must have 10 as the header has"):
        read_rows(tmp_path / "rows.csv")


def test_empty_lines_before_the_header_are_passed_over(panel, tmp_path: Path) -> None:
    text = panel()[list(REQUIRED_COLUMNS)].to_csv(index=False)
    for name, lead in (("plain.csv", ""), ("late.csv", "\n\n")):
        (tmp_path / name).write_text(lead + text)
    pd.testing.assert_frame_equal(read_rows(tmp_path / "plain.csv"), read_rows(tmp_path / "late.csv"))


@pytest.mark.parametrize(("name", "content"), [("a.csv", b""), ("a.csv", b'"x,y\n1'), ("a.parquet", b"nope")])
def test_unreadable_files_are_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RowsError, match=rf"{name}: cannot be read") as caught:
        read_rows(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_absent_files_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RowsError, match=r"gone\.csv: cannot be read"):
        read_rows(tmp_path / "gone.csv")


def test_nullable_and_integer_columns_become_floats(panel) -> None:
    rows = panel().astype({"n_trades": "Int64"})
    rows.loc[4, "n_trades"] = pd.NA
    checked = validated(rows)
    assert checked["n_trades"].dtype == np.float64
    assert np.isnan(checked.loc[4, "n_trades"])


def test_grid_is_observed_assets_times_observed_folds(panel) -> None:
    rows = panel(n_assets=2, n_folds=2, variants=("b", "a")).drop(index=[0])
    assert observed_grid(rows, "none") == Grid(("b", "a"), ("A0", "A1"), (0, 1))


def test_lost_cells_name_what_is_missing_and_what_failed(panel) -> None:
    rows = panel(n_assets=2, n_folds=2)
    rows.loc[4, "status"] = "error"
    rows.loc[5, "status"] = "skipped"
    rows.loc[6, "status"] = "running"
    assert lost_cells(rows.drop(index=7), GRID, "better") == (
        "status error: better, A0, fold 0",
        "status running: better, A1, fold 0",
        "row missing: better, A1, fold 1",
    )


def test_nan_cells_look_at_ok_rows_and_present_columns(panel) -> None:
    rows = panel(n_assets=2, n_folds=2)
    rows.loc[[4, 6], "sortino"] = np.nan
    rows.loc[4, "status"] = "skipped"
    assert nan_cells(rows, ["sortino", "absent"], "better") == ("sortino is NaN: better, A1, fold 0",)


def test_unplanned_rows_are_refused(panel) -> None:
    with pytest.raises(RowsError, match=r"\(none, A2, fold 0\) is not in the plan"):
        check_within(panel(n_assets=3, n_folds=2), GRID, "none")

"""Rows from anywhere: read, checked, and held against the grid that was expected."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ftfkit.errors import RowsError

CELL = ["variant", "asset", "fold"]
TEXT_COLUMNS = ("variant", "asset", "status", "test_events", "row_key", "fit_key", "error")
METRIC_COLUMNS = ("f1_buy", "expectancy_bps", "sortino", "max_drawdown_pct", "n_trades")
REQUIRED_COLUMNS = (*CELL, "status", *METRIC_COLUMNS)
NUMBER_COLUMNS = (*METRIC_COLUMNS, "f1_buy_tuned", "average_precision", "ap_chance", "buy_rate")  # all that is read
RANGES = {  # a percentage in place of a fraction, or a signed drawdown, would turn a gate round
    "f1_buy": (0.0, 1.0),
    "f1_buy_tuned": (0.0, 1.0),
    "average_precision": (0.0, 1.0),
    "ap_chance": (0.0, 1.0),
    "buy_rate": (0.0, 1.0),
    "max_drawdown_pct": (0.0, np.inf),
    "n_trades": (0.0, np.inf),
}
_FOLD_BOUND = 2**53  # from here on neighbours are one and the same float
_NA_TOKENS = {"", "na", "n/a", "nan", "null", "none", "<na>", "inf", "-inf", "+inf", "infinity", "-infinity"}


class Cell(NamedTuple):
    """What one row is about."""

    variant: str
    asset: str
    fold: int

    def __str__(self) -> str:
        return f"{self.variant}, {self.asset}, fold {self.fold}"


@dataclass(frozen=True)
class Grid:
    """Cells a complete set of rows holds: baseline and every variant on every asset and fold."""

    variants: tuple[str, ...]  # without the baseline
    assets: tuple[str, ...]
    folds: tuple[int, ...]


def read_rows(path: str | Path) -> pd.DataFrame:
    """Rows of a CSV or Parquet file.

    Returns
    -------
    DataFrame
        As ``validated`` gives it.

    Raises
    ------
    RowsError
        When the file cannot be read or its rows cannot be judged at all; names file, and row where there is one.
    """
    path = Path(path)
    if path.suffix.lower() not in {".csv", ".parquet"}:
        raise RowsError(f"{path}: suffix == {path.suffix or 'none'} must be .csv or .parquet (ftfkit)")
    try:
        frame = _read_csv(path) if path.suffix.lower() == ".csv" else pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pandas' and pyarrow's parser errors are ValueErrors
        raise RowsError(f"{path}: cannot be read: {' '.join(str(error).split())} (ftfkit)") from error
    return validated(frame, str(path))


def validated(rows: pd.DataFrame, origin: str = "rows") -> pd.DataFrame:
    """Rows fit to be judged, as a copy in which numbers are float64 and what is not finite is NaN.

    Parameters
    ----------
    rows : DataFrame
        One row a (variant, asset, fold), with at least ``REQUIRED_COLUMNS``; more columns stay as they are.
    origin : str
        File or run, for error messages.

    Raises
    ------
    RowsError
        When a required column is missing, a column or cell is duplicated or a value is out of range.

    Notes
    -----
    NaN in a metric is kept: whether it matters is for the gates to say. Rows that are not ``ok`` hold no metric.
    """
    _refuse_repeated(rows.columns, origin)
    absent = [column for column in REQUIRED_COLUMNS if column not in rows]
    if absent:
        raise RowsError(
            f"{origin}: column {', '.join(absent)} is missing; needed: {', '.join(REQUIRED_COLUMNS)} (ftfkit)"
        )
    if rows.empty:
        raise RowsError(f"{origin}: holds no row (ftfkit)")
    rows = rows.reset_index(drop=True)
    for column in ("variant", "asset", "status"):
        rows[column] = _text(rows[column], origin)
    rows["fold"] = _whole(rows["fold"], origin)
    repeated = rows[rows.duplicated(CELL)]
    if len(repeated):
        raise RowsError(f"{origin}: ({_cell(repeated.iloc[0])}) is duplicated, must be there once (ftfkit)")
    for column in rows.columns:
        if column in NUMBER_COLUMNS or (column not in TEXT_COLUMNS and _is_float(rows[column])):
            rows[column] = _finite(rows[column], origin)
    for column, (low, high) in RANGES.items():
        if column in rows:
            _check_range(rows, column, low, high, origin)
    return rows


def observed_grid(rows: pd.DataFrame, baseline: str) -> Grid:
    """Observed assets x observed folds, for every variant in order of appearance."""
    variants = tuple(str(name) for name in rows["variant"].unique() if name != baseline)
    return Grid(variants, tuple(sorted(set(rows["asset"]))), tuple(sorted(int(fold) for fold in set(rows["fold"]))))


def check_within(rows: pd.DataFrame, grid: Grid, baseline: str) -> None:
    """Refuse rows of cells that nobody planned.

    Raises
    ------
    RowsError
        Naming the first such cell.
    """
    known = (
        rows["variant"].isin([baseline, *grid.variants])
        & rows["asset"].isin(grid.assets)
        & rows["fold"].isin(grid.folds)
    )
    if not known.all():
        raise RowsError(f"rows: ({_cell(rows[~known].iloc[0])}) is not in the plan (ftfkit)")


def lost_cells(rows: pd.DataFrame, grid: Grid, variant: str, *, skippable: bool = True) -> tuple[str, ...]:
    """Cells of one variant without a result, one line each; ``skipped`` ones are not lost where they may be skipped."""
    settled = {"ok", "skipped"} if skippable else {"ok"}
    own = rows[rows["variant"] == variant]
    status = dict(zip(zip(own["asset"], own["fold"], strict=True), own["status"], strict=True))
    lines = []
    for asset in grid.assets:
        for fold in grid.folds:
            cell, found = Cell(variant, asset, fold), status.get((asset, fold))
            if found is None:
                lines.append(f"row missing: {cell}")
            elif found not in settled:
                lines.append(f"status {found}: {cell}")
    return tuple(lines)


def nan_cells(rows: pd.DataFrame, columns: Iterable[str], variant: str) -> tuple[str, ...]:
    """NaN in the given columns of one variant's ``ok`` rows, one line each; absent columns are not looked at."""
    known = [column for column in columns if column in rows]
    own = rows.loc[(rows["variant"] == variant) & (rows["status"] == "ok"), [*CELL, *known]]
    if not own[known].isna().to_numpy().any():
        return ()
    own = own.sort_values(["asset", "fold"])
    return tuple(f"{column} is NaN: {_cell(row)}" for column in known for _, row in own[own[column].isna()].iterrows())


def _refuse_repeated(columns: pd.Index[str], origin: str) -> None:
    repeated = columns[columns.duplicated()]
    if len(repeated):
        raise RowsError(f"{origin}: column {repeated[0]} is duplicated, must be there once (ftfkit)")


def _read_csv(path: Path) -> pd.DataFrame:
    """Text as it stands (a variant may be called ``none`` or ``NA``), then numbers where a whole column is numeric."""
    header = pd.read_csv(path, dtype=str, keep_default_na=False, header=None, nrows=1).iloc[0]
    _refuse_repeated(pd.Index(header[header != ""]), str(path))  # pandas would call the second one f1_buy.1
    _refuse_ragged(path)
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    for column in frame.columns:
        if column not in TEXT_COLUMNS:
            frame[column] = _parsed(frame[column], str(path), must=column in NUMBER_COLUMNS)
    return frame


def _refuse_ragged(path: Path) -> None:
    """pandas fills a row that is too short, and takes the first column for an index where the rows are too long."""
    limit = csv.field_size_limit(2**31 - 1)  # as pandas: the traceback of an error row may be long
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            header = next(fields for fields in reader if fields)  # pandas passes over empty lines
            n_columns, start = len(header), reader.line_num + 1
            for fields in reader:
                blank = not "".join(fields).strip() and len(fields) < 2
                if len(fields) != n_columns and not blank:
                    found = f"{len(fields)} fields, must have {n_columns} as the header has"
                    raise RowsError(f"{path}: line {start}: {found} (ftfkit)")
                start = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(str(error)) from error
    finally:
        csv.field_size_limit(limit)


def _parsed(texts: pd.Series[str], origin: str, *, must: bool) -> pd.Series[float] | pd.Series[str]:
    known = texts.where(~texts.str.strip().str.lower().isin(_NA_TOKENS))
    numbers = pd.to_numeric(known, errors="coerce").astype(float)
    wrong = np.flatnonzero(numbers.isna() & known.notna())
    if len(wrong) == 0:
        return numbers
    if must:
        raise RowsError(
            f"{origin}: row {wrong[0] + 1}: {texts.name} == {texts.iloc[wrong[0]]} must be a number (ftfkit)"
        )
    return texts


def _text(values: pd.Series[str], origin: str) -> pd.Series[str]:
    if values.isna().any() or (values.astype(str).str.strip() == "").any():
        raise RowsError(f"{origin}: {values.name} == empty must be a name (ftfkit)")
    return values.astype(str)


def _whole(values: pd.Series[int], origin: str) -> pd.Series[int]:
    known = values if pd.api.types.is_numeric_dtype(values) else values.astype(str)  # a time is no count of ns
    numbers = pd.to_numeric(known, errors="coerce").astype(float)
    wrong = np.flatnonzero(~np.isfinite(numbers) | (numbers % 1 != 0) | (numbers.abs() >= _FOLD_BOUND))
    if len(wrong):
        raise RowsError(f"{origin}: fold == {values.iloc[wrong[0]]} must be a whole number below 2**53 (ftfkit)")
    return numbers.astype(np.int64)


def _is_float(values: pd.Series[float]) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _finite(values: pd.Series[float], origin: str) -> pd.Series[float]:
    try:
        numbers = pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise RowsError(f"{origin}: {values.name} holds text, must be numbers (ftfkit)") from error
    return pd.Series(np.where(np.isfinite(numbers), numbers, np.nan), index=values.index, name=values.name)


def _check_range(rows: pd.DataFrame, column: str, low: float, high: float, origin: str) -> None:
    outside = rows[(rows[column] < low) | (rows[column] > high)]
    if len(outside):
        first = outside.iloc[0]
        rule = f"must be in [{low:g}, {high:g}]" if np.isfinite(high) else f"must be >= {low:g}"
        raise RowsError(f"{origin}: {column} == {first[column]:g} {rule} ({_cell(first)}) (ftfkit)")


def _cell(row: pd.Series[str]) -> Cell:
    return Cell(str(row["variant"]), str(row["asset"]), int(row["fold"]))


def first_of(lines: Sequence[str]) -> str:
    """First line, and how many more there are."""
    return lines[0] if len(lines) == 1 else f"{lines[0]} (and {len(lines) - 1} more)"

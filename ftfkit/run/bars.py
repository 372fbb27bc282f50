"""The bar schema: raw bars of any source become ``Bars``; safe repairs are counted, all else is refused by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd

from ftfkit.components import DataSource, RawBars
from ftfkit.errors import UNPLACED, DataError, DataSettingError
from ftfkit.run.payloads import raw_of
from ftfkit.types import BAR_COLUMNS, HOUR_NS, PRICES, Asset, Bars, BoolArray, DataQuality, FloatArray, IntArray

_NO_TIME = np.iinfo(np.int64).min
_EPOCH_NS = np.array([1_000_000_000, 1_000_000, 1_000, 1], dtype=np.int64)  # ns in one s, ms, us, ns
_EPOCH_LIMITS = np.array([9e9, 9e12, 9e15])  # from here on a number counts the next finer unit
_LAST_YEAR = 2261  # int64 nanoseconds end in 2262
_ZONE = r":[\d.]+\s*(Z|[+-]\d{2}(?::?\d{2})?)$"


_Values = Mapping[str, FloatArray]  # column name to values


@dataclass(frozen=True)
class _Rule:
    """What every value of a column must hold; braces in ``text`` are filled with the bar's own values."""

    column: str
    text: str
    broken: Callable[[FloatArray, _Values], BoolArray]  # (the column, all columns)


def _not_finite(column: FloatArray, bar: _Values) -> BoolArray:
    return ~np.isfinite(column)


def _not_positive(column: FloatArray, bar: _Values) -> BoolArray:
    return column <= 0


def _negative(column: FloatArray, bar: _Values) -> BoolArray:
    return column < 0


def _below_low(column: FloatArray, bar: _Values) -> BoolArray:
    return column < bar["low"]


def _outside_range(column: FloatArray, bar: _Values) -> BoolArray:
    return (column < bar["low"]) | (column > bar["high"])


BAR_RULES = (
    *(_Rule(name, "must be a finite number", _not_finite) for name in BAR_COLUMNS),
    *(_Rule(name, "must be > 0", _not_positive) for name in PRICES),
    _Rule("volume", "must be >= 0", _negative),
    _Rule("high", "must be >= low == {low}", _below_low),
    *(_Rule(name, "must lie in [low, high] == [{low}, {high}]", _outside_range) for name in ("open", "close")),
)


@dataclass(frozen=True, eq=False)
class _Table:
    """Rows of raw bars under test; ``row`` holds their positions in the source's frame."""

    raw: RawBars
    row: IntArray
    time: IntArray  # bar open, ns UTC
    values: _Values

    def take(self, index: npt.NDArray[Any]) -> _Table:
        values = {name: column[index] for name, column in self.values.items()}
        return _Table(self.raw, self.row[index], self.time[index], values)


def utc_ns(moment: datetime) -> int:
    """Nanoseconds since the epoch; a moment without a time zone is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(pd.Timestamp(aware).as_unit("ns").value)


def native_bars(source: DataSource, asset: Asset) -> Bars:
    """Validated native bars of one asset, closed by ``source.holdout_from`` where that is set.

    Returns
    -------
    Bars
        Strictly increasing, on the grid; arrays are read-only. ``quality`` counts rows put back in order, identical
        duplicates removed, and the gaps, which stay.

    Raises
    ------
    DataError
        When a column is missing, a value breaks ``BAR_RULES``, a timestamp cannot be read, is off the grid or of
        another time zone than the first, or two different bars share one timestamp. The text names file, row
        (counted from 1, header apart), timestamp, value and rule.

    Notes
    -----
    Rows of the hold-out are cut off by their timestamp before any price is looked at.
    """
    raw = raw_of(source, asset)
    lacking = [name for name in ("timestamp", *BAR_COLUMNS) if name not in raw.frame.columns]
    if lacking:
        found = ", ".join(map(str, raw.frame.columns))
        raise DataError(f"{raw.origin}: lacks column {', '.join(lacking)}; found: {found or 'none'} (bar schema)")
    table = _before_holdout(raw, _open_times(raw), source.holdout_from)
    if not len(table.row):
        if source.holdout_from is None:
            raise DataError(f"{raw.origin}: holds no bar of {asset.name} (bar schema)")
        rule = f"must leave bars before it; {raw.origin} holds none of {asset.name} that is closed by then"
        raise DataSettingError(UNPLACED, "data.holdout_from", source.holdout_from, rule)
    _check_values(table)
    _check_grid(table)
    ordered, n_sorted = _sorted(table)
    unique = _without_duplicates(ordered)
    _check_spacing(unique)
    quality = DataQuality(raw.origin, 0, n_sorted=n_sorted, n_duplicates=len(ordered.row) - len(unique.row))
    bars = Bars(asset.name, raw.bar_hours, unique.time, **unique.values, quality=quality, synthetic=source.synthetic)
    return counted(bars)


def last_close(source: DataSource, asset: Asset) -> int:
    """Close of the last bar that there is, hold-out or not, ns UTC; its timestamp is all that is looked at."""
    raw = raw_of(source, asset)
    return int(_open_times(raw).max()) + _bar_ns(raw)


def counted(bars: Bars, n_label_dropped: int = 0) -> Bars:
    """The same bars, read-only, with ``quality`` counting these very rows; repair counts are those of the file."""
    for name in ("open_time", *BAR_COLUMNS):
        getattr(bars, name).flags.writeable = False
    missing = np.diff(bars.open_time) // bars.bar_ns - 1
    quality = replace(
        bars.quality,
        n_bars=len(bars),
        n_gaps=int(np.count_nonzero(missing)),
        n_missing=int(missing.sum()),
        n_zero_volume=int(np.count_nonzero(bars.volume == 0)),
        n_label_dropped=n_label_dropped,
    )
    return replace(bars, quality=quality)


def _open_times(raw: RawBars) -> IntArray:
    """Bar opens in ns UTC, in the order of the frame."""
    column = raw.frame["timestamp"]
    parsed = _parsed(raw, column)
    readable = parsed.dt.year.between(1970, _LAST_YEAR).to_numpy()
    if not readable.all():
        row = int(np.argmin(readable))
        rule = f"must be a time from 1970 to {_LAST_YEAR}: ISO 8601, or s, ms, us or ns since 1970"
        raise DataError(f"{_place(raw, row)}: timestamp == {column.iloc[row]} {rule} (bar schema)")
    return parsed.dt.as_unit("ns").to_numpy(dtype="datetime64[ns]").astype(np.int64)


def _parsed(raw: RawBars, column: pd.Series[Any]) -> pd.Series[pd.Timestamp]:
    """Times as datetime64 with UTC, NaT where unreadable; numbers count s, ms, us or ns by their size."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return pd.to_datetime(column, utc=True)
    plain = column if pd.api.types.is_numeric_dtype(column) else column.astype(str)
    number = pd.to_numeric(plain, errors="coerce")
    if number.notna().any():
        whole = number.notna() & (number % 1 == 0)
        ticks = number.where(whole, 0).astype("int64").to_numpy()
        nanoseconds = ticks * _EPOCH_NS[np.searchsorted(_EPOCH_LIMITS, np.abs(ticks), side="right")]
        times = pd.to_datetime(np.where(whole, nanoseconds, _NO_TIME), unit="ns", utc=True)
        return pd.Series(times, index=column.index)
    _check_zones(raw, plain)
    return pd.to_datetime(plain, utc=True, format="ISO8601", errors="coerce")


def _check_zones(raw: RawBars, text: pd.Series[str]) -> None:
    zone = text.str.extract(_ZONE, expand=False).fillna("none").replace({"Z": "+00:00", "+0000": "+00:00"})
    differs = (zone != zone.iloc[0]).to_numpy() if len(zone) else np.empty(0, dtype=bool)
    if differs.any():
        row = int(np.argmax(differs))
        rule = f"must have the first row's UTC offset, {zone.iloc[0]}; time zones are mixed"
        raise DataError(f"{_place(raw, row)}: timestamp == {text.iloc[row]} {rule} (bar schema)")


def _before_holdout(raw: RawBars, time: IntArray, holdout_from: datetime | None) -> _Table:
    row = np.arange(len(time))
    if holdout_from is not None:
        row = np.flatnonzero(time + _bar_ns(raw) <= utc_ns(holdout_from))
    values = {
        name: pd.to_numeric(raw.frame[name].iloc[row], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        for name in BAR_COLUMNS
    }
    return _Table(raw, row, time[row], values)


def _check_values(table: _Table) -> None:
    for rule in BAR_RULES:
        broken = rule.broken(table.values[rule.column], table.values)
        if broken.any():
            at = int(np.argmax(broken))
            text = rule.text.format(**{name: float(column[at]) for name, column in table.values.items()})
            value = table.raw.frame[rule.column].iloc[table.row[at]]
            _refuse(table, at, f"{rule.column} == {value} {text}", int(broken.sum()))


def _check_grid(table: _Table) -> None:
    off = table.time % _bar_ns(table.raw) != 0
    if off.any():
        at = int(np.argmax(off))
        value = table.raw.frame["timestamp"].iloc[table.row[at]]
        rule = f"must be on the grid of {table.raw.bar_hours} h bars from 00:00 UTC"
        _refuse(table, at, f"timestamp == {value} {rule}", int(off.sum()))


def _sorted(table: _Table) -> tuple[_Table, int]:
    """Rows in order of time, and how many of them came after a later one."""
    n_sorted = int(np.count_nonzero(table.time < np.maximum.accumulate(table.time)))
    return (table.take(np.argsort(table.time, kind="stable")), n_sorted) if n_sorted else (table, 0)


def _without_duplicates(table: _Table) -> _Table:
    repeated = np.diff(table.time) == 0
    if not repeated.any():
        return table
    for name, column in table.values.items():
        conflict = repeated & (np.diff(column) != 0)
        if conflict.any():
            at = int(np.argmax(conflict)) + 1
            other = f"must equal {float(column[at - 1])} of the same bar at {_place(table.raw, int(table.row[at - 1]))}"
            _refuse(table, at, f"{name} == {float(column[at])} {other}", int(conflict.sum()))
    return table.take(np.concatenate([[True], ~repeated]))


def _check_spacing(table: _Table) -> None:
    """No two adjacent bars at all means that the declared bar length is wrong."""
    steps = np.diff(table.time) // _bar_ns(table.raw)
    if len(steps) and steps.min() > 1:
        closest = int(steps.min()) * table.raw.bar_hours
        rule = f"must be the length of a bar; the closest bars of {table.raw.origin} are {closest} h apart"
        raise DataSettingError(UNPLACED, "data.bar_hours", table.raw.bar_hours, rule)


def _refuse(table: _Table, at: int, finding: str, n_rows: int) -> NoReturn:
    more = f"; {n_rows} rows in all" if n_rows > 1 else ""
    moment = pd.Timestamp(int(table.time[at]), unit="ns", tz="UTC").isoformat()
    raise DataError(f"{_place(table.raw, int(table.row[at]))}: {moment} {finding} (bar schema){more}")


def _place(raw: RawBars, row: int) -> str:
    """File and row, counted from 1 without the header; frames of several files carry (file, row) as their index."""
    index = raw.frame.index
    if isinstance(index, pd.MultiIndex):
        file, row_in_file = index.tolist()[row]
        return f"{file}: row {row_in_file + 1}"
    return f"{raw.origin}: row {row + 1}"


def _bar_ns(raw: RawBars) -> int:
    return raw.bar_hours * HOUR_NS

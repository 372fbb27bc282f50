"""Labels against a slow, obvious second implementation, on real bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from pydantic import ValidationError

from ftfkit.builtin.labels.atr_barrier import AtrBarrier
from ftfkit.errors import DataError
from ftfkit.types import HOUR_NS, Bars, DataQuality, Events


@dataclass
class OracleEvent:
    bar: int
    exit_bar: int
    y: int
    exit_price: float
    tie: bool


def oracle(scheme: AtrBarrier, bars: Bars, native: Bars) -> tuple[list[OracleEvent], dict[str, int]]:
    """DEFINITIONS "Labels", bar by bar."""
    atr = oracle_atr(bars, scheme.atr_bars)
    row_of = {int(time): row for row, time in enumerate(native.open_time)}
    events, dropped = [], {"warmup": 0, "gap": 0, "end": 0, "tie": 0}
    for bar in range(len(bars)):
        if atr[bar] is None:
            dropped["warmup"] += 1
            continue
        problem = window_problem(bars, bar, scheme.max_holding_bars)
        if problem:
            dropped[problem] += 1
            continue
        event = oracle_event(scheme, bars, native, row_of, bar, atr[bar])
        if event.tie and scheme.tie == "drop":
            dropped["tie"] += 1
        else:
            events.append(event)
    return events, dropped


def oracle_atr(bars: Bars, length: int) -> list[float | None]:
    atr: list[float | None] = []
    ranges: list[float] = []
    for bar in range(len(bars)):
        if bar == 0 or bars.open_time[bar] - bars.open_time[bar - 1] != bars.bar_ns:
            ranges = []
            atr.append(None)
            continue
        high, low, before = bars.high[bar], bars.low[bar], bars.close[bar - 1]
        ranges.append(max(high - low, abs(high - before), abs(low - before)))
        if len(ranges) < length:
            atr.append(None)
        elif len(ranges) == length:
            atr.append(sum(ranges) / length)
        else:
            atr.append((atr[-1] * (length - 1) + ranges[-1]) / length)
    return atr


def window_problem(bars: Bars, bar: int, n_bars: int) -> str | None:
    for step in range(1, n_bars + 1):
        if bar + step == len(bars):
            return "end"
        if bars.open_time[bar + step] != bars.open_time[bar] + step * bars.bar_ns:
            return "gap"
    return None


def oracle_event(
    scheme: AtrBarrier, bars: Bars, native: Bars, row_of: dict[int, int], bar: int, atr: float
) -> OracleEvent:
    stop = bars.close[bar] - scheme.stop_atr * atr
    target = bars.close[bar] + scheme.target_atr * atr
    for at in range(bar + 1, bar + scheme.max_holding_bars + 1):
        stopped, reached = bars.low[at] <= stop, bars.high[at] >= target
        if stopped and reached:
            hours = range(0, bars.bar_hours, native.bar_hours)
            rows = [row_of[int(bars.open_time[at]) + hour * HOUR_NS] for hour in hours]
            return oracle_on_native(scheme, native, rows, (bar, at), stop, target)
        if stopped:
            return OracleEvent(bar, at, 0, min(stop, bars.open[at]), tie=False)
        if reached:
            return OracleEvent(bar, at, 1, max(target, bars.open[at]), tie=False)
    return OracleEvent(bar, at, 0, bars.close[at], tie=False)


def oracle_on_native(
    scheme: AtrBarrier, native: Bars, rows: list[int], at: tuple[int, int], stop: float, target: float
) -> OracleEvent:
    for row in rows:
        stopped, reached = native.low[row] <= stop, native.high[row] >= target
        if stopped and reached:
            y = int(scheme.tie == "target_first")
        elif stopped or reached:
            y = int(reached)
        else:
            continue
        price = max(target, native.open[row]) if y else min(stop, native.open[row])
        return OracleEvent(*at, y, price, tie=bool(stopped and reached))
    raise AssertionError("no native bar touches what the label bar touched")


def bars_of(rows: list[tuple[float, float, float, float]], bar_hours: int = 1, skip_after: int | None = None) -> Bars:
    """Bars from (open, high, low, close); one bar is missing after row ``skip_after``."""
    index = np.arange(len(rows), dtype=np.int64)
    if skip_after is not None:
        index[skip_after + 1 :] += 1
    columns = np.array(rows, dtype=np.float64).T
    quality = DataQuality("test", len(rows))
    return Bars("TEST", bar_hours, index * bar_hours * HOUR_NS, *columns, np.ones(len(rows)), quality)


def one_event(after: list[tuple[float, float, float, float]], **parameters: object) -> Events:
    """Events of two quiet bars (close 100, ATR 2) and the bars after them; entry at the close of the second."""
    scheme = AtrBarrier.model_validate(
        {"stop_atr": 1, "target_atr": 2, "bar_hours": 1, "atr_bars": 1, "max_holding_bars": len(after)} | parameters
    )
    bars = bars_of([(100, 101, 99, 100), (100, 101, 99, 100), *after])
    events = scheme.events(bars, bars)
    assert events.bar.tolist() in ([1], [])
    return events


@pytest.mark.parametrize("tie", ["stop_first", "target_first", "drop"])
@pytest.mark.parametrize(
    ("pair", "hours", "stop_atr", "target_atr"),
    [
        ("spot_1h_2024/AAVE", 4, 0.5, 1.5),
        ("spot_1h_2024/LDO", 1, 0.5, 1.5),
        ("spot_1h_2024/OP", 8, 1.0, 1.0),
        ("spot_1h_2024/UNI", 1, 0.3, 0.3),
        ("spot_1h_2024/ARB", 24, 0.4, 0.6),
        ("spot_1h_long/AAVE", 4, 0.2, 0.2),
        ("spot_1h_long/ARB", 4, 2.0, 4.0),
    ],
)
def test_equals_the_oracle_on_real_bars(real_bars, pair, hours, stop_atr, target_atr, tie):
    bars, native = real_bars(pair, hours)
    scheme = AtrBarrier(stop_atr=stop_atr, target_atr=target_atr, bar_hours=hours, tie=tie)
    events = scheme.events(bars, native)
    expected, dropped = oracle(scheme, bars, native)
    assert events.bar.tolist() == [event.bar for event in expected]
    assert events.exit_bar.tolist() == [event.exit_bar for event in expected]
    assert events.y.tolist() == [event.y for event in expected]
    np.testing.assert_allclose(events.exit_price, [event.exit_price for event in expected], rtol=1e-13)
    np.testing.assert_array_equal(events.entry, bars.close[events.bar])
    np.testing.assert_array_equal(events.t0, bars.open_time[events.bar] + bars.bar_ns)
    np.testing.assert_array_equal(events.t1, bars.open_time[events.exit_bar] + bars.bar_ns)
    assert events.dropped == dropped
    assert len(events) + sum(dropped.values()) == len(bars)
    ties = sum(event.tie for event in expected) + dropped["tie"]
    assert events.tie_share == pytest.approx(ties / (len(events) + dropped["tie"]))


def test_the_oracle_cases_hold_ties_and_native_decisions(real_bars):
    bars, native = real_bars("spot_1h_long/AAVE", 4)
    first, last = (
        AtrBarrier(stop_atr=0.2, target_atr=0.2, bar_hours=4, tie=tie).events(bars, native)
        for tie in ("stop_first", "target_first")
    )
    assert 0 < (first.y != last.y).mean() == first.tie_share < 0.5


@pytest.mark.parametrize("pair", ["spot_1h_2024/AAVE", "spot_1h_long/AAVE", "spot_1h_long/BTC"])
def test_cutting_the_future_changes_no_complete_label(real_bars, pair):
    bars, native = real_bars(pair, 4)
    scheme = AtrBarrier(stop_atr=0.5, target_atr=1.5, bar_hours=4)
    full = scheme.events(bars, native)
    for n_bars in np.random.default_rng(0).integers(50, len(bars), 12):
        end = int(bars.close_time[n_bars - 1])
        cut = scheme.events(bars.up_to(end), native.up_to(end))
        complete = full.bar + scheme.max_holding_bars < n_bars
        assert complete.sum() == len(cut)
        assert (cut.t1 <= end).all()
        for name in ("bar", "exit_bar", "t0", "t1", "y", "entry", "exit_price"):
            np.testing.assert_array_equal(getattr(cut, name), getattr(full, name)[complete])


@pytest.mark.parametrize(
    ("after", "y", "exit_bar", "exit_price"),
    [
        ([(100, 101, 98, 99), (99, 99, 97, 98)], 0, 2, 98),  # touches the stop exactly at 98
        ([(100, 104, 99, 103), (98, 99, 90, 98)], 1, 2, 104),  # touches the target exactly at 104
        ([(96, 97, 95, 96), (98, 99, 90, 98)], 0, 2, 96),  # opens below the stop
        ([(106, 107, 105, 106), (98, 99, 90, 98)], 1, 2, 106),  # opens above the target
        ([(100, 101, 99, 100), (100, 102, 99, 101)], 0, 3, 101),  # holding limit: the last close
        ([(100, 101, 99, 100), (100, 105, 99, 101)], 1, 3, 104),  # the last scanned bar still counts
    ],
)
def test_exit_rules(after, y, exit_bar, exit_price):
    events = one_event(after)
    assert (events.y[0], events.exit_bar[0], events.exit_price[0]) == (y, exit_bar, exit_price)
    assert events.t1[0] == (exit_bar + 1) * HOUR_NS


@pytest.mark.parametrize(
    ("tie", "y", "exit_price"), [("stop_first", [0], [98]), ("target_first", [1], [104]), ("drop", [], [])]
)
def test_a_native_tie_is_decided_by_the_parameter(tie, y, exit_price):
    events = one_event([(100, 105, 97, 100)], tie=tie)
    assert events.y.tolist() == y
    assert events.exit_price.tolist() == exit_price
    assert events.tie_share == 1.0
    assert events.dropped["tie"] == (tie == "drop")


@pytest.mark.parametrize(
    ("hours", "y", "exit_price"),
    [
        ([(100, 105, 99, 103), (103, 103, 90, 91)], 1, 104),  # the target in the first hour
        ([(100, 101, 97, 99), (99, 105, 98, 104)], 0, 98),  # the stop in the first hour
        ([(100, 101, 99, 100), (95, 105, 94, 95)], 0, 95),  # a tie in the second hour, which opens below the stop
        ([(100, 101, 99, 100), (106, 107, 97, 98)], 0, 98),  # a tie in the second hour, which opens above the target
    ],
)
def test_a_bar_that_touches_both_is_decided_hour_by_hour(hours, y, exit_price):
    quiet = (100, 101, 99, 100)
    opens, highs, lows, closes = zip(*hours, strict=True)
    bars = bars_of([quiet, quiet, (opens[0], max(highs), min(lows), closes[-1])], bar_hours=2)
    scheme = AtrBarrier(stop_atr=1, target_atr=2, bar_hours=2, atr_bars=1, max_holding_bars=1)
    events = scheme.events(bars, bars_of([quiet] * 4 + hours))
    assert (events.y.tolist(), events.exit_price.tolist()) == ([y], [exit_price])


def test_a_gap_gives_no_event_whose_window_crosses_it():
    bars = bars_of([(100, 101, 99, 100)] * 40, skip_after=19)
    scheme = AtrBarrier(stop_atr=1, target_atr=1, bar_hours=1, atr_bars=3, max_holding_bars=5)
    events = scheme.events(bars, bars)
    assert events.bar.tolist() == [*range(3, 15), *range(23, 35)]
    assert events.dropped == {"warmup": 6, "gap": 5, "end": 5, "tie": 0}


def test_no_bars_give_no_events():
    bars = bars_of([(100, 101, 99, 100)] * 3)
    events = AtrBarrier(stop_atr=1, target_atr=1, bar_hours=1).events(bars, bars)
    assert len(events) == 0
    assert events.tie_share == 0.0
    assert events.dropped["warmup"] == 3


def test_label_bars_of_another_length_are_refused():
    bars = bars_of([(100, 101, 99, 100)] * 3)
    with pytest.raises(DataError, match=r"label bars of 1 h, must be of label\.bar_hours 4"):
        AtrBarrier(stop_atr=1, target_atr=1, bar_hours=4).events(bars, bars)


def test_native_bars_that_do_not_make_up_the_label_bars_are_refused(real_bars):
    bars, native = real_bars("spot_1h_2024/AAVE", 4)
    scheme = AtrBarrier(stop_atr=0.2, target_atr=0.2, bar_hours=4)
    with pytest.raises(DataError, match="native 1 h bars must make up the 4 h label bars"):
        scheme.events(bars, native.take(slice(0, 3000)))
    calm = Bars("TEST", 1, native.open_time, *[native.open] * 4, native.volume, native.quality)
    with pytest.raises(DataError, match="disagree with the range of their label bar"):
        scheme.events(bars, calm)


@pytest.mark.parametrize("broken", [{"stop_atr": 0}, {"target_atr": -1}, {"tie": "first"}, {"max_holding_bars": 0}])
def test_parameters_are_checked(broken):
    with pytest.raises(ValidationError):
        AtrBarrier.model_validate({"stop_atr": 1, "target_atr": 1, "bar_hours": 4} | broken)

"""Triple-barrier labels with barriers in units of the average true range (``ATR<stop>_<target>_H<hours>``)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import talib
from pydantic import Field

from ftfkit.components import LabelScheme
from ftfkit.errors import DataError
from ftfkit.types import Bars, BoolArray, Events, FloatArray, IntArray

Touch = npt.NDArray[np.int8]
STOP, TARGET, BOTH = 1, 2, 3  # bits of a touch; 0 is neither


class AtrBarrier(LabelScheme):
    """BUY succeeds (``y = 1``) when the target is touched before the stop within the holding limit.

    Attributes
    ----------
    stop_atr, target_atr : float
        Distance of the barriers below and above the entry, in ATR of the event's own bar.
    atr_bars : int
        Wilder's averaging length, label bars.
    max_holding_bars : int
        Label bars scanned after the event's own; an event needs all of them, gap-free, to exist.
    tie : {"stop_first", "target_first", "drop"}
        What one native bar that touches both barriers means.

    Notes
    -----
    An event starts at the close of a label bar and knows nothing later but the bars it scans. ``dropped`` counts the
    label bars that gave no event: ``warmup`` (ATR undefined), ``gap`` and ``end`` (the full window crosses a gap or
    the end of the data), ``tie``. ``tie_share`` is the share of native ties among all decided events, dropped ones
    included. Where a label bar touches both barriers, the native bar that decides is the one whose open counts as a
    gap through a barrier.

    References
    ----------
    Lopez de Prado, M. (2018), Advances in Financial Machine Learning, ch. 3.4.
    Wilder, J. W. (1978), New Concepts in Technical Trading Systems.
    """

    stop_atr: float = Field(gt=0)
    target_atr: float = Field(gt=0)
    atr_bars: int = Field(default=14, ge=1)
    max_holding_bars: int = Field(default=24, ge=1)
    tie: Literal["stop_first", "target_first", "drop"] = "stop_first"

    def events(self, bars: Bars, native: Bars) -> Events:
        """Events of the label bars.

        Raises
        ------
        DataError
            When ``bars`` are not of ``bar_hours``, or ``native`` are not the finer bars they were gathered from.
        """
        if bars.bar_hours != self.bar_hours:
            raise DataError(
                f"{bars.asset}: label bars of {bars.bar_hours} h, must be of label.bar_hours {self.bar_hours}"
            )
        atr = wilder_atr(bars, self.atr_bars)
        start, dropped = _complete_windows(bars, atr, self.max_holding_bars)
        entry = bars.close[start]
        stop, target = entry - self.stop_atr * atr[start], entry + self.target_atr * atr[start]
        exit_bar, touch = _first_touch(bars, start, stop, target, self.max_holding_bars)
        exit_open = bars.open[exit_bar]
        both = np.flatnonzero(touch == BOTH)
        touch[both], exit_open[both] = _decide_on_native(bars, native, exit_bar[both], stop[both], target[both])
        tie = touch == BOTH
        touch[tie] = TARGET if self.tie == "target_first" else STOP
        keep = ~tie if self.tie == "drop" else np.ones(len(start), dtype=bool)
        return Events(
            bar=start[keep],
            exit_bar=exit_bar[keep],
            t0=bars.close_time[start[keep]],
            t1=bars.close_time[exit_bar[keep]],
            y=(touch[keep] == TARGET).astype(np.int8),
            entry=entry[keep],
            exit_price=_exit_price(touch, stop, target, exit_open, bars.close[exit_bar])[keep],
            dropped={**dropped, "tie": int((~keep).sum())},
            tie_share=float(tie.mean()) if len(tie) else 0.0,
        )


def wilder_atr(bars: Bars, atr_bars: int) -> npt.NDArray[np.float64]:
    """Wilder's average true range at each close, shape (n,); restarts after a gap, NaN in its first bars."""
    atr = np.full(len(bars), np.nan)
    high, low, close = (np.asarray(prices, dtype=np.float64) for prices in (bars.high, bars.low, bars.close))
    for rows in bars.segments:
        atr[rows] = talib.ATR(high[rows], low[rows], close[rows], atr_bars)
    return atr


def _complete_windows(bars: Bars, atr: FloatArray, max_bars: int) -> tuple[IntArray, dict[str, int]]:
    """Bars that can start an event, and why the others cannot."""
    segment_stop = np.empty(len(bars), dtype=np.int64)
    for rows in bars.segments:
        segment_stop[rows] = rows.stop
    warmup = np.isnan(atr)
    cut = ~warmup & (np.arange(len(bars)) + max_bars >= segment_stop)
    at_end = segment_stop == len(bars)
    dropped = {"warmup": warmup, "gap": cut & ~at_end, "end": cut & at_end}
    start = np.flatnonzero(~(warmup | cut)).astype(np.int64)
    return start, {reason: int(mask.sum()) for reason, mask in dropped.items()}


def _touch(low: FloatArray, high: FloatArray, stop: FloatArray, target: FloatArray) -> Touch:
    hit_stop: BoolArray = low <= stop
    hit_target: BoolArray = high >= target
    return hit_stop.view(np.int8) * np.int8(STOP) + hit_target.view(np.int8) * np.int8(TARGET)


def _first_touch(
    bars: Bars, start: IntArray, stop: FloatArray, target: FloatArray, max_bars: int
) -> tuple[IntArray, Touch]:
    """Label bar in which each event ends, and what it touches there; only undecided events are scanned on."""
    exit_bar = start + max_bars
    touch = np.zeros(len(start), dtype=np.int8)
    event, at = np.arange(len(start)), start
    for _ in range(max_bars):
        at = at + 1
        hit = _touch(bars.low[at], bars.high[at], stop, target)
        done = hit != 0
        exit_bar[event[done]], touch[event[done]] = at[done], hit[done]
        event, at, stop, target = event[~done], at[~done], stop[~done], target[~done]
    return exit_bar, touch


def _exit_price(
    touch: Touch, stop: FloatArray, target: FloatArray, exit_open: FloatArray, exit_close: FloatArray
) -> FloatArray:
    """The barrier, or the open beyond it when the bar gaps through; the close where nothing was touched."""
    at_barrier = [np.minimum(stop, exit_open), np.maximum(target, exit_open)]
    return np.select([touch == STOP, touch == TARGET], at_barrier, exit_close)


def _decide_on_native(
    bars: Bars, native: Bars, exit_bar: IntArray, stop: FloatArray, target: FloatArray
) -> tuple[Touch, npt.NDArray[Any]]:
    """Touch and open of the first native bar, inside each label bar, that touches a barrier."""
    inside = _native_rows(bars, native, exit_bar)
    touch = _touch(native.low[inside], native.high[inside], stop[:, None], target[:, None])
    event, deciding = np.arange(len(exit_bar)), (touch != 0).argmax(axis=1)
    decided = touch[event, deciding]
    if not decided.all():
        time = np.datetime64(int(bars.open_time[exit_bar[decided == 0][0]]), "ns")
        raise DataError(f"{bars.asset}: native bars from {time} on disagree with the range of their label bar")
    return decided, native.open[inside[event, deciding]]


def _native_rows(bars: Bars, native: Bars, label_bar: IntArray) -> IntArray:
    """Rows of the native bars that make up each label bar, shape (n, bars a label bar)."""
    per_bar, rest = divmod(bars.bar_hours, native.bar_hours)
    offset = np.arange(per_bar)
    inside = np.searchsorted(native.open_time, bars.open_time[label_bar])[:, None] + offset
    times = bars.open_time[label_bar][:, None] + offset * native.bar_ns
    fits = rest == 0 and inside.max(initial=-1) < len(native) and np.array_equal(native.open_time[inside], times)
    if not fits:
        raise DataError(
            f"{bars.asset}: native {native.bar_hours} h bars must make up the {bars.bar_hours} h label bars"
        )
    return inside

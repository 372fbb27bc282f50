"""Conformance of label schemes: intervals that cover everything a label depends on, and nothing across a gap."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import pytest

from ftfkit.components import LabelScheme
from ftfkit.run.market import resample
from ftfkit.testing.conformance import Conformance
from ftfkit.testing.markets import altered_after, synthetic_bars, without
from ftfkit.types import HOUR_NS, Bars, Events, IntArray

N_LABEL_BARS = 600
GAP = (0.55, 0.6)  # shares of the history between which native bars are missing
CUTS = (0.3, 0.5, 0.85)
N_MOMENTS = 60
COLUMNS = ("t1", "y", "entry", "exit_price")


class LabelSchemeConformance(Conformance):
    """Events are well formed, see nothing past t1, cross no gap and come out the same each time.

    Attributes
    ----------
    lookahead_bars : int
        Label bars before the end of the data within which a scheme may give no event, for want of a full window.
    """

    lookahead_bars: ClassVar[int] = 96

    def test_events_are_well_formed(self, component: LabelScheme) -> None:
        bars, native = _market(component)
        events = component.events(bars, native)
        assert len(events) > 0.3 * len(bars), "a scheme must label a fair share of bars"
        _assert_lengths(events)
        assert set(np.unique(events.y)) <= {0, 1}
        assert events.y.dtype == np.int8
        assert np.isfinite(events.entry).all()
        assert np.isfinite(events.exit_price).all()
        assert (np.diff(events.bar) >= 0).all()
        assert (np.diff(events.t0) >= 0).all()
        assert 0 <= events.tie_share <= 1

    def test_intervals_run_from_the_close_to_the_bar_of_the_exit(self, component: LabelScheme) -> None:
        bars, native = _market(component)
        events = component.events(bars, native)
        np.testing.assert_array_equal(events.t0, bars.close_time[events.bar])
        assert (events.t0 <= events.t1).all()
        assert (events.t1 > bars.open_time[events.exit_bar]).all()
        assert (events.t1 <= bars.close_time[events.exit_bar]).all()

    def test_both_labels_occur(self, component: LabelScheme) -> None:
        bars, native = _market(component)
        assert set(component.events(bars, native).y.tolist()) == {0, 1}

    def test_every_bar_gives_an_event_or_is_counted_as_dropped(self, component: LabelScheme) -> None:
        bars, native = _market(component)
        events = component.events(bars, native)
        assert len(np.unique(events.bar)) + sum(events.dropped.values()) == len(bars), events.dropped

    @pytest.mark.parametrize("factor", [1.7, 0.6])
    def test_no_event_knows_what_comes_after_its_t1(self, component: LabelScheme, factor: float) -> None:
        """With another future, events that have ended by then stay: a t1 that is too early would leak into training.

        Asked at many moments, of prices that rise and that fall, so that a look-ahead of few events is found too.
        """
        bars, native = _market(component)
        full = component.events(bars, native)
        for moment in bars.close_time[np.linspace(0.2 * len(bars), 0.9 * len(bars), N_MOMENTS).astype(int)]:
            other = altered_after(native, int(moment), factor)
            altered = component.events(resample(other, bars.bar_hours), other)
            ended = full.t1 <= moment
            assert ended.any()
            _assert_same(full, altered, np.flatnonzero(ended))

    @pytest.mark.parametrize("share", CUTS)
    def test_history_cut_short_gives_the_same_events(self, component: LabelScheme, share: float) -> None:
        bars, native = _market(component)
        moment = int(bars.close_time[int(share * len(bars))])
        full, cut = component.events(bars, native), component.events(bars.up_to(moment), native.up_to(moment))
        assert (cut.t1 <= moment).all()
        _assert_same(cut, full, np.arange(len(cut)))
        complete = full.t0 <= moment - self.lookahead_bars * bars.bar_ns
        _assert_same(full, cut, np.flatnonzero(complete))

    def test_no_event_crosses_a_gap(self, component: LabelScheme) -> None:
        bars, native = _market(component)
        events = component.events(bars, native)
        assert len(bars.segments) > 1
        np.testing.assert_array_equal(bars.segment[events.bar], bars.segment[events.exit_bar])

    def test_bars_before_a_gap_have_no_say_after_it(self, component: LabelScheme) -> None:
        bars, native = _market(component)
        last = bars.segments[-1]
        start = bars.open_time[last.start]
        rest = native.take(slice(int(np.searchsorted(native.open_time, start)), None))
        full, alone = component.events(bars, native), component.events(bars.take(last), rest)
        _assert_same(alone, full, np.arange(len(alone)))
        assert len(alone) == (full.t0 > start).sum()

    def test_a_short_history_gives_no_event_and_no_error(self, component: LabelScheme) -> None:
        bars, native = _market(component)
        moment = int(bars.close_time[1])
        assert len(component.events(bars.up_to(moment), native.up_to(moment))) <= 2

    def test_is_deterministic(self, component: LabelScheme) -> None:
        bars, native = _market(component)
        first, second = component.events(bars, native), component.events(bars, native)
        _assert_same(first, second, np.arange(len(first)))
        assert first.dropped == second.dropped


def _market(scheme: LabelScheme) -> tuple[Bars, Bars]:
    """Label and native bars, read-only, with one gap."""
    hours = N_LABEL_BARS * scheme.bar_hours
    native = synthetic_bars(days=hours // 24)
    native = without(native, [(int(GAP[0] * hours), int(GAP[1] * hours))])
    assert native.bar_ns == HOUR_NS
    return resample(native, scheme.bar_hours), native


def _assert_lengths(events: Events) -> None:
    for column in dataclasses.fields(Events):
        value = getattr(events, column.name)
        if isinstance(value, np.ndarray):
            assert value.shape == (len(events),), column.name


def _assert_same(some: Events, others: Events, chosen: IntArray) -> None:
    """The chosen events of ``some`` are all in ``others``, equal to the last bit."""
    at = np.searchsorted(others.t0, some.t0[chosen])
    assert (at < len(others)).all(), "an event has vanished"
    np.testing.assert_array_equal(others.t0[at], some.t0[chosen])
    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(others, column)[at], getattr(some, column)[chosen], column)

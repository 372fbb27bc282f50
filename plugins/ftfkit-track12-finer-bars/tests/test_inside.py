"""Native bars inside label bars: all of them, only them, and a refusal where there are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ftfkit_track12_finer_bars.inside import look_inside

from ftfkit.errors import ConfigError
from ftfkit.types import BAR_COLUMNS

NAME = "AAVEUSDT"


def test_each_row_holds_the_bars_of_its_label_bar(gappy_market):
    label, native = gappy_market.label[NAME], gappy_market.native[NAME]
    inside = look_inside(label, native)
    assert inside.n_inside == 4
    for row, start in enumerate(label.open_time.tolist()):
        bars = native.take(slice(*np.searchsorted(native.open_time, [start, start + label.bar_ns]).tolist()))
        np.testing.assert_array_equal(inside.close[row], bars.close)
        np.testing.assert_array_equal(inside.volume[row], bars.volume)
        np.testing.assert_allclose(inside.step[row].sum(), np.log(label.close[row] / label.open[row]), atol=1e-12)
    np.testing.assert_array_equal(inside.high.max(axis=1), label.high)
    np.testing.assert_array_equal(inside.low.min(axis=1), label.low)


def test_the_first_step_starts_at_the_open_and_not_at_the_close_before(make_market):
    market = make_market(n=8)
    native = market.native[NAME]
    inside = look_inside(market.label[NAME], native)
    np.testing.assert_allclose(inside.step[1, 0], np.log(native.close[4] / native.open[4]))


def test_a_label_bar_without_all_its_bars_is_nan(make_market):
    market, holes = make_market(n=40), make_market(n=40, missing=[0, 9, 10, 23, 39])
    inside = look_inside(market.label[NAME], holes.native[NAME])
    lost = [0, 2, 5, 9]
    assert np.flatnonzero(np.isnan(inside.step).any(axis=1)).tolist() == lost
    for name in ("step", "high", "low", "close", "volume"):
        assert np.isnan(getattr(inside, name)[lost]).all()


def test_bars_of_a_shifted_clock_are_not_taken_for_those_inside(make_market):
    """Two-hour bars that open at odd hours: only one of them lies within each label bar of four hours."""
    market = make_market(n=41, label_hours=4)
    native = market.native[NAME]
    columns = {name: getattr(native, name)[1::2] for name in ("open_time", *BAR_COLUMNS)}
    odd = replace(native, bar_hours=2, **columns)
    assert np.isnan(look_inside(market.label[NAME], odd).step).all()


def test_without_native_bars_everything_is_nan(make_market):
    market = make_market(n=40)
    none = market.native[NAME].take(slice(0, 0))
    assert np.isnan(look_inside(market.label[NAME], none).step).all()


@pytest.mark.parametrize(("native_hours", "label_hours"), [(1, 1), (4, 4), (4, 1), (3, 4)])
def test_bars_that_are_not_finer_are_refused(make_market, native_hours, label_hours):
    market = make_market(n=48)
    label = replace(market.label[NAME], bar_hours=label_hours)
    native = replace(market.native[NAME], bar_hours=native_hours)
    with pytest.raises(ConfigError) as refusal:
        look_inside(label, native)
    assert str(refusal.value) == (
        f"market of {NAME}: label.bar_hours == {label_hours} must be a multiple, 2 or more, of the {native_hours} h "
        "native bars for features=finer_bars (plugin ftfkit-track12-finer-bars)"
    )

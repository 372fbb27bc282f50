"""Which bar of another asset is known: closed, fresh, and paired one by one."""

from __future__ import annotations

import numpy as np
import pytest
from ftfkit_track01_market_context.alignment import align
from ftfkit_track01_market_context.series import by_segment, log_steps


def test_equal_clocks_see_the_bar_that_closes_together(make_bars):
    own, other = make_bars("OWN", n=6), make_bars("OTHER", n=6)
    assert align(own, other, max_age_bars=0).index.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("start_hour", [1, 2, 3])
def test_a_later_clock_sees_only_the_bar_that_is_already_closed(make_bars, start_hour):
    own, other = make_bars("OWN", n=5), make_bars("OTHER", n=5, start_hour=start_hour)
    assert align(own, other, max_age_bars=1).index.tolist() == [-1, 0, 1, 2, 3]


def test_a_bar_is_known_from_the_very_moment_of_its_close(make_bars):
    own, other = make_bars("OWN", n=5), make_bars("OTHER", n=5, start_hour=4)
    index = align(own, other, max_age_bars=0).index
    assert index.tolist() == [-1, 0, 1, 2, 3]
    assert (other.close_time[index[1:]] == own.close_time[1:]).all()


@pytest.mark.parametrize(
    ("max_age_bars", "expected"),
    [(0, [0, 1, -1, -1, -1, 2]), (1, [0, 1, 1, -1, -1, 2]), (2, [0, 1, 1, 1, -1, 2])],
)
def test_a_bar_grows_stale(make_bars, max_age_bars, expected):
    own, other = make_bars("OWN", n=6), make_bars("OTHER", n=6, missing=[2, 3, 4])
    assert align(own, other, max_age_bars).index.tolist() == expected


def test_nothing_is_known_of_an_asset_without_bars(make_bars):
    alignment = align(make_bars("OWN", n=3), make_bars("OTHER", n=0), max_age_bars=1)
    assert alignment.index.tolist() == [-1, -1, -1]
    assert np.isnan(alignment.known(np.empty(0))).all()
    assert np.isnan(alignment.paired_steps()).all()


@pytest.mark.parametrize("start_hour", [0, 3])
def test_steps_are_paired_where_both_moved_on_by_one_bar(make_bars, start_hour):
    own = make_bars("OWN", n=12, missing=[9])
    other = make_bars("OTHER", n=12, start_hour=start_hour, missing=[4])
    late = int(start_hour > 0)  # bar i of a later clock is known at the own bar after it
    paired = dict(zip((own.open_time // own.bar_ns).tolist(), align(own, other, 1).paired_steps(), strict=True))
    full = dict(enumerate(log_steps(make_bars("OTHER", n=12)).tolist()))
    lost = {4 + late, 5 + late, 10, 0, late}  # the missing bar, the one after it, after the own gap, the start
    for bar, step in paired.items():
        np.testing.assert_equal(step, np.nan if bar in lost else full[bar - late])


def test_a_step_never_leaves_its_segment(make_bars):
    bars = make_bars("OWN", n=8, missing=[3, 6])
    assert np.isnan(log_steps(bars)).tolist() == [True, False, False, True, False, True]


def test_segments_are_computed_apart_and_joined_in_order(make_bars):
    bars = make_bars("OWN", n=9, missing=[4])
    joined = by_segment(bars, lambda part: {"total": np.cumsum(part.close)})
    np.testing.assert_array_equal(joined["total"], [*np.cumsum(bars.close[:4]), *np.cumsum(bars.close[4:])])

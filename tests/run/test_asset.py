"""The data of one asset: kept while it is the same, and of the planned bars alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ftfkit_track06_focal_loss.focal import FocalLoss

from ftfkit.builtin.labels.atr_barrier import AtrBarrier
from ftfkit.components import LabelScheme
from ftfkit.errors import DataError
from ftfkit.run.asset import asset_data
from ftfkit.run.market import fingerprints, load_market, market_hash
from ftfkit.types import HOUR_NS, Bars, Events


class Counted(AtrBarrier):
    """Reads the module's counter to show how often labels are made."""

    def events(self, bars: Bars, native: Bars) -> Events:
        CALLS.append(len(bars))
        return super().events(bars, native)


CALLS: list[int] = []


def test_one_assets_data_is_kept_until_anything_about_it_differs(make_spec, make_task) -> None:
    label: LabelScheme = Counted(**make_spec().label.model_dump())
    task = make_task(make_spec(label=label))
    load: Callable[..., Any] = asset_data
    first = load(task.spec, task.asset, task.period)
    assert load(make_spec(label=label, loss=FocalLoss(gamma=1, alpha=0.5)), task.asset, task.period) is first
    assert len(CALLS) == 1
    changed: list[Mapping[str, Any]] = [
        {"period": (task.period[0], task.period[1] - 24 * HOUR_NS)},
        {"spec": make_spec(label=Counted(**{**make_spec().label.model_dump(), "target_atr": 2.0}))},
    ]
    for change in changed:
        load(**{"spec": task.spec, "asset": task.asset, "period": task.period, **change})
    assert len(CALLS) == 3


def test_bars_that_are_not_those_of_the_plan_are_refused(make_spec, make_task) -> None:
    task = make_task(make_spec())
    universe = task.spec.universe.universe
    market = load_market(task.spec.data, task.spec.features, universe, task.asset, 4, task.period[1])
    planned = market_hash(fingerprints(market))
    assert len(asset_data(task.spec, task.asset, task.period, planned).events)
    with pytest.raises(DataError, match="bars are not those of the plan"):
        asset_data(task.spec, task.asset, task.period, "0" * 64)


def test_nothing_past_the_periods_end_is_read(make_spec, make_task) -> None:
    task = make_task(make_spec())
    end = task.period[1] - 30 * 24 * HOUR_NS
    data = asset_data(task.spec, task.asset, (task.period[0] + 10 * 24 * HOUR_NS, end))
    assert data.bars.close_time[-1] <= end
    assert data.events.t1.max() <= end
    assert data.events.t0.min() >= task.period[0] + 10 * 24 * HOUR_NS

"""Conformance of metrics: finite columns of their own, whatever the test block looks like."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from ftfkit.components import Metric
from ftfkit.testing.conformance import Conformance, read_only
from ftfkit.testing.fits import planted_sample
from ftfkit.types import Row, Scored, Trades

BLOCKS = ("planted", "nothing bought", "everything bought", "no positives", "all positives", "one event")
_FEES_BPS = 24.0


class MetricConformance(Conformance):
    """Columns are the same for every block, finite, and not those of the core."""

    @pytest.mark.parametrize("block", BLOCKS)
    def test_every_column_is_finite(self, component: Metric, block: str) -> None:
        columns = component.compute(scored_block(block))
        assert columns
        for name, value in columns.items():
            assert isinstance(name, str)
            assert math.isfinite(value), name

    def test_columns_are_the_same_for_every_block(self, component: Metric) -> None:
        names = [tuple(component.compute(scored_block(block))) for block in BLOCKS]
        assert len(set(names)) == 1

    def test_columns_are_not_those_of_the_core(self, component: Metric) -> None:
        core = {"variant", *(field.name for field in dataclasses.fields(Row))}
        assert not core & set(component.compute(scored_block("planted")))

    def test_is_deterministic_and_leaves_its_input_alone(self, component: Metric) -> None:
        scored = scored_block("planted")
        read_only([scored.y, scored.proba, scored.calibrated, scored.buy, scored.t0])
        read_only([scored.trades.event, scored.trades.net_bps, scored.trades.returns])
        assert component.compute(scored) == component.compute(scored_block("planted"))


def scored_block(block: str) -> Scored:
    """A test block of a planted sample: BUY where the known probability is at least one half, or as the name says."""
    planted = planted_sample(240)
    n = 1 if block == "one event" else 240
    y, proba = planted.sample.y_hard[:n].copy(), planted.truth[:n].astype(np.float32)
    if block in {"no positives", "all positives"}:
        y = np.full(n, block == "all positives", dtype=np.int8)
    buy = proba >= {"nothing bought": 2.0, "everything bought": 0.0}.get(block, 0.5)
    event = np.flatnonzero(buy)[::6].astype(np.int64)
    net_bps = np.where(y[event] == 1, 90.0, -60.0) - _FEES_BPS
    returns = np.zeros(n + 12)
    returns[event] = net_bps / 1e4
    trades = Trades(event, net_bps, returns)
    return Scored(y, proba, proba.copy(), buy, planted.sample.t0[:n].copy(), 0.5, trades, bar_hours=4)

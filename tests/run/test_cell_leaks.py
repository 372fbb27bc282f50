"""Nothing of the test block decides anything in its cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ftfkit.builtin.data.synthetic import SyntheticSource
from ftfkit.builtin.features.technical import TechnicalFeatures
from ftfkit.builtin.labels.atr_barrier import AtrBarrier
from ftfkit.config.schema import Spec
from ftfkit.config.sections import HpoConfig
from ftfkit.purging import overlaps
from ftfkit.run.cell import CellResult
from ftfkit.types import HOUR_NS, Asset, Bars, Events, Features, Market


def assert_same_decisions(first: CellResult, second: CellResult) -> None:
    a, b = first.predictions, second.predictions
    assert a is not None
    assert b is not None
    assert (a.params, a.rounds, a.valid_value) == (b.params, b.rounds, b.valid_value)
    np.testing.assert_array_equal(a.oof_proba, b.oof_proba)
    np.testing.assert_array_equal(a.valid_proba, b.valid_proba)
    assert first.row.threshold == second.row.threshold
    assert first.row.oof_buys_tuned == second.row.oof_buys_tuned


def test_training_labels_are_clear_of_the_test_block_and_its_embargo(make_spec, cell, asset_data_of) -> None:
    spec = make_spec()
    events = asset_data_of(spec).events
    for fold in range(3):
        found = cell(spec, fold).predictions
        start, end = events.t0[found.test_index].min(), events.t1[found.test_index].max() + 24 * 4 * HOUR_NS
        one = np.array([start]), np.array([end])
        assert not overlaps(events.t0[found.oof_index], events.t1[found.oof_index], *one).any()


class FlippedInSpan(AtrBarrier):
    """Turns the labels of events within [start, end) around."""

    start: int
    end: int

    def events(self, bars: Bars, native: Bars) -> Events:
        events = super().events(bars, native)
        inside = (events.t0 >= self.start) & (events.t0 < self.end)
        return replace(events, y=np.where(inside, 1 - events.y, events.y).astype(np.int8))


class NoiseInSpan(TechnicalFeatures):
    """Features of bars closed within [start, end) are noise."""

    start: int
    end: int

    def compute(self, asset: Asset, market: Market) -> Features:
        features = super().compute(asset, market)
        values, close = features.values.copy(), market.label[asset.name].close_time
        inside = (close >= self.start) & (close < self.end)
        values[inside] = np.random.default_rng(0).normal(size=(int(inside.sum()), values.shape[1]))
        return Features(features.names, values)


@pytest.mark.parametrize("fold", [0, 1, 2])
def test_labels_of_the_test_block_decide_nothing(make_spec, make_task, cell, fold: int) -> None:
    start, end = make_task(make_spec()).edges[fold : fold + 2].tolist()
    flipped = FlippedInSpan(**make_spec().label.model_dump(), start=start, end=end)
    plain, changed = cell(make_spec(), fold), cell(make_spec(label=flipped), fold)
    assert_same_decisions(plain, changed)
    np.testing.assert_array_equal(plain.predictions.test_proba, changed.predictions.test_proba)
    assert plain.row.prevalence == pytest.approx(1 - changed.row.prevalence)


@pytest.mark.parametrize("fold", [0, 1, 2])
def test_features_of_the_test_block_decide_nothing(make_spec, make_task, cell, fold: int) -> None:
    start, end = make_task(make_spec()).edges[fold : fold + 2].tolist()
    plain, changed = cell(make_spec(), fold), cell(make_spec(features=NoiseInSpan(start=start, end=end)), fold)
    assert_same_decisions(plain, changed)
    assert (plain.predictions.test_proba != changed.predictions.test_proba).any()


class ShuffledLabels(AtrBarrier):
    """Labels in a random order: nothing can be learnt."""

    seed: int

    def events(self, bars: Bars, native: Bars) -> Events:
        events = super().events(bars, native)
        return replace(events, y=np.random.default_rng(self.seed).permutation(events.y))


def mean_skill(cell, specs: list[Spec]) -> tuple[float, float]:
    """Mean of average precision above chance over all folds, and its standard error."""
    rows = [cell(spec, fold).row for spec in specs for fold in range(3)]
    skill = np.array([row.average_precision - row.ap_chance for row in rows])
    return float(skill.mean()), float(skill.std(ddof=1) / np.sqrt(len(skill)))


def test_shuffled_labels_show_no_skill_and_planted_ones_do(make_spec, cell) -> None:
    hpo, base = HpoConfig(n_trials=0, every_rounds=10), make_spec().label.model_dump()
    shuffled, error = mean_skill(
        cell, [make_spec(label=ShuffledLabels(**base, seed=seed), hpo=hpo) for seed in range(6)]
    )
    assert shuffled < 2 * error
    planted, error = mean_skill(
        cell, [make_spec(hpo=hpo, data=SyntheticSource(days=150, signal=1.0, seed=s)) for s in (1, 2)]
    )
    assert planted > 3 * error

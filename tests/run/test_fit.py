"""What a fit is made from: its own rows, their weights, and what else a model sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from ftfkit.components import BoundModel, FitContext, Model, TargetTransform
from ftfkit.config.sections import BalancingConfig, HpoConfig
from ftfkit.errors import DataSettingError
from ftfkit.run.fit import class_weights, derived_seed, prepare_fit
from ftfkit.types import HOUR_NS, Target
from ftfkit.uniqueness import uniqueness


class Recorder(TargetTransform):
    """Keeps the rows before a moment, halves their weight, and refuses to be shown a scored row."""

    until: int = 2**62

    def transform(self, context: FitContext) -> Target:
        assert len(context.X_eval) == 0
        assert context.oof_proba is not None
        n = len(context.train.t0)
        proba = context.oof_proba()
        assert proba.shape == (n,)
        keep = context.train.t0 < self.until
        y = np.clip(context.train.y_hard, 0.1, 0.9).astype(np.float32)
        return Target(
            y, np.full(n, 0.5, dtype=np.float32), keep, {"kept": float(keep.mean()), "mean": float(proba.mean())}
        )


def test_targets_and_weights_are_made_from_each_fits_own_rows(make_spec, asset_data_of) -> None:
    balancing = BalancingConfig(class_weight="balanced", uniqueness=True)
    spec = make_spec(balancing=balancing, hpo=HpoConfig(n_trials=0, every_rounds=10))
    data = asset_data_of(spec)
    half = int(np.median(data.events.t0))
    train, score = np.arange(0, 600), np.arange(650, 700)
    fit = prepare_fit(spec.model_copy(update={"targets": Recorder(until=half)}), data, train, score, seed=1)
    kept = train[data.events.t0[train] < half]
    own = fit.context.train
    y = data.events.y[kept]
    share = y.mean()
    expected = np.where(y == 1, 0.5 / share, 0.5 / (1 - share))
    expected = expected * uniqueness(data.events.t0[kept], data.events.t1[kept], 4 * HOUR_NS) * 0.5
    np.testing.assert_allclose(own.weight, expected, rtol=1e-6)
    np.testing.assert_array_equal(own.y, np.clip(y, 0.1, 0.9).astype(np.float32))
    np.testing.assert_array_equal(own.y_hard, y)
    np.testing.assert_array_equal(fit.context.X_eval, data.X[score])
    assert fit.notes["kept"] == pytest.approx(len(kept) / 600)


def test_a_transform_that_keeps_no_event_is_named(make_spec, asset_data_of) -> None:
    spec = make_spec(targets=Recorder(until=0))
    said = r"^configuration: targets == Recorder must leave .* kept training events"
    with pytest.raises(DataSettingError, match=said):
        prepare_fit(spec, asset_data_of(spec), np.arange(0, 600), np.arange(650, 700), seed=1)


def test_a_fit_inside_a_fit_knows_nothing_of_the_rows_it_leaves_out(make_spec, asset_data_of) -> None:
    spec = make_spec(balancing=BalancingConfig(class_weight="balanced"), targets=Recorder())
    data = asset_data_of(spec)
    inner, rows = np.arange(200, 500), np.arange(0, 600)
    flipped = data.events.y.copy()
    flipped[:200] = 1 - flipped[:200]
    other = replace(data, events=replace(data.events, y=flipped))
    own, unmoved = (
        prepare_fit(spec, known, rows, np.arange(650, 700), seed=1).context.sample(inner) for known in (data, other)
    )
    assert own.weight.sum() == pytest.approx(0.5 * len(inner))
    for column in ("y", "weight", "y_hard"):
        np.testing.assert_array_equal(getattr(own, column), getattr(unmoved, column))


def test_scored_rows_are_never_pruned(make_spec, cell, asset_data_of) -> None:
    spec = make_spec(targets=Recorder(until=int(np.median(asset_data_of(make_spec()).events.t0))))
    found = cell(spec, fold=2)
    assert found.row.test_events == cell(make_spec(), fold=2).row.test_events
    assert len(found.predictions.oof_proba) == found.row.n_train
    assert 0 < found.row.target_notes["kept"] < 1


class Greedy(Model):
    """Asks the context for the models and splits an ensemble needs."""

    def bind(self, context: FitContext) -> BoundModel:
        assert "xgboost" in context.models
        assert "no such model" not in context.models
        inner = context.models["xgboost"](max_rounds=5)
        tested = np.concatenate([split.test for split in context.splits])
        np.testing.assert_array_equal(tested, np.arange(len(context.train.t0)))
        return inner.bind(context)


def test_models_see_splits_and_the_other_models(make_spec, cell) -> None:
    assert cell(make_spec(model=Greedy(), hpo=HpoConfig(n_trials=0, every_rounds=5))).row.rounds == 5


def test_seeds_know_run_asset_fold_and_purpose() -> None:
    seeds = {derived_seed(*key) for key in [(0, "A", 0, "x"), (1, "A", 0, "x"), (0, "B", 0, "x"), (0, "A", 1, "x")]}
    assert len(seeds | {derived_seed(0, "A", 0, "y")}) == 5
    assert derived_seed(0, "AAVEUSDC", 0, "sampler") == 883_708_162  # the same in every process, on every machine
    assert all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.parametrize("y", [[0, 0, 0, 1], [1, 1, 0], [0, 1], [1, 1], [0]])
def test_balanced_class_weights_are_those_of_scikit_learn(y: list[int]) -> None:
    hard = np.array(y, dtype=np.int8)
    classes = np.unique(hard)
    known = dict(zip(classes.tolist(), compute_class_weight("balanced", classes=classes, y=hard), strict=True))
    found = class_weights(BalancingConfig(class_weight="balanced"), hard)
    assert found == (known.get(0, 1.0), known.get(1, 1.0))
    assert class_weights(BalancingConfig(), hard) == (1, 1)

from __future__ import annotations

import numpy as np
import pytest
from ftfkit_track05_label_noise.cleaning import CleanlabTarget
from ftfkit_track05_label_noise.smoothing import LabelSmoothing
from pydantic import ValidationError

import ftfkit
from ftfkit.builtin.losses.logistic import LogisticLoss
from ftfkit.components import FitContext
from ftfkit.plugins import registry
from ftfkit.types import Sample


def context(y: np.ndarray, proba: np.ndarray) -> FitContext:
    n = len(y)
    time = np.arange(n, dtype=np.int64)
    sample = Sample(
        np.zeros((n, 2), np.float32), y.astype(np.float32), y.astype(np.int8), np.ones(n, np.float32), time, time
    )
    return FitContext(sample, sample.X[:0], LogisticLoss(), 0, oof_proba=lambda: proba.astype(np.float32))


@pytest.fixture
def noisy() -> tuple[FitContext, np.ndarray]:
    """400 rows with confident probabilities, 20 of them with a flipped label."""
    rng = np.random.default_rng(3)
    truth = rng.random(400) < 0.4
    proba = np.where(truth, rng.uniform(0.8, 0.99, 400), rng.uniform(0.01, 0.2, 400))
    flipped = rng.choice(400, 20, replace=False)
    y = truth.astype(np.int8)
    y[flipped] ^= 1
    return context(y, proba), np.sort(flipped)


@pytest.mark.parametrize(("epsilon", "low", "high"), [(0.05, 0.025, 0.975), (0.2, 0.1, 0.9)])
def test_smoothing_moves_labels_towards_one_half_and_touches_nothing_else(
    epsilon: float, low: float, high: float
) -> None:
    target = LabelSmoothing(epsilon=epsilon).transform(context(np.array([0, 1, 1]), np.full(3, 0.5)))
    np.testing.assert_allclose(target.y, [low, high, high], rtol=1e-6)
    assert target.keep.all()
    assert (target.weight == 1).all()


def test_pruning_drops_flipped_labels_and_no_others(noisy: tuple[FitContext, np.ndarray]) -> None:
    fit, flipped = noisy
    target = CleanlabTarget(action="prune", filter_by="confident_learning").transform(fit)
    dropped = np.flatnonzero(~target.keep)
    assert set(dropped) <= set(flipped)
    assert len(dropped) >= 10
    assert target.notes["share_suspected"] == pytest.approx(len(dropped) / 400)
    kept = fit.train.y_hard[target.keep]
    assert target.notes["class_shift"] == pytest.approx(kept.mean() - fit.train.y_hard.mean())


def test_the_cap_keeps_the_worst(noisy: tuple[FitContext, np.ndarray]) -> None:
    fit, _ = noisy
    capped = CleanlabTarget(action="prune", filter_by="confident_learning", max_share=0.02).transform(fit)
    assert (~capped.keep).sum() == 8
    assert fit.oof_proba is not None
    quality = np.where(fit.train.y_hard == 1, fit.oof_proba(), 1 - fit.oof_proba())
    assert quality[~capped.keep].max() <= np.sort(quality)[7] + 1e-6


def test_reweighting_keeps_all_rows_and_lowers_only_the_suspected(noisy: tuple[FitContext, np.ndarray]) -> None:
    fit, flipped = noisy
    target = CleanlabTarget(action="reweight", filter_by="confident_learning", min_weight=0.3).transform(fit)
    assert target.keep.all()
    lowered = np.flatnonzero(target.weight < 1)
    assert set(lowered) <= set(flipped)
    assert len(lowered) >= 10
    assert target.weight.min() >= 0.3 - 1e-6
    np.testing.assert_array_equal(target.y, fit.train.y_hard)


def test_one_class_suspects_nothing() -> None:
    target = CleanlabTarget(action="prune").transform(context(np.zeros(10), np.full(10, 0.3)))
    assert target.keep.all()
    assert target.notes == {"share_suspected": 0.0, "class_shift": 0.0}


def test_parameters_out_of_range_are_refused() -> None:
    with pytest.raises(ValidationError):
        LabelSmoothing(epsilon=1.0)
    with pytest.raises(ValidationError):
        CleanlabTarget(action="prune", max_share=0.5)


def test_track_composes_with_all_variants() -> None:
    assert registry().load("target_transform", "cleanlab") is CleanlabTarget
    experiment = ftfkit.compose("track=05_label_noise")
    assert [variant.name for variant in experiment.variants] == ["mild", "moderate", "strong", "prune", "reweight"]
    assert experiment.baseline.name == "hard"

"""One fit inside a cell: which rows train it, with which labels and weights, and what it scores."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import cast

import numpy as np
import numpy.typing as npt

from ftfkit.components import FitContext, Model, Params, Proba
from ftfkit.config.schema import Spec
from ftfkit.config.sections import BalancingConfig
from ftfkit.errors import UNPLACED, DataSettingError
from ftfkit.plugins import registry
from ftfkit.purging import consecutive_splits
from ftfkit.run.asset import AssetData
from ftfkit.run.payloads import proba_of, target_of
from ftfkit.types import IntArray, Sample, Split
from ftfkit.uniqueness import uniqueness

Weights = npt.NDArray[np.float32]


class _RegisteredModels(Mapping[str, type[Model]]):
    """Registered models by name; each is imported when it is asked for."""

    def __getitem__(self, name: str) -> type[Model]:
        return registry().load("model", name)

    def __contains__(self, name: object) -> bool:
        return name in registry().registrations["model"]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(registry().registrations["model"]))

    def __len__(self) -> int:
        return len(registry().registrations["model"])


REGISTERED_MODELS = _RegisteredModels()


@dataclass(frozen=True, eq=False)
class Fit:
    """A fit ready to be bound, and what its target transform noted."""

    context: FitContext
    notes: Mapping[str, float]


def derived_seed(seed: int, asset: str, fold: int, purpose: str) -> int:
    """Seed in [0, 2**31) from run seed, asset and fold; the variant has no part in it."""
    digest = hashlib.sha256(f"{seed}|{asset}|{fold}|{purpose}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def prepare_fit(spec: Spec, data: AssetData, train: IntArray, score: IntArray, seed: int) -> Fit:
    """Targets and weights of the training events ``train``, and the features of the events to be scored.

    The target transform sees training rows only. Class weights and uniqueness are then taken over the rows it keeps, so
    that every fit is balanced on its own.

    Raises
    ------
    DataSettingError
        When no training event is left.
    """
    _refuse_empty(train, "cv.n_folds", spec.cv.n_folds, "training")
    _refuse_empty(score, "cv.n_folds", spec.cv.n_folds, "scored")
    own, notes = _trained_on(spec, data, _sample(data, train), seed)
    return Fit(_context(spec, data, own, data.X[score], seed), notes)


def _trained_on(spec: Spec, data: AssetData, hard: Sample, seed: int) -> tuple[Sample, Mapping[str, float]]:
    """Targets and weights of these rows, from these rows alone; ``hard`` has hard labels and any weights."""
    weighted = replace(hard, weight=_row_weights(spec.balancing, hard, data))
    none_scored = data.X[:0]
    target = target_of(spec.targets, _context(spec, data, weighted, none_scored, seed))
    kept = replace(hard, y=target.y).rows(target.keep)
    _refuse_empty(kept.t0, "targets", type(spec.targets).__name__, "kept training")
    own = replace(kept, weight=_row_weights(spec.balancing, kept, data) * target.weight[target.keep])
    return own, dict(target.notes)


def predict(spec: Spec, fit: Fit, params: Params, rounds: int, seeds: tuple[int, ...]) -> Proba:
    """Probabilities of the scored rows, averaged over model seeds."""
    n = len(fit.context.X_eval)
    bound = (spec.model.bind(replace(fit.context, seed=seed)) for seed in seeds)
    scored = [proba_of(spec.model, one.predict(params, rounds), n).astype(np.float64) for one in bound]
    return cast(Proba, np.mean(scored, axis=0).astype(np.float32))


def out_of_fold(
    spec: Spec, data: AssetData, train: IntArray, params: Params, rounds: int, seeds: tuple[int, ...]
) -> Proba:
    """Purged out-of-fold probabilities of the training events, by consecutive groups; shape (len(train),)."""
    proba = np.empty(len(train), dtype=np.float32)
    for split in _groups(spec, data.events.t0[train], data.events.t1[train]):
        fit = prepare_fit(spec, data, train[split.train], train[split.test], seeds[0])
        proba[split.test] = predict(spec, fit, params, rounds, seeds)
    return proba


def class_weights(balancing: BalancingConfig, y_hard: npt.NDArray[np.int8]) -> tuple[float, float]:
    """Weights of the other class and of BUY on these rows; 1 where a class is absent or nothing is balanced.

    Notes
    -----
    What scikit-learn's ``compute_class_weight("balanced")`` gives; its checks of the input would take a hundred times
    longer, at each of the dozen fits of a cell.
    """
    n, n_buy = len(y_hard), int(np.count_nonzero(y_hard))
    if balancing.class_weight is None or n_buy in (0, n):
        return 1.0, 1.0
    return n / (2 * (n - n_buy)), n / (2 * n_buy)


def _row_weights(balancing: BalancingConfig, sample: Sample, data: AssetData) -> Weights:
    other, buy = class_weights(balancing, sample.y_hard)
    weight = np.where(sample.y_hard == 1, buy, other)
    if balancing.uniqueness:
        weight = weight * uniqueness(sample.t0, sample.t1, data.bars.bar_ns)
    return weight.astype(np.float32)


def _sample(data: AssetData, rows: IntArray) -> Sample:
    y = data.events.y[rows]
    ones = np.ones(len(rows), dtype=np.float32)
    return Sample(data.X[rows], y.astype(np.float32), y, ones, data.events.t0[rows], data.events.t1[rows])


def _context(spec: Spec, data: AssetData, sample: Sample, X_eval: npt.NDArray[np.float32], seed: int) -> FitContext:
    @cache
    def oof_proba() -> Proba:
        proba = np.empty(len(sample.t0), dtype=np.float32)
        for split in _groups(spec, sample.t0, sample.t1):
            hard = _hard(sample, split.train)
            train = replace(hard, weight=_row_weights(spec.balancing, hard, data))
            bound = spec.model.bind(_context(spec, data, train, sample.X[split.test], seed))
            scored = bound.predict(spec.model.params, spec.model.max_rounds)
            proba[split.test] = proba_of(spec.model, scored, len(split.test))
        return proba

    def resample(rows: IntArray) -> Sample:
        return _trained_on(spec, data, _hard(sample, rows), seed)[0]

    return FitContext(sample, X_eval, spec.loss, seed, partial(_groups, spec), REGISTERED_MODELS, oof_proba, resample)


def _hard(sample: Sample, rows: IntArray) -> Sample:
    return replace(sample, y=sample.y_hard.astype(np.float32)).rows(rows)


def _groups(spec: Spec, t0: IntArray, t1: IntArray) -> tuple[Split, ...]:
    return consecutive_splits(t0, t1, spec.cv.oof_groups, spec.cv.embargo_ns)


def _refuse_empty(rows: IntArray, key: str, value: object, which: str) -> None:
    if len(rows) == 0:
        rule = f"must leave every fit {which} events; take a longer period, fewer folds or a shorter embargo"
        raise DataSettingError(UNPLACED, key, value, rule)

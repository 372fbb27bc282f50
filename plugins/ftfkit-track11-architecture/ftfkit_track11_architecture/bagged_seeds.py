"""The same model under several seeds, averaged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import Field, model_validator

from ftfkit.components import BoundModel, FitContext, Loss, Model, Params, Proba
from ftfkit.types import Stage
from ftfkit_track11_architecture.members import member


class BaggedSeeds(Model):
    """Mean probability of ``n_models`` fits that differ in their seed alone.

    ``params``, ``space`` and ``max_rounds`` are the member's: one search serves all members. What the member honours or
    refuses (weights, soft labels, losses), the ensemble honours or refuses.

    Attributes
    ----------
    base : mapping
        The member: ``name`` of a registered model, and its own fields but those three.
    n_models : int
        Members; training costs as many times as much.
    """

    base: Mapping[str, Any]
    n_models: int = Field(default=5, ge=2, le=100)

    @model_validator(mode="after")
    def _member_exists(self) -> BaggedSeeds:
        self.member()
        return self

    def member(self) -> Model:
        """The model that is fitted ``n_models`` times."""
        return member(self.base, params=self.params, space=self.space, max_rounds=self.max_rounds)

    def check_loss(self, loss: Loss) -> None:
        self.member().check_loss(loss)

    def bind(self, context: FitContext) -> BoundModel:
        model = self.member()
        seeds = [_seed(context.seed, number) for number in range(self.n_models)]
        return _BoundBag([model.bind(replace(context, seed=seed)) for seed in seeds])


class _BoundBag:
    def __init__(self, members: list[BoundModel]) -> None:
        self._members = members

    def path(self, params: Params, every_rounds: int) -> Iterator[Stage]:
        for stages in zip(*(bound.path(params, every_rounds) for bound in self._members), strict=True):
            yield Stage(stages[0].rounds, _mean([stage.proba for stage in stages]))

    def predict(self, params: Params, rounds: int) -> Proba:
        return _mean([bound.predict(params, rounds) for bound in self._members])


def _mean(probas: list[Proba]) -> Proba:
    mean: Proba = np.stack(probas).astype(np.float64).mean(axis=0).astype(np.float32)
    return mean


def _seed(seed: int, number: int) -> int:
    digest = hashlib.sha256(f"{seed}|bagged member {number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1

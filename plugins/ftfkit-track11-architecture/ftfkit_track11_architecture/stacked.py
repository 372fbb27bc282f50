"""Several registered models, weighed by a logistic regression on their out-of-fold logits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator, model_validator
from scipy.special import logit

from ftfkit.components import BoundModel, FitContext, Loss, Model, Params, Proba
from ftfkit.errors import ConfigError
from ftfkit.types import Stage
from ftfkit_track11_architecture.bagged_seeds import BaggedSeeds
from ftfkit_track11_architecture.bounds import POSITIVE, check_parameters
from ftfkit_track11_architecture.logistic_regression import LogisticRegressionModel
from ftfkit_track11_architecture.members import member
from ftfkit_track11_architecture.rows import OWNER, refuse_other_losses

EDGE = 1e-4  # probabilities are kept this far from 0 and 1, so that their logits are finite


class StackedModel(Model):
    """Members fitted under their declared parameters; the stacker's penalty ``C`` is what HPO searches.

    The stacker learns from purged out-of-fold probabilities of the training rows, so no member is judged on a row that
    it, or an overlapping label, was trained on. It has no rounds; each member keeps its own ``max_rounds``.

    Attributes
    ----------
    members : tuple of mapping
        At least two models: ``name`` of a registered one and its fields. A member may be neither a stack nor a bag
        of stacks.

    References
    ----------
    Wolpert, D. (1992), Stacked generalization, Neural Networks 5(2).
    """

    members: tuple[Mapping[str, Any], ...] = Field(min_length=2)

    @field_validator("params", "space")
    @classmethod
    def _known_parameters(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        return check_parameters(value, {"C": POSITIVE})

    @model_validator(mode="after")
    def _members_exist(self) -> StackedModel:
        if any(_holds_a_stack(model) for model in self.built()):
            raise ValueError("members must not be stacked themselves")
        return self

    def built(self) -> tuple[Model, ...]:
        """The members as models."""
        return tuple(member(values) for values in self.members)

    def check_loss(self, loss: Loss) -> None:
        refuse_other_losses(loss, "the stacker")
        for model in self.built():
            model.check_loss(loss)

    def bind(self, context: FitContext) -> BoundModel:
        self.check_loss(context.loss)
        if len(context.splits) < 2:
            raise ConfigError("model.bind", "cv.oof_groups", len(context.splits), "must be >= 2 to stack", OWNER)
        return _BoundStack(self, context)


def _holds_a_stack(model: Model) -> bool:
    """Whether a member is a stack, or a bag of stacks: inside a fold there are no groups to stack over."""
    return isinstance(model, StackedModel) or (isinstance(model, BaggedSeeds) and _holds_a_stack(model.member()))


class _BoundStack:
    """One fit: the members' out-of-fold logits do not depend on ``C`` and are made once."""

    def __init__(self, stack: StackedModel, context: FitContext) -> None:
        models = stack.built()
        train = replace(context.train, X=_member_logits(models, context))
        X_eval = np.column_stack([_scored(model, context) for model in models]).astype(np.float32)
        self._rounds = stack.max_rounds
        self._stacker = LogisticRegressionModel().bind(replace(context, train=train, X_eval=X_eval))

    def path(self, params: Params, every_rounds: int) -> Iterator[Stage]:
        yield Stage(self._rounds, self.predict(params, self._rounds))

    def predict(self, params: Params, rounds: int) -> Proba:
        return self._stacker.predict(params, rounds)


def _member_logits(models: tuple[Model, ...], context: FitContext) -> npt.NDArray[np.float32]:
    """Purged out-of-fold logits of the training rows, one column a member; shape (n, n_members)."""
    columns = np.empty((len(context.train.y), len(models)), dtype=np.float32)
    for split in context.splits:
        train = context.sample(split.train)  # weights and targets know nothing of the rows that are scored
        scored = context.train.X[split.test]
        # What else the context can tell is of all its rows, those that are scored here among them.
        fold = replace(context, train=train, X_eval=scored, grouping=None, oof_proba=None, resample=None)
        for column, model in enumerate(models):
            columns[split.test, column] = _scored(model, fold)
    return columns


def _scored(model: Model, context: FitContext) -> npt.NDArray[np.float32]:
    proba = model.bind(context).predict(model.params, model.max_rounds)
    clipped: npt.NDArray[np.float32] = logit(np.clip(proba, EDGE, 1 - EDGE)).astype(np.float32)
    return clipped

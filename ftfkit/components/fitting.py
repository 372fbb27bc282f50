"""What takes part in a fit: losses, models, target transforms, and the context that they are given."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ftfkit.components.base import Component
from ftfkit.types import IntArray, Sample, Split, Stage, Target

Params = Mapping[str, float | int]
Proba = npt.NDArray[np.float32]


class Objective(Protocol):
    """A loss bound to training labels and weights, working on logits.

    ``intercept`` is the constant logit at which the summed gradient is zero. Calling it with logits of shape (n,)
    returns gradient and hessian, float32, weights included, hessian > 0.
    """

    intercept: float

    def __call__(self, logit: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]: ...


class Loss(Component):
    """Training loss of a binary classifier on logits."""

    native: ClassVar[str | None] = None  # XGBoost objective that computes this very loss, if there is one
    neutral: ClassVar[Mapping[str, float]] = {}  # parameter values at which it is the plain logistic loss

    @abstractmethod
    def value(self, logit: npt.NDArray[Any], y: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Unweighted loss of each row.

        Parameters
        ----------
        logit, y : ndarray, shape (n,)
            A soft ``y`` in [0, 1] costs ``y loss(1) + (1 - y) loss(0)``.
        """

    @abstractmethod
    def objective(self, y: npt.NDArray[np.float32], weight: npt.NDArray[np.float32]) -> Objective:
        """Bind to one fit's rows.

        Parameters
        ----------
        y, weight : ndarray of float32, shape (n,)

        Notes
        -----
        Gradient and hessian are scaled so that the mean initial hessian is ``pi (1 - pi)``, pi the weighted
        prevalence: ``min_child_weight`` and ``reg_lambda`` then mean the same under every loss.
        """

    def class_probability(self, proba: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Invert the loss's own distortion: sigmoid(logit) to the class probability it is minimised at."""
        return np.asarray(proba, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class FitContext:
    """Everything of one fit but the component itself; all of it stems from training events.

    Attributes
    ----------
    train : Sample
    X_eval : ndarray of float32, shape (m, p)
        Rows to be scored.
    loss : Loss
    seed : int
    grouping : callable
        Label intervals of rows, t0 and t1, to their purged out-of-fold groups; what ``splits`` calls.
    models : mapping of str to type of Model
        All registered models.
    oof_proba : callable
        Purged out-of-fold probabilities of ``train`` under the experiment's model and its default parameters, hard
        labels; shape (n,). Costs ``len(splits)`` fits at the first call.
    resample : callable
        What ``sample`` calls.
    """

    train: Sample
    X_eval: npt.NDArray[np.float32]
    loss: Loss
    seed: int
    grouping: Callable[[IntArray, IntArray], tuple[Split, ...]] | None = None
    models: Mapping[str, type[Model]] = field(default_factory=dict)
    oof_proba: Callable[[], Proba] | None = None
    resample: Callable[[IntArray], Sample] | None = None

    @cached_property
    def splits(self) -> tuple[Split, ...]:
        """Purged out-of-fold groups of ``train``, for ensembles and target transforms; made when first asked for.

        Raises
        ------
        DataSettingError
            When a group has no training or no test event.
        """
        return () if self.grouping is None else self.grouping(self.train.t0, self.train.t1)

    def sample(self, rows: IntArray) -> Sample:
        """Training sample of some rows of ``train`` alone, for a fit inside this one.

        Targets and weights are made anew from these rows, so that nothing of the others is in them; a target transform
        may keep fewer rows.
        """
        return self.train.rows(rows) if self.resample is None else self.resample(rows)


class BoundModel(Protocol):
    """A model bound to one fit; holds what can be shared between trials, such as binned matrices."""

    def path(self, params: Params, every_rounds: int) -> Iterator[Stage]:
        """Probabilities of ``X_eval`` every ``every_rounds`` rounds; the caller may stop early (pruning)."""
        ...

    def predict(self, params: Params, rounds: int) -> Proba:
        """Fit with ``params`` for ``rounds`` rounds and score ``X_eval``; shape (m,)."""
        ...


class SearchRange(BaseModel):
    """One search dimension; ``log`` samples in log space, ``int`` draws integers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    low: float
    high: float
    log: bool = False
    kind: Literal["float", "int"] = "float"

    @model_validator(mode="after")
    def _is_a_range(self) -> SearchRange:
        if self.low > self.high:
            raise ValueError(f"low must be <= high == {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError("low must be > 0 on a log scale")
        if self.kind == "int" and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError("low and high must be whole numbers where kind is int")
        return self


class Model(Component):
    """A classifier with rounds (boosting) or without, deterministic given its context, one thread.

    Attributes
    ----------
    params : mapping of str to number
        Fixed parameters of every fit; also what ``hpo=fixed`` uses.
    space : mapping of str to range
        Parameters that the search draws, each with its range.
    max_rounds : int
        Most rounds of a fit.
    """

    params: Mapping[str, float | int] = Field(default_factory=dict)
    space: Mapping[str, SearchRange] = Field(default_factory=dict)
    max_rounds: int = Field(default=1, ge=1)

    def check_loss(self, loss: Loss) -> None:
        """Refuse a loss that the model cannot honour, before any data is read; any will do unless overridden.

        ``bind`` calls it too where it is overridden, and an ensemble hands it on to its members.

        Raises
        ------
        ConfigError
            Its key is ``loss``; the core adds the place.
        """
        return

    @abstractmethod
    def bind(self, context: FitContext) -> BoundModel:
        """Prepare one fit; what it returns is asked for several parameters and must not change between calls.

        Raises
        ------
        ConfigError
            For soft labels, weights or a loss that the model cannot honour.
        """


class TargetTransform(Component):
    """Changes training labels, weights or membership; never sees a scored row."""

    @abstractmethod
    def transform(self, context: FitContext) -> Target:
        """Target of ``context.train``, recomputed for each fit's own rows."""

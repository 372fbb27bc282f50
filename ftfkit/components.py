"""What a plugin builds: one frozen base class a kind, whose fields are its parameters.

A component is made from a YAML section (``name:`` selects it, the other keys are its fields) or, in a test, by naming
its fields. It never holds data and never changes; everything it needs arrives as an argument.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from ftfkit.errors import DataError
from ftfkit.types import (
    Asset,
    Bars,
    Comparison,
    Events,
    F1Rule,
    Features,
    GateResult,
    IntArray,
    Market,
    Sample,
    Scored,
    Split,
    Stage,
    Target,
    Universe,
)

if TYPE_CHECKING:
    import pandas as pd

Params = Mapping[str, float | int]
Proba = npt.NDArray[np.float32]


class Component(BaseModel, ABC):
    """Base of all kinds: frozen, unknown keys forbidden; text in a config is never taken for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DataSource(Component):
    """Where native bars come from.

    Attributes
    ----------
    holdout_from : datetime or None
        Start of the reserved hold-out, UTC; the core cuts every asset there and nothing reads past it.
    """

    holdout_from: datetime | None = None
    synthetic: ClassVar[bool] = False

    @abstractmethod
    def read(self, asset: Asset) -> RawBars:
        """Raw native bars of one asset; the core validates, repairs or refuses them.

        Raises
        ------
        DataError
            When the asset cannot be had; names the places that were searched.
        """


@dataclass(frozen=True, eq=False)
class RawBars:
    """Bars as a source found them: ``frame`` has ``timestamp`` (bar open), open, high, low, close, volume.

    ``timestamp`` is datetime64 or ISO 8601 text, naive ones taken as UTC, or a number of s, ms, us or ns since 1970;
    rows may be unsorted or repeated. A frame of several files has (file, row from 0) as its index, for error messages.
    """

    frame: pd.DataFrame
    origin: str  # file or generator, for error messages
    bar_hours: int = 1


class FeatureSet(Component):
    """Causal features of one asset on its label bars."""

    def needs(self, asset: Asset, universe: Universe) -> tuple[Asset, ...]:
        """Other assets the market must hold; they enter the fit key."""
        return ()

    @abstractmethod
    def compute(self, asset: Asset, market: Market) -> Features:
        """Features aligned with ``market.label[asset.name]``.

        Returns
        -------
        Features
            ``values`` float32, shape (n_label_bars, n_features).

        Notes
        -----
        Row t may use what is known at ``close_time[t]`` only. NaN where a window is not full; no window bridges a gap.
        """


class LabelScheme(Component):
    """Rule that turns bars into labelled events."""

    bar_hours: int = Field(ge=1, le=24)

    @abstractmethod
    def events(self, bars: Bars, native: Bars) -> Events:
        """Events of the label bars ``bars``; ``native`` are the finer bars of the same asset that decide ties."""


class Splitter(Component):
    """Purged cross-validation over calendar blocks shared by all assets; also a scikit-learn splitter.

    To scikit-learn, ``groups`` are the label intervals: int64, shape (n, 2), columns t0 and t1 in ns UTC, rows in the
    order of X. The blocks then divide the period from the first to the last t0.
    """

    n_folds: int = Field(default=5, ge=2)
    embargo_bars: int = Field(default=24, ge=0)  # label bars after each test block
    bar_hours: int = Field(default=4, ge=1)  # length of a label bar; the core sets the label scheme's own
    valid_frac: float = Field(default=0.25, gt=0, lt=1)  # inner validation: last share of training events
    oof_groups: int = Field(default=4, ge=2)  # out-of-fold groups of the training events
    repeats: int = Field(default=1, ge=1)  # model seeds a cell is averaged over

    @abstractmethod
    def edges(self, start_ns: int, end_ns: int) -> IntArray:
        """Block edges of the common period [start, end), ns UTC; shape (n_blocks + 1,)."""

    @abstractmethod
    def folds(self, t0: IntArray, t1: IntArray, edges: IntArray) -> tuple[Split, ...]:
        """Purged folds of events sorted by ``t0``; an event belongs to the block of its ``t0``."""

    def split(self, X: object, y: object = None, groups: object = None) -> Iterator[tuple[IntArray, IntArray]]:
        """Train and test positions of each fold, for scikit-learn.

        Raises
        ------
        DataError
            When ``groups`` are not label intervals, or a fold has no training or no test event.
        """
        intervals = np.asarray(groups)
        if intervals.dtype.kind != "i" or intervals.ndim != 2 or intervals.shape[1] != 2 or len(intervals) == 0:
            got = f"{intervals.dtype} of shape {intervals.shape}"
            raise DataError(f"groups == {got}, must be label intervals [t0, t1]: int64 ns of shape (n, 2) (ftfkit)")
        order = np.argsort(intervals[:, 0], kind="stable")
        t0, t1 = intervals[order].T
        for fold in self.folds(t0, t1, self.edges(int(t0[0]), int(t0[-1]) + 1)):
            yield np.sort(order[fold.train]), np.sort(order[fold.test])

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Number of folds, for scikit-learn."""
        return self.n_folds

    def __sklearn_clone__(self) -> Splitter:
        return self.model_copy()

    @property
    def embargo_ns(self) -> int:
        return self.embargo_bars * self.bar_hours * 3_600_000_000_000


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
        """Unweighted loss a row, shape (n,); soft y is y loss(1) + (1-y) loss(0)."""

    @abstractmethod
    def objective(self, y: npt.NDArray[np.float32], weight: npt.NDArray[np.float32]) -> Objective:
        """Bind to one fit's rows; the mean initial hessian must be pi (1-pi), pi the weighted prevalence."""

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
    splits : tuple of Split
        Purged out-of-fold groups of ``train``, for ensembles and target transforms.
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
    splits: tuple[Split, ...] = ()
    models: Mapping[str, type[Model]] = field(default_factory=dict)
    oof_proba: Callable[[], Proba] | None = None
    resample: Callable[[IntArray], Sample] | None = None

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

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float
    high: float
    log: bool = False
    kind: Literal["float", "int"] = "float"


class Model(Component):
    """A classifier with rounds (boosting) or without, deterministic given its context, one thread."""

    params: Mapping[str, float | int] = Field(default_factory=dict)  # fixed; also what hpo=fixed uses
    space: Mapping[str, SearchRange] = Field(default_factory=dict)  # searched by HPO
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
        """Prepare one fit. Refuses (ConfigError) soft labels, weights or losses it cannot honour."""


class TargetTransform(Component):
    """Changes training labels, weights or membership; never sees a scored row."""

    @abstractmethod
    def transform(self, context: FitContext) -> Target:
        """Target of ``context.train``, recomputed for each fit's own rows."""


@dataclass(frozen=True, eq=False)
class DecisionContext:
    """Pooled out-of-fold evidence of one cell's training events (probabilities after calibration)."""

    oof_proba: npt.NDArray[np.float64]
    oof_y: npt.NDArray[np.int8]
    baseline_oof_buys: int | None  # tuned BUY count of the baseline on the same events


class DecisionRule(Component):
    """Turns out-of-fold probabilities into a threshold; BUY where probability >= threshold."""

    f1_rule: ClassVar[F1Rule] = "best"  # how f1_binary scores a trial under this rule; part of the fit key
    needs_baseline: ClassVar[bool] = False

    @abstractmethod
    def threshold(self, context: DecisionContext) -> float:
        """Threshold on probabilities; ``inf`` never buys."""


class Metric(Component):
    """Extra columns of a row."""

    @abstractmethod
    def compute(self, scored: Scored) -> Mapping[str, float]:
        """Column name to finite value; 0 where undefined, never NaN.

        A name that the core's rows hold, or that another metric of the run gives, is refused at the first cell.
        """


@dataclass(frozen=True, eq=False)
class GateEvidence:
    """What a gate check may look at, for one variant.

    ``rows`` and ``baseline_rows`` are sorted by (asset, fold) and row-aligned; ``test_events_differ`` is True when
    the two were scored on different events (another label scheme).
    """

    comparison: Comparison
    rows: pd.DataFrame
    baseline_rows: pd.DataFrame
    assets: tuple[str, ...]
    folds: tuple[int, ...]
    required_lift: float
    readiness: str | None = None  # text of the readiness document; None where there is none
    readiness_expected: bool = False  # a track or --readiness was given
    test_events_differ: bool = False


class GateCheck(Component):
    """One pre-registered criterion. Missing evidence is an ERROR, given by the core before ``check`` is called."""

    requires: ClassVar[tuple[str, ...]] = ()  # row columns that must be there and hold no NaN
    compares_f1: ClassVar[bool] = False  # ERROR "not comparable" where test events differ

    @abstractmethod
    def check(self, evidence: GateEvidence) -> GateResult:
        """PASS, FAIL, ERROR or NOT_APPLICABLE with observed value, threshold, unit and reason."""


class DossierSection(Component):
    """An extra section of the dossier, placed before the decisions."""

    title: ClassVar[str]

    @abstractmethod
    def render(self, rows: pd.DataFrame, comparisons: Mapping[str, Comparison]) -> str:
        """Markdown of the section's body."""

"""Payloads inside a cell: folds, training rows, predictions, trades."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ftfkit.types.market import BoolArray, FloatArray, IntArray

F1Rule = Literal["at_half", "best"]


@dataclass(frozen=True, eq=False)
class Split:
    """One fold: positions into the events, sorted; ``n_purged`` training events were dropped for overlap."""

    fold: int
    train: IntArray
    test: IntArray
    n_purged: int


@dataclass(frozen=True, eq=False)
class Sample:
    """Training rows of one fit. ``y`` may be soft (in [0, 1]); ``y_hard`` never is; ``weight`` is all weights."""

    X: npt.NDArray[np.float32]  # (n, p)
    y: npt.NDArray[np.float32]  # (n,)
    y_hard: npt.NDArray[np.int8]  # (n,)
    weight: npt.NDArray[np.float32]  # (n,)
    t0: IntArray  # (n,)
    t1: IntArray  # (n,)

    def rows(self, index: IntArray | BoolArray) -> Sample:
        return Sample(
            self.X[index], self.y[index], self.y_hard[index], self.weight[index], self.t0[index], self.t1[index]
        )


class Stage(NamedTuple):
    """Validation probabilities after ``rounds`` boosting rounds (1 for models without rounds)."""

    rounds: int
    proba: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Target:
    """What a target transform makes of the training labels; scored rows never pass through one."""

    y: npt.NDArray[np.float32]  # (n,) in [0, 1]
    weight: npt.NDArray[np.float32]  # (n,) multiplies the other weights
    keep: BoolArray  # (n,) rows that stay in the fit
    notes: Mapping[str, float] = field(default_factory=dict)  # e.g. share pruned, class shift; shown in the dossier


@dataclass(frozen=True, eq=False)
class Predictions:
    """Everything that one fit key leads to.

    ``oof_*`` are pooled purged out-of-fold values of the training events under the chosen parameters, ``valid_*``
    the inner validation of the search; all probabilities are raw (not calibrated).
    """

    test_index: IntArray  # (n_test,) positions into the asset's events
    test_proba: npt.NDArray[np.float32]  # (n_test,)
    oof_index: IntArray  # (n_train,)
    oof_proba: npt.NDArray[np.float32]  # (n_train,)
    valid_index: IntArray  # (n_valid,)
    valid_proba: npt.NDArray[np.float32]  # (n_valid,)
    params: Mapping[str, float | int]
    rounds: int
    valid_value: float
    n_trials: int
    n_pruned: int
    n_train: int
    n_purged: int
    target_notes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Trades:
    """Trades of one test block: one position at a time, all-in, compounding.

    ``returns`` holds one net simple return a label bar of the marked period, flat bars 0.
    """

    event: IntArray  # (n_trades,) positions into the test events
    net_bps: FloatArray  # (n_trades,)
    returns: FloatArray  # (n_bars,)


@dataclass(frozen=True, eq=False)
class Scored:
    """Test block of one cell with n events, as metrics see it."""

    y: npt.NDArray[np.int8]  # (n,) hard labels
    proba: npt.NDArray[np.float32]  # (n,) as the model gives them
    calibrated: npt.NDArray[np.float32]  # (n,) the same where nothing is calibrated
    buy: BoolArray  # (n,) calibrated >= threshold
    t0: IntArray  # (n,) ns UTC, sorted
    threshold: float  # inf where the rule never buys
    trades: Trades
    bar_hours: int


@dataclass(frozen=True, eq=False)
class DecisionContext:
    """Pooled out-of-fold evidence of one cell's n training events (probabilities after calibration)."""

    oof_proba: npt.NDArray[np.float64]  # (n,)
    oof_y: npt.NDArray[np.int8]  # (n,) hard labels
    baseline_oof_buys: int | None  # tuned BUY count of the baseline on the same events

"""What the models of this package share about training rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ftfkit.components import FitContext, Loss
from ftfkit.errors import ConfigError
from ftfkit.types import Sample

OWNER = "plugin ftfkit-track11-architecture"


class HardRows(NamedTuple):
    """Rows with hard labels and weights: what scikit-learn's linear classifiers take."""

    X: npt.NDArray[np.float32]
    y: npt.NDArray[np.int8]
    weight: npt.NDArray[np.float64]


def hard_rows(sample: Sample) -> HardRows:
    """Rows whose weighted logistic loss is that of ``sample``, soft labels included.

    A row with soft label y costs y loss(1) + (1 - y) loss(0), so it stands twice, with the weights y w and (1 - y) w.
    Only for models that know rows by their weighted loss alone, and not by their number.
    """
    if np.isin(sample.y, (0, 1)).all():
        return HardRows(sample.X, sample.y.astype(np.int8), sample.weight.astype(np.float64))
    y = np.repeat(np.array([1, 0], dtype=np.int8), len(sample.y))
    share = np.concatenate([sample.y, 1 - sample.y]).astype(np.float64)
    weight = share * np.tile(sample.weight, 2)
    used = weight > 0
    return HardRows(np.tile(sample.X, (2, 1))[used], y[used], weight[used])


def refuse_other_losses(loss: Loss, model: str) -> None:
    """Refuse a loss that is not the logistic one.

    Raises
    ------
    ConfigError
    """
    if loss.native != "binary:logistic":
        rule = f"must be the logistic loss: {model} has no other; use model=xgboost or model=lightgbm"
        raise ConfigError("model", "loss", type(loss).__name__, rule, OWNER)


def one_class(context: FitContext) -> npt.NDArray[np.float32] | None:
    """Constant probabilities where the training rows hold one class only; None where they hold both."""
    y = context.train.y
    if len(y) and y.min() == y.max() and y[0] in (0, 1):
        return np.full(len(context.X_eval), y[0], dtype=np.float32)
    return None

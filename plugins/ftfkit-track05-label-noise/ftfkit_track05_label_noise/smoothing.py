"""Label smoothing: a soft label for every training row."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ftfkit.components import FitContext, TargetTransform
from ftfkit.types import Target


class LabelSmoothing(TargetTransform):
    """Moves each training label towards one half: ``y (1 - epsilon) + epsilon / 2``.

    Attributes
    ----------
    epsilon : float
        Share of the label that is replaced, in (0, 1).

    References
    ----------
    Szegedy et al. (2016), Rethinking the Inception Architecture, section 7, with the uniform prior of two classes.

    Examples
    --------
    >>> LabelSmoothing(epsilon=0.1).smoothed(np.array([0, 1], dtype=np.int8)).round(3).tolist()
    [0.05000000074505806, 0.949999988079071]
    """

    epsilon: float = Field(gt=0, lt=1)

    def smoothed(self, y: np.ndarray) -> np.ndarray:
        """Soft labels, float32, shape (n,)."""
        return (y.astype(np.float64) * (1 - self.epsilon) + self.epsilon / 2).astype(np.float32)

    def transform(self, context: FitContext) -> Target:
        hard = context.train.y_hard
        return Target(
            y=self.smoothed(hard),
            weight=np.ones(len(hard), dtype=np.float32),
            keep=np.ones(len(hard), dtype=bool),
            notes={"epsilon": self.epsilon},
        )

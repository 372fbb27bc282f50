"""The labels as they are."""

from __future__ import annotations

import numpy as np

from ftfkit.components import FitContext, TargetTransform
from ftfkit.types import Target


class HardTarget(TargetTransform):
    """Trains on the hard labels: all rows, nothing softened, nothing weighted."""

    def transform(self, context: FitContext) -> Target:
        hard = context.train.y_hard
        return Target(
            y=hard.astype(np.float32),
            weight=np.ones(len(hard), dtype=np.float32),
            keep=np.ones(len(hard), dtype=bool),
        )

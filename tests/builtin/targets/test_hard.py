from __future__ import annotations

import numpy as np

from ftfkit.builtin.losses.logistic import LogisticLoss
from ftfkit.builtin.targets.hard import HardTarget
from ftfkit.components import FitContext
from ftfkit.types import Sample


def test_keeps_every_row_as_it_is() -> None:
    y = np.array([0, 1, 1], dtype=np.int8)
    X, time = np.zeros((3, 2), dtype=np.float32), np.arange(3)
    train = Sample(X, np.full(3, 0.5, dtype=np.float32), y, np.full(3, 2, dtype=np.float32), time, time)
    target = HardTarget().transform(FitContext(train, X[:0], LogisticLoss(), seed=0))
    np.testing.assert_array_equal(target.y, y)
    np.testing.assert_array_equal(target.weight, 1)
    assert target.keep.all()

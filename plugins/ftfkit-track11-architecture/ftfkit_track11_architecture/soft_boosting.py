"""scikit-learn's histogram gradient boosting on labels in [0, 1]; imports scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier


class SoftHistGradientBoosting(HistGradientBoostingClassifier):  # type: ignore[misc]  # sklearn has no types
    """The binary classifier whose labels are probabilities of class 1.

    Its loss, HalfBinomialLoss, takes any label in [0, 1]; only the encoding of classes does not. A row then stays one
    row: bins, leaf sizes and regularisation are those of the hard labels, and 0 and 1 give scikit-learn's own model.
    """

    def _encode_y(self, y: Any) -> npt.NDArray[np.float64]:
        self.classes_ = np.array([0, 1])
        self.n_trees_per_iteration_ = 1
        return np.asarray(y, dtype=np.float64)

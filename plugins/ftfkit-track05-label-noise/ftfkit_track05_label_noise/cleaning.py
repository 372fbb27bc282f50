"""Confident learning: training rows whose label the model itself, out of fold, finds unlikely."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ftfkit.components import FitContext, TargetTransform
from ftfkit.types import BoolArray, Target

Probabilities = npt.NDArray[np.float64]  # (n, 2), one column a class


class CleanlabTarget(TargetTransform):
    """Prunes or down-weights suspected label errors among the training rows.

    The out-of-fold probabilities come from purged groups of the very rows that are trained on, so nothing that is
    scored has a part in it; they cost as many fits as there are groups, once a fit.

    Attributes
    ----------
    action : {"prune", "reweight"}
        Drop suspected rows, or weight each by its label quality (relative to the mean quality of all rows).
    filter_by : str
        cleanlab's rule for what is suspected.
    max_share : float
        At most this share of the rows is treated, the worst by label quality first: confident learning on thin
        skill would otherwise throw away whole regimes.
    min_weight : float
        Floor of a reweighted row.

    References
    ----------
    Northcutt, Jiang, Chuang (2021), Confident Learning, JAIR 70.
    """

    action: Literal["prune", "reweight"]
    filter_by: Literal["prune_by_noise_rate", "prune_by_class", "both", "confident_learning"] = "prune_by_noise_rate"
    max_share: float = Field(default=0.1, gt=0, lt=0.5)
    min_weight: float = Field(default=0.2, gt=0, le=1)

    def transform(self, context: FitContext) -> Target:
        y = context.train.y_hard.astype(np.int64)
        n = len(y)
        if context.oof_proba is None or len(np.unique(y)) < 2:  # one class only: nothing can be suspected
            return self._target(y, np.zeros(n, dtype=bool), np.ones(n))
        buy = np.clip(context.oof_proba().astype(np.float64), 1e-6, 1 - 1e-6)
        suspected, quality = self._suspected(y, np.column_stack([1 - buy, buy]))
        return self._target(y, suspected, quality)

    def _suspected(self, y: npt.NDArray[np.int64], proba: Probabilities) -> tuple[BoolArray, Probabilities]:
        """Rows to treat, capped, and the label quality of all rows."""
        from cleanlab.filter import find_label_issues  # type: ignore[import-untyped]
        from cleanlab.rank import get_label_quality_scores  # type: ignore[import-untyped]

        flagged = np.asarray(find_label_issues(y, proba, filter_by=self.filter_by, n_jobs=1), dtype=bool)
        quality = np.asarray(get_label_quality_scores(y, proba), dtype=np.float64)
        found = np.flatnonzero(flagged)
        worst = found[np.argsort(quality[found], kind="stable")][: int(self.max_share * len(y))]
        suspected = np.zeros(len(y), dtype=bool)
        suspected[worst] = True
        return suspected, quality

    def _target(self, y: npt.NDArray[np.int64], suspected: BoolArray, quality: Probabilities) -> Target:
        n = len(y)
        keep, weight = np.ones(n, dtype=bool), np.ones(n)
        if self.action == "prune":
            keep = ~suspected
        else:
            relative = quality / max(float(quality.mean()), np.finfo(float).tiny)
            weight = np.where(suspected, np.clip(relative, self.min_weight, 1), 1.0)
        kept_weight = weight[keep]
        shift = float(np.average(y[keep], weights=kept_weight) - y.mean()) if keep.any() and n else 0.0
        return Target(
            y=y.astype(np.float32),
            weight=weight.astype(np.float32),
            keep=keep,
            notes={"share_suspected": float(suspected.mean()) if n else 0.0, "class_shift": shift},
        )

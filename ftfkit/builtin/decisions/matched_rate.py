"""The baseline's number of BUYs, so that arms differ in ranking and not in appetite."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from ftfkit.components import DecisionContext, DecisionRule
from ftfkit.errors import ConfigError
from ftfkit.operating_points import operating_curve


class MatchedRate(DecisionRule):
    """Buys as many out-of-fold events as the baseline's tuned rule does on the same events.

    Tied probabilities are bought together; the count nearest to the baseline's is taken, the smaller of two equally
    near ones. A count of 0 never buys.
    """

    needs_baseline: ClassVar[bool] = True

    def threshold(self, context: DecisionContext) -> float:
        wanted = context.baseline_oof_buys
        if wanted is None or not 0 <= wanted <= len(context.oof_y):
            rule = f"must be the baseline's BUY count on the same {len(context.oof_y)} out-of-fold events"
            raise ConfigError("decision=matched_rate", "baseline_oof_buys", wanted, rule, "plugin ftfkit")
        curve = operating_curve(context.oof_y, context.oof_proba)
        counts = np.concatenate([[0], curve.n_buys])
        nearest = int(np.argmin(np.abs(counts - wanted)))
        return math.inf if nearest == 0 else curve.threshold(nearest - 1)

"""The threshold that served best out of fold."""

from __future__ import annotations

from ftfkit.components import DecisionContext, DecisionRule
from ftfkit.operating_points import best_f1


class TunedThreshold(DecisionRule):
    """Buys at the midpoint of distinct out-of-fold probabilities with the highest F1; among equal F1 the highest."""

    def threshold(self, context: DecisionContext) -> float:
        return best_f1(context.oof_y, context.oof_proba).threshold

"""A threshold that no data chooses."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict, Field

from ftfkit.components import DecisionContext, DecisionRule
from ftfkit.types import F1Rule


class FixedThreshold(DecisionRule):
    """Buys at a declared probability.

    Attributes
    ----------
    cut : float
        The probability; ``threshold`` in YAML, a name that the rule's method already has in Python.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    cut: float = Field(default=0.5, ge=0, le=1, alias="threshold")

    f1_rule: ClassVar[F1Rule] = "at_half"

    def threshold(self, context: DecisionContext) -> float:
        return self.cut

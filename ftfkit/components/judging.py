"""What turns probabilities into decisions, and rows into figures, gates and text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from ftfkit.components.base import Component
from ftfkit.types import Comparison, DecisionContext, F1Rule, GateEvidence, GateResult, Scored

if TYPE_CHECKING:
    import pandas as pd


class DecisionRule(Component):
    """Turns out-of-fold probabilities into a threshold; BUY where probability >= threshold."""

    f1_rule: ClassVar[F1Rule] = "best"  # how f1_binary scores a trial under this rule; part of the fit key
    needs_baseline: ClassVar[bool] = False

    @abstractmethod
    def threshold(self, context: DecisionContext) -> float:
        """Threshold on probabilities; ``inf`` never buys."""


class Metric(Component):
    """Extra columns of a row."""

    @abstractmethod
    def compute(self, scored: Scored) -> Mapping[str, float]:
        """Column name to finite value; 0 where undefined, never NaN.

        A name that the core's rows hold, or that another metric of the run gives, is refused before the first cell.
        """


class GateCheck(Component):
    """One pre-registered criterion. Missing evidence is an ERROR, given by the core before ``check`` is called."""

    requires: ClassVar[tuple[str, ...]] = ()  # row columns that must be there and hold no NaN
    compares_f1: ClassVar[bool] = False  # ERROR "not comparable" where test events differ

    @abstractmethod
    def check(self, evidence: GateEvidence) -> GateResult:
        """Whether the criterion is met, with observed value, threshold, unit and a reason of one line.

        ``requires`` is there and complete when this is called; what else is missing must give ERROR, never PASS.
        """


class DossierSection(Component):
    """An extra section of the dossier, placed before the decisions."""

    title: ClassVar[str]

    @abstractmethod
    def render(self, rows: pd.DataFrame, comparisons: Mapping[str, Comparison]) -> str:
        """Markdown of the section's body."""

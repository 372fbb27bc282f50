"""What a plugin builds: one frozen base class a kind, whose fields are its parameters.

A component is made from a YAML section (``name:`` selects it, the other keys are its fields) or, in a test, by naming
its fields. It never holds data and never changes; everything it needs arrives as an argument.
"""

from ftfkit.components.base import Component
from ftfkit.components.data import DataSource, FeatureSet, LabelScheme
from ftfkit.components.fitting import (
    BoundModel,
    FitContext,
    Loss,
    Model,
    Objective,
    Params,
    Proba,
    SearchRange,
    TargetTransform,
)
from ftfkit.components.judging import DecisionRule, DossierSection, GateCheck, Metric
from ftfkit.components.splitting import Splitter
from ftfkit.types import DecisionContext, GateEvidence, RawBars

__all__ = [
    "BoundModel",
    "Component",
    "DataSource",
    "DecisionContext",
    "DecisionRule",
    "DossierSection",
    "FeatureSet",
    "FitContext",
    "GateCheck",
    "GateEvidence",
    "LabelScheme",
    "Loss",
    "Metric",
    "Model",
    "Objective",
    "Params",
    "Proba",
    "RawBars",
    "SearchRange",
    "Splitter",
    "TargetTransform",
]

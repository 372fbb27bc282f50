"""Conformance suites and synthetic payloads with known truth, for authors of plugins. Needs pytest.

One suite a kind, to be subclassed::

    class TestMyLoss(LossConformance):
        components = [MyLoss(gamma=2.0)]
"""

import pytest

_SUITES = (
    "conformance",
    "decisions",
    "features",
    "gates",
    "labels",
    "losses",
    "metrics",
    "models",
    "observers",
    "packages",
    "sections",
    "sources",
    "splitters",
    "targets",
)
pytest.register_assert_rewrite(*(f"{__name__}.{name}" for name in _SUITES))  # failures then show the values compared

from ftfkit.testing.conformance import Conformance  # noqa: E402 - not before pytest knows what to rewrite
from ftfkit.testing.decisions import DecisionRuleConformance  # noqa: E402
from ftfkit.testing.features import FeatureSetConformance  # noqa: E402
from ftfkit.testing.gates import GateCheckConformance  # noqa: E402
from ftfkit.testing.labels import LabelSchemeConformance  # noqa: E402
from ftfkit.testing.losses import LossConformance  # noqa: E402
from ftfkit.testing.metrics import MetricConformance  # noqa: E402
from ftfkit.testing.models import ModelConformance  # noqa: E402
from ftfkit.testing.observers import ObserverConformance  # noqa: E402
from ftfkit.testing.packages import PackageConformance  # noqa: E402
from ftfkit.testing.sections import DossierSectionConformance  # noqa: E402
from ftfkit.testing.sources import DataSourceConformance  # noqa: E402
from ftfkit.testing.splitters import SplitterConformance  # noqa: E402
from ftfkit.testing.targets import TargetTransformConformance  # noqa: E402

__all__ = [
    "Conformance",
    "DataSourceConformance",
    "DecisionRuleConformance",
    "DossierSectionConformance",
    "FeatureSetConformance",
    "GateCheckConformance",
    "LabelSchemeConformance",
    "LossConformance",
    "MetricConformance",
    "ModelConformance",
    "ObserverConformance",
    "PackageConformance",
    "SplitterConformance",
    "TargetTransformConformance",
]

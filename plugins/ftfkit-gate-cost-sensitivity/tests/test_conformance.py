"""ftfkit's own suites for the three components, and for the package."""

from __future__ import annotations

from ftfkit_gate_cost_sensitivity.gate import CostSensitivity
from ftfkit_gate_cost_sensitivity.section import CostSection
from ftfkit_gate_cost_sensitivity.turnover import Turnover

from ftfkit.plugins import registry
from ftfkit.testing import GateCheckConformance, MetricConformance, PackageConformance
from ftfkit.testing.sections import DossierSectionConformance


class TestCostSensitivity(GateCheckConformance):
    components = (CostSensitivity(fee_bps=10, slippage_bps=2), CostSensitivity(fee_bps=0, slippage_bps=0))


class TestTurnover(MetricConformance):
    components = (Turnover(),)


class TestCostSection(DossierSectionConformance):
    components = (CostSection(),)


class TestPackage(PackageConformance):
    distribution = "ftfkit-gate-cost-sensitivity"


def test_offers_a_gate_a_metric_and_a_section() -> None:
    kinds = {"gate_check": "cost_sensitivity", "metric": "turnover", "dossier_section": "cost_sensitivity"}
    assert {registry().find(kind, name).distribution for kind, name in kinds.items()} == {
        "ftfkit-gate-cost-sensitivity"
    }

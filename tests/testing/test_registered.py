"""Every conformance suite over everything that is registered, plugins' options included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ftfkit.components import DataSource
from ftfkit.plugins import KINDS, registry
from ftfkit.testing import (
    DataSourceConformance,
    DecisionRuleConformance,
    DossierSectionConformance,
    FeatureSetConformance,
    GateCheckConformance,
    LabelSchemeConformance,
    LossConformance,
    MetricConformance,
    ModelConformance,
    ObserverConformance,
    PackageConformance,
    SplitterConformance,
    TargetTransformConformance,
)
from ftfkit.testing.evidence import PROMISING, rows_of
from ftfkit.testing.markets import OTHER, OWN, synthetic_bars
from ftfkit.testing.registered import registered_components
from ftfkit.types import BAR_COLUMNS, Asset


def registered(kind: str) -> list[Any]:
    return [pytest.param(component, id=option) for option, component in registered_components(kind).items()]


class TestLosses(LossConformance):
    components = registered("loss")


class TestLabelSchemes(LabelSchemeConformance):
    components = registered("label_scheme")


class TestSplitters(SplitterConformance):
    components = registered("splitter")


class TestFeatureSets(FeatureSetConformance):
    components = registered("feature_set")


class TestTargetTransforms(TargetTransformConformance):
    components = registered("target_transform")


class TestModels(ModelConformance):
    components = registered("model")


class TestDecisionRules(DecisionRuleConformance):
    components = registered("decision_rule")


class TestGateChecks(GateCheckConformance):
    """Checks that read columns of their own bring their evidence in their package's tests."""

    components = tuple(
        option
        for option in registered("gate_check")
        if set(option.values[0].requires) <= set(rows_of(PROMISING).columns)
    )


class TestSyntheticSource(DataSourceConformance):
    components = registered("data_source")
    assets = (OWN, OTHER)
    missing = None


class TestFileSources(DataSourceConformance):
    assets = (OWN, OTHER)

    @pytest.fixture(params=["parquet", "csv", "binance_vision"])
    def component(self, request: pytest.FixtureRequest, tmp_path: Path) -> DataSource:
        for asset in self.assets:
            write_bars(tmp_path, asset, request.param)
        return registry().load("data_source", request.param)(path=tmp_path)


for kind, suite in (("metric", MetricConformance), ("dossier_section", DossierSectionConformance)):
    if registry().registrations[kind]:
        name = f"Test{suite.__name__}"
        globals()[name] = type(name, (suite,), {"components": registered(kind)})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "distribution" in metafunc.fixturenames:
        metafunc.parametrize("distribution", sorted({plugin.distribution for plugin in registry().plugins}))


def test_every_package_registers(distribution: str) -> None:
    """That each of its options composes is checked by ``validate --smoke``, with the same function."""
    suite = type("Suite", (PackageConformance,), {"distribution": distribution})()
    suite.test_is_registered_and_whole()


@pytest.mark.parametrize("plugin", registry().plugins, ids=lambda plugin: plugin.name)
def test_observers_take_every_call_of_a_run(plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    suite = type("Suite", (ObserverConformance,), {"plugin": plugin.module})()
    suite.test_hooks_fit_the_contract()
    suite.test_takes_a_run_that_finishes(tmp_path)
    suite.test_takes_a_run_that_fails()


def test_there_is_a_suite_for_every_kind() -> None:
    import ftfkit.testing

    suites = {name.removesuffix("Conformance") for name in ftfkit.testing.__all__}
    assert {base for _, base in KINDS.values()} <= suites


def write_bars(folder: Path, asset: Asset, form: str) -> None:
    import pandas as pd

    bars = synthetic_bars(asset, days=40)
    frame = pd.DataFrame({name: getattr(bars, name) for name in BAR_COLUMNS})
    frame.insert(0, "timestamp", pd.to_datetime(bars.open_time, utc=True))
    if form == "parquet":
        frame.to_parquet(folder / f"{asset.name}_1h.parquet")
    elif form == "csv":
        frame.to_csv(folder / f"{asset.name}_1h.csv", index=False)
    else:
        milliseconds = bars.open_time // 1_000_000
        klines = frame.assign(timestamp=milliseconds, **{f"c{i}": 0 for i in range(6)})
        klines.to_csv(folder / f"{asset.name}-1h-2022-01.csv", index=False, header=False)

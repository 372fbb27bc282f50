"""What the package brings: a feature set under its own name, and options that compose."""

from __future__ import annotations

import pytest
from ftfkit_track01_market_context import conf_dir

import ftfkit
from ftfkit.errors import ConfigError
from ftfkit.plugins import registry
from ftfkit.testing import PackageConformance


class TestPackage(PackageConformance):
    distribution = "ftfkit-track01-market-context"


def test_the_plugin_is_registered_under_its_own_name():
    assert registry().find("feature_set", "market_context").plugin == "track01_market_context"
    assert conf_dir() in [folder for _, folder in registry().conf_folders]


def test_the_track_compares_two_variants_with_the_champion():
    experiment = ftfkit.compose("track=01_market_context")
    assert experiment.baseline.spec.options["features"] == "technical"
    assert [variant.name for variant in experiment.variants] == ["leaders", "leaders_and_cross_section"]
    assert {tuple(variant.factor_options) for variant in experiment.variants} == {("features",)}
    assert experiment.gates.name == "f1_buy_boost_strict"
    for variant in experiment.variants:
        assert variant.spec.raw["features"]["base"] == experiment.baseline.spec.raw["features"]["name"]


def test_a_wrong_parameter_is_refused_with_place_rule_and_owner():
    with pytest.raises(ConfigError) as refusal:
        ftfkit.compose("features=market_context/leaders", "features.max_age_bars=-1")
    assert str(refusal.value) == (
        "command line: features.max_age_bars == -1 must be >= 0 (plugin ftfkit-track01-market-context)"
    )

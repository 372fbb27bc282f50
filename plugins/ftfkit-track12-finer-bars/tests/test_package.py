"""What the package brings: a feature set under its own name, and options that compose."""

from __future__ import annotations

import pytest
from ftfkit_track12_finer_bars import conf_dir

import ftfkit
from ftfkit.errors import ConfigError
from ftfkit.plugins import registry
from ftfkit.testing import PackageConformance


class TestPackage(PackageConformance):
    distribution = "ftfkit-track12-finer-bars"


def test_the_plugin_is_registered_under_its_own_name():
    assert registry().find("feature_set", "finer_bars").plugin == "track12_finer_bars"
    assert conf_dir() in [folder for _, folder in registry().conf_folders]


def test_the_track_compares_two_variants_with_the_champion():
    experiment = ftfkit.compose("track=12_finer_bars")
    assert experiment.baseline.spec.options["features"] == "technical"
    assert [variant.name for variant in experiment.variants] == ["inside", "inside_and_rolling"]
    assert {tuple(variant.factor_options) for variant in experiment.variants} == {("features",)}
    assert experiment.gates.name == "f1_buy_boost_strict"
    for variant in experiment.variants:
        assert variant.spec.raw["features"]["base"] == experiment.baseline.spec.raw["features"]["name"]


def test_a_wrong_parameter_is_refused_with_place_rule_and_owner():
    with pytest.raises(ConfigError) as refusal:
        ftfkit.compose("features=finer_bars/inside", "features.short_bars=1")
    assert str(refusal.value) == (
        "command line: features.short_bars == 1 must be >= 2 (plugin ftfkit-track12-finer-bars)"
    )

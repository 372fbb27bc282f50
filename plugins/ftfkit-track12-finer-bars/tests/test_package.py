"""What the package brings: options that compose, a complete readiness document, a wheel that holds both."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ftfkit_track12_finer_bars import conf_dir

import ftfkit
from ftfkit.builtin.gates.mlops_readiness import SECTIONS, incomplete_sections
from ftfkit.errors import ConfigError
from ftfkit.judge.criteria import readiness_of
from ftfkit.plugins import registry

PROJECT = Path(__file__).resolve().parents[1]
MODULE = "ftfkit_track12_finer_bars"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(PROJECT)]
    subprocess.run(build, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


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


def test_the_readiness_document_is_found_and_complete():
    track = ftfkit.compose("track=12_finer_bars").track
    assert track is not None
    document = readiness_of(track).text
    assert document is not None
    assert incomplete_sections(document, SECTIONS) == {}


def test_the_wheel_holds_conf_readiness_and_types(wheel):
    shipped = {name.removeprefix(f"{MODULE}/") for name in wheel.namelist() if name.startswith(f"{MODULE}/")}
    options = {file.relative_to(PROJECT).as_posix() for file in (PROJECT / "conf").rglob("*.yaml")}
    assert len(options) == 3
    assert options | {"mlops_readiness.md", "py.typed"} <= shipped
    assert not [name for name in wheel.namelist() if "tests" in name]


def test_an_installed_wheel_finds_its_own_conf(wheel, tmp_path):
    wheel.extractall(tmp_path)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {MODULE}; print({MODULE}.conf_dir())"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    assert Path(found) == (tmp_path / MODULE / "conf").resolve()

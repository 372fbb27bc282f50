"""docs/plugins.md agrees with the code, and its recipe works when followed to the letter."""

from __future__ import annotations

import inspect
import os
import re
import site
import subprocess
import venv
from dataclasses import fields
from pathlib import Path

import pytest

import ftfkit.testing
from ftfkit import builtin, components
from ftfkit.cli import COMMANDS
from ftfkit.cli.new_plugin import OBSERVER
from ftfkit.extending import ExtendedFeatureSet, trailing
from ftfkit.hookspecs import API_VERSION
from ftfkit.judge.rows import REQUIRED_COLUMNS
from ftfkit.plugin_checks import HOOKS
from ftfkit.plugins import BLOCK_VARIABLE, KINDS, registry
from ftfkit.types import Comparison

ROOT = Path(__file__).resolve().parents[1]
DOC = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")


def signature(function: object) -> str:
    names = [name for name in inspect.signature(function).parameters if name != "self"]  # type: ignore[arg-type]
    return f"({', '.join(names)})"


def section(heading: str) -> str:
    return DOC.split(f"### {heading}\n", 1)[1].split("\n#", 1)[0]


def test_every_hook_is_documented_with_its_exact_arguments_in_order() -> None:
    documented = re.findall(r"^### `(ftfkit_\w+)(\(.*\))`$", DOC, re.MULTILINE)
    assert documented == [(name, signature(hook)) for name, hook in HOOKS.items()]


@pytest.mark.parametrize(("hook", "base"), KINDS.values(), ids=KINDS)
def test_every_kind_names_its_base_class(hook: str, base: str) -> None:
    assert f"`{base}`" in section(f"`{hook}()`")


@pytest.mark.parametrize("base", [base for _, base in KINDS.values()])
def test_every_method_to_be_written_is_documented_with_its_arguments(base: str) -> None:
    cls = getattr(components, base)
    assert cls.__abstractmethods__
    for method in cls.__abstractmethods__:
        assert f"`{method}{signature(getattr(cls, method))}`" in section(base), method
    assert f"{base}Conformance" in ftfkit.testing.__all__


def test_what_extended_feature_sets_are_made_with_is_documented_with_its_arguments() -> None:
    text = section("FeatureSet")
    assert f"`{ExtendedFeatureSet.__name__}` of `{ExtendedFeatureSet.__module__}`" in text
    (method,) = ExtendedFeatureSet.__abstractmethods__
    for function in (getattr(ExtendedFeatureSet, method), trailing):
        assert f"`{function.__name__}{signature(function)}`" in text


def test_kinds_versions_and_names_are_those_of_the_code() -> None:
    for kind in (*KINDS, OBSERVER):
        assert f"`{kind}`" in DOC
    assert f"ftfkit_api_version = {API_VERSION}" in DOC
    assert f"this ftfkit has version {API_VERSION}" in DOC
    assert BLOCK_VARIABLE in DOC
    for command in re.findall(r"^python -m ftfkit ([a-z-]+)(?: |$)", DOC, re.MULTILINE):
        assert command in COMMANDS or "=" in command


def test_what_is_compared_and_decided_is_defined() -> None:
    text = (ROOT / "docs" / "definitions.md").read_text(encoding="utf-8")
    of_rows = {"precision", "recall", "buy_rate", "prevalence", *REQUIRED_COLUMNS[3:]}
    compared = {field.name for field in fields(Comparison)} - {"metric", "n_pairs"}
    for name in {*of_rows, *compared, *builtin.ftfkit_gate_checks()} - {"status"}:
        assert f"`{name}`" in text, name


@pytest.mark.timeout(900)
def test_the_recipe_works_to_the_letter(tmp_path: Path) -> None:
    """In an environment of its own, which borrows ftfkit and the libraries from this one and installs the plugin.

    The plugins of this checkout are left out there: their options are half of what ``validate`` composes.
    """
    recipe = DOC.split("```bash\n", 1)[1].split("```", 1)[0]
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True, symlinks=True)
    own = next(environment.glob("lib/python*/site-packages"))
    borrowed = "; ".join(f"site.addsitedir({folder!r})" for folder in site.getsitepackages())
    (own / "borrowed.pth").write_text(f"import site; {borrowed}\n")
    work = tmp_path / "work"
    work.mkdir()
    others = {plugin.distribution for plugin in registry().plugins} - {"ftfkit"}
    settings = {
        BLOCK_VARIABLE: ",".join(others),
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's way of saying that there is none
        "PIP_NO_DEPS": "1",  # this environment leaves out a library that only multi-GPU training loads
        "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache"),  # make lint has read the libraries' types
    }
    run = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", recipe],
        cwd=work,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert "acme-tilt 0.1.0" in run.stdout
    assert re.search(r"ftf_\d{8}_\d{6}_[0-9a-f]{6}_ATR0\.5_1\.5_H4 +completed", run.stdout)
    report = [
        str(environment / "bin" / "python"),
        "-m",
        "ftfkit",
        "report",
        next((work / "outputs" / "runs").iterdir()).name,
    ]
    again = subprocess.run(report, cwd=work, capture_output=True, text=True, check=False, timeout=200)
    assert again.returncode == 0, again.stderr
    assert "acme-tilt" in (next((work / "outputs" / "runs").iterdir()) / "dossier.md").read_text()

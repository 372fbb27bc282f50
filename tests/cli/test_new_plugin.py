"""Packages that ``new-plugin`` writes, built as wheels, installed, and put through their suite, lint and types."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from ftfkit.__main__ import main
from ftfkit.cli.new_plugin import GROUPS, OBSERVER, TRACKED, write_plugin
from ftfkit.config.schema import COMPONENT_GROUPS
from ftfkit.errors import UsageError
from ftfkit.plugins import KINDS

ROOT = Path(__file__).resolve().parents[2]
ALL_KINDS = (*KINDS, OBSERVER)


def run(*arguments: str, cwd: Path, site: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ) | ({"PYTHONPATH": str(site)} if site else {})
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=280
    )


def install(project: Path, site: Path) -> None:
    """Build the wheel and unpack it, which is what installing a pure package comes to."""
    built = run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(site.parent / "dist"), ".", cwd=project)
    assert built.returncode == 0, built.stdout + built.stderr
    wheel = next((site.parent / "dist").glob(f"{project.name.replace('-', '_')}-*.whl"))
    zipfile.ZipFile(wheel).extractall(site)


def check_packages(kinds: Iterable[str], folder: Path) -> None:
    projects = [write_plugin(f"acme-{kind.replace('_', '-')}", kind, folder / "projects") for kind in kinds]
    site = folder / "site"
    for project in projects:
        install(project, site)
    tests = run("-m", "pytest", "-q", *map(str, projects), "-p", "no:cacheprovider", cwd=folder, site=site)
    assert tests.returncode == 0, tests.stdout[-4000:] + tests.stderr[-2000:]
    for command in (("check", "."), ("format", "--check", ".")):
        lint = run("-m", "ruff", *command, cwd=folder / "projects")
        assert lint.returncode == 0, lint.stdout + lint.stderr
    for project in projects:
        types = run("-m", "mypy", "--cache-dir", str(folder / "mypy"), cwd=project)
        assert types.returncode == 0, types.stdout


def test_a_package_is_used_from_its_wheel(tmp_path: Path) -> None:
    """Its suite, lint and types are run by the recipe (``tests/test_docs.py``), of the same kind."""
    site = tmp_path / "site"
    install(write_plugin("acme-loss", "loss", tmp_path / "projects"), site)
    composed = run("-m", "ftfkit", "loss=acme/loss", "--cfg", "job", cwd=tmp_path, site=site)
    assert composed.returncode == 0, composed.stderr
    assert "loss:\n  name: acme_loss\n" in composed.stdout


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_packages_of_every_kind_pass_their_suite_lint_and_types_at_once(tmp_path: Path) -> None:
    check_packages(ALL_KINDS, tmp_path)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_every_kind_is_written_and_its_code_compiles(kind: str, tmp_path: Path) -> None:
    folder = write_plugin("acme-thing", kind, tmp_path)
    for file in folder.rglob("*.py"):
        compile(file.read_text(), str(file), "exec")
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["ftfkit"] == {"acme_thing": "acme_thing"}
    options = {file.parent.parent.name for file in folder.rglob("conf/*/acme/thing.yaml")}
    assert options == ({GROUPS[kind]} if kind in GROUPS else set()) | ({"track"} if kind in TRACKED else set())
    assert bool(list(folder.rglob("mlops_readiness.md"))) == (kind in TRACKED)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_libraries_are_required_as_ftfkit_requires_them(kind: str, tmp_path: Path) -> None:
    own = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"])
    written = tomllib.loads((write_plugin("acme-thing", kind, tmp_path) / "pyproject.toml").read_text())["project"]
    core, *libraries = written["dependencies"]
    assert core.startswith("ftfkit>=")
    assert set(libraries) <= own


def test_groups_are_those_of_the_schema() -> None:
    assert {kind: group for group, kind in COMPONENT_GROUPS.items()} | {"gate_check": "gates"} == GROUPS


def test_lint_settings_are_our_own(tmp_path: Path) -> None:
    own = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]
    written = tomllib.loads((write_plugin("acme-thing", "loss", tmp_path) / "pyproject.toml").read_text())["tool"][
        "ruff"
    ]
    for key in ("select", "ignore", "pydocstyle", "pylint"):
        assert written["lint"][key] == own["lint"][key], key
    assert written["line-length"] == own["line-length"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Acme", "must be lower-case words"),
        ("acme_loss", "must be lower-case words"),
        ("acme-", "must be lower-case words"),
        ("../acme", "must be lower-case words"),
        ("class", "no word that Python or YAML reserves"),
        ("acme-on", "no word that Python or YAML reserves"),
        ("logistic", "is taken by ftfkit"),
        ("ftfkit", "is taken by ftfkit"),
        ("json", "is taken by module 'json' of Python's standard library"),
        ("xgboost", "is taken by the installed distribution xgboost"),
        ("scikit-learn", "is taken by the installed distribution scikit-learn"),
        ("sklearn", r"is taken by module 'sklearn' \(.*sklearn/__init__\.py\)"),
        ("none", "makes the option 'loss/none', which .*conf/loss/none.yaml defines already"),
        ("focal-standard", "makes the option 'loss/focal/standard', which .*focal/standard.yaml defines already"),
        ("exception", "makes the class Exception, which Python has already"),
        ("loss", "makes the class Loss, which its module imports"),
        ("objective", "makes the class Objective, which its module imports"),
        ("package", "makes the class TestPackage, which its tests have already"),
    ],
)
def test_a_name_that_will_not_do_is_refused(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        write_plugin(name, "loss", tmp_path)
    assert len(str(refused.value).splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "kind"), [("none", "metric"), ("xgboost", "target_transform"), ("metric", "metric")])
def test_so_it_is_for_other_kinds(name: str, kind: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"name == {name} (makes the class|is taken by)"):
        write_plugin(name, kind, tmp_path)


def test_a_folder_that_exists_is_never_written_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["new-plugin", "acme-thing", "--kind", "metric", "--output", str(tmp_path)]
    assert main(arguments) == 0
    assert "pip install -e" in capsys.readouterr().out
    assert main(arguments) == 2
    assert "must be a new folder" in capsys.readouterr().err

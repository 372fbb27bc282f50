"""What the core and each plugin import is what their pyproject.toml declares, with the same lower bounds."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECTS = [ROOT, *sorted(file.parent for file in ROOT.glob("plugins/*/pyproject.toml"))]
each_project = pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)


def settings(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))


def declared(project: Path) -> dict[str, str]:
    """Canonical name of each requirement, those of extras too, and its bounds."""
    its = settings(project)["project"]
    lines = [*its["dependencies"], *(line for extra in its.get("optional-dependencies", {}).values() for line in extra)]
    requirements = map(Requirement, lines)
    return {canonicalize_name(one.name): str(one.specifier) for one in requirements}


def imported(package: Path) -> Iterator[str]:
    """Top-level modules that the code of a package imports, wherever it does so."""
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


@each_project
def test_every_library_that_is_imported_is_declared(project: Path) -> None:
    packages = settings(project)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    modules = {module for package in packages for module in imported(project / package)}
    ours = {"ftfkit", *packages}
    owners = packages_distributions()
    undeclared = {
        module
        for module in modules - ours - sys.stdlib_module_names
        if not {canonicalize_name(owner) for owner in owners.get(module, [module])} & set(declared(project))
    }
    assert undeclared == set()


@each_project
def test_a_library_of_the_core_has_the_bounds_of_the_core(project: Path) -> None:
    core = declared(ROOT)
    assert {name: bounds for name, bounds in declared(project).items() if bounds != core.get(name, bounds)} == {}


def test_every_library_is_pinned_where_make_setup_looks() -> None:
    pins = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    wanted = {name for project in PROJECTS for name in declared(project)}
    assert {name for name in wanted if name not in pins and not name.startswith("ftfkit")} == set()

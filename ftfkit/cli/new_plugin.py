"""``new-plugin``: write a package that registers one component and passes its suite, lint and types at once."""

from __future__ import annotations

import builtins
import importlib.util
import keyword
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distribution, distributions
from pathlib import Path
from typing import Any

from ftfkit.cli.arguments import ArgumentParser
from ftfkit.config.folders import conf_folders, find_option, shown
from ftfkit.errors import UsageError
from ftfkit.hookspecs import API_VERSION
from ftfkit.plugin_checks import required
from ftfkit.plugins import KINDS, registry

SCAFFOLD = Path(__file__).parent / "scaffold"
OBSERVER = "observer"
GROUPS: Mapping[str, str] = {  # kind -> conf group that selects it
    "data_source": "data",
    "feature_set": "features",
    "label_scheme": "label",
    "target_transform": "targets",
    "splitter": "cv",
    "loss": "loss",
    "model": "model",
    "decision_rule": "decision",
    "gate_check": "gates",
}
TRACKED = frozenset({"feature_set", "label_scheme", "target_transform", "loss", "model", "decision_rule"})
EXAMPLES: Mapping[str, str] = {  # kind -> parameters of a second component under test
    "data_source": "seed=2",
    "feature_set": "window_bars=6",
    "label_scheme": "bar_hours=8, horizon_bars=3",
    "target_transform": "epsilon=0.3",
    "splitter": "growth=1.0",
    "loss": "tilt=3.0",
    "decision_rule": "buy_share=0.5",
    "gate_check": "min_expectancy_bps=2.0",
}
LIBRARIES: Mapping[str, tuple[str, ...]] = {  # beside ftfkit itself, whose lower bounds they take
    "data_source": ("numpy", "pandas", "pydantic"),
    "loss": ("numpy", "pydantic", "scipy"),
    "model": ("numpy", "pydantic", "scikit-learn"),
    "metric": ("numpy",),
    "dossier_section": ("pandas",),
    "gate_check": (),
    OBSERVER: (),
}
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*")
_YAML_WORDS = frozenset({"on", "off", "yes", "no", "true", "false", "null", "y", "n"})


def main(arguments: list[str]) -> int:
    """Write the package and say what to do next."""
    parser = ArgumentParser(prog="python -m ftfkit new-plugin", description=__doc__)
    parser.add_argument("name", help="name of the distribution, such as acme-huber")
    parser.add_argument("--kind", required=True, choices=[*KINDS, OBSERVER], help="what it offers")
    parser.add_argument("--output", type=Path, default=Path(), help="folder to write it in (default: here)")
    options = parser.parse_args(arguments)
    folder = write_plugin(options.name, options.kind, options.output)
    print(f"{folder}: {OBSERVER if options.kind == OBSERVER else options.kind.replace('_', ' ')} written; next:")
    print(f"  python -m pip install -e {folder}\n  python -m pytest {folder}\n  python -m ftfkit plugins")
    return 0


def write_plugin(name: str, kind: str, output: Path) -> Path:
    """Write the package ``name`` below ``output``.

    Returns
    -------
    Path
        The new folder.

    Raises
    ------
    UsageError
        When the name will not do, is taken, or the folder exists.
    """
    package = _package(name, kind)
    folder = output / name
    if folder.exists():
        raise UsageError(f"new-plugin: {folder} exists, must be a new folder")
    texts = {path: _render(template, package) if template else "" for path, template in _files(package).items()}
    problem = _option_problem(package) or _class_problem(package, texts)
    if problem:
        raise UsageError(f"new-plugin: name == {name} {problem}")
    for path, text in texts.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


@dataclass(frozen=True)
class _Package:
    """Names that the templates fill in."""

    name: str
    kind: str
    module: str
    cls: str

    @property
    def group(self) -> str | None:
        return GROUPS.get(self.kind)

    @property
    def option(self) -> str:
        """``acme-huber`` becomes the option ``acme/huber``, so that a vendor's options stand together."""
        return self.name.replace("-", "/", 1).replace("-", "_")

    @property
    def track(self) -> bool:
        return self.kind in TRACKED


def _package(name: str, kind: str) -> _Package:
    if not _NAME.fullmatch(name):
        raise UsageError(f"new-plugin: name == {name} must be lower-case words of letters and digits, joined by '-'")
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or _YAML_WORDS & set(name.split("-")):
        raise UsageError(f"new-plugin: name == {name} must be no word that Python or YAML reserves")
    owner = _owner(name, module, kind)
    if owner:
        raise UsageError(f"new-plugin: name == {name} is taken by {owner}")
    return _Package(name, kind, module, "".join(word.capitalize() for word in name.split("-")))


def _owner(name: str, module: str, kind: str) -> str | None:
    """Who has the name already: a plugin, a distribution, or what Python finds to import under it."""
    found = registry()
    taken = found.registrations.get(kind, {}).get(module)
    if taken:
        return taken.distribution
    owners = [plugin.distribution for plugin in found.plugins if plugin.name == module]
    if owners:
        return owners[0]
    if module in sys.stdlib_module_names:
        return f"module {module!r} of Python's standard library"
    if list(distributions(name=name)):
        return f"the installed distribution {name}"
    spec = importlib.util.find_spec(module)
    return f"module {module!r} ({spec.origin})" if spec and spec.origin else None  # no origin: a folder, no module


def _option_problem(package: _Package) -> str | None:
    """An option that a conf folder holds already, which composing would refuse."""
    folders = conf_folders()
    for path in _files(package):
        _, conf, option = path.removesuffix(".yaml").partition("/conf/")
        file = find_option(folders, option) if conf else None
        if file:
            return f"makes the option {option!r}, which {shown(file)} defines already"
    return None


def _class_problem(package: _Package, texts: Mapping[str, str]) -> str | None:
    """A class that Python, its base class or what its module imports is called like already."""
    cls = package.cls
    if keyword.iskeyword(cls) or hasattr(builtins, cls):
        return f"makes the class {cls}, which Python has already"
    code = texts.get(f"src/{package.module}/{package.kind}.py", "")
    if re.search(rf"^(from|import) .*\b{cls}\b", code, re.MULTILINE):
        return f"makes the class {cls}, which its module imports"
    if texts[f"tests/test_{package.module}.py"].count(f"class Test{cls}(") > 1:
        return f"makes the class Test{cls}, which its tests have already"
    return None


def _files(package: _Package) -> dict[str, str | None]:
    """Path of each file and its template; None writes an empty one."""
    source = f"src/{package.module}"
    files: dict[str, str | None] = {
        "pyproject.toml": "pyproject.toml.j2",
        "README.md": "README.md.j2",
        f"{source}/py.typed": None,
        f"tests/test_{package.module}.py": "test.py.j2",
    }
    if package.kind == OBSERVER:
        return {**files, f"{source}/__init__.py": "component/observer.py.j2"}
    files[f"{source}/__init__.py"] = "init.py.j2"
    files[f"{source}/{package.kind}.py"] = f"component/{package.kind}.py.j2"
    if package.group:
        files[f"{source}/conf/{package.group}/{package.option}.yaml"] = f"conf/{package.kind}.yaml.j2"
    if package.track:
        files[f"{source}/conf/track/{package.option}.yaml"] = "conf/track.yaml.j2"
        files[f"{source}/mlops_readiness.md"] = "mlops_readiness.md.j2"
    return files


def _render(template: str, package: _Package) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(SCAFFOLD),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Python and TOML, not HTML
    )
    return environment.get_template(template).render(_values(package))


def _values(package: _Package) -> dict[str, Any]:
    kind = package.kind
    hook, base = KINDS.get(kind, ("", "Observer"))
    fixed = "bar_hours=4" if kind == "label_scheme" else ""
    second = EXAMPLES.get(kind)
    components = [f"{package.cls}({fixed})", *([f"{package.cls}({second})"] if second else [])]
    return {
        "name": package.name,
        "kind": kind,
        "module": package.module,
        "cls": package.cls,
        "group": package.group,
        "option": package.option,
        "track": package.track,
        "hook": hook,
        "base": base,
        "api_version": API_VERSION,
        "title": package.name.replace("-", " ").capitalize(),
        "kind_words": kind.replace("_", " "),
        "article": "an" if kind == OBSERVER else "a",
        "usage": _usage(package),
        "suites": sorted([f"{base}Conformance", "PackageConformance"]),
        "examples": components,
        "requirements": [f"ftfkit>={_core_version()}", *_bounded(LIBRARIES.get(kind, ("numpy", "pydantic")))],
    }


def _core_version() -> str:
    from ftfkit import __version__

    return ".".join(__version__.split(".")[:2])


def _bounded(libraries: Iterable[str]) -> Iterator[str]:
    """Each library as the installed ftfkit requires it, so that a package asks for no other versions than its core."""
    bounds = {requirement.name: requirement.specifier for requirement in required(distribution("ftfkit"))}
    return (f"{library}{bounds[library]}" for library in libraries)


def _usage(package: _Package) -> str:
    """One sentence for the README: how a run takes it up."""
    if package.group:
        return f"Run it with `python -m ftfkit {package.group}={package.option}`."
    if package.kind == "metric":
        return f"Run it with `python -m ftfkit +metrics.{package.module}={{}}`; its columns join every row."
    if package.kind == "dossier_section":
        return "Every dossier holds it while the package is installed."
    return "Every run calls it while the package is installed; it sees copies and cannot change a result."

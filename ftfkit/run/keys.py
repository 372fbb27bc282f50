"""Fit key and row key: the SHA-256 of everything that can change a cell's predictions, and then its row.

Values come from the validated components, code from source files, data from fingerprints of the bars; paths, files,
variant names, run ids and gates never enter. Two cells with one key are the same cell.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from ftfkit.components import Component
from ftfkit.config.participants import nested
from ftfkit.config.schema import COMPONENT_GROUPS, Spec
from ftfkit.errors import PluginError
from ftfkit.plugin_checks import installed_version, required
from ftfkit.plugins import Registry
from ftfkit.types import Asset, IntArray, Universe

CONTRACT = "ftfkit.components"  # the base classes, hashed as one package
FIT_MODULES = (
    "ftfkit.types",
    CONTRACT,
    "ftfkit.purging",
    "ftfkit.uniqueness",
    "ftfkit.operating_points",
    "ftfkit.run.bars",
    "ftfkit.run.market",
    "ftfkit.run.asset",
    "ftfkit.run.payloads",
    "ftfkit.run.fit",
    "ftfkit.run.cell",
    "ftfkit.run.tuning",
    "ftfkit.run.metrics",
)
ROW_MODULES = ("ftfkit.run.calibration", "ftfkit.run.trades")
FIT_GROUPS = ("features", "label", "targets", "cv", "model", "loss")  # data enters by its fingerprint alone
SOURCE_SUFFIXES = frozenset({".py", ".so", ".pyd"})
BUILTIN = "ftfkit.builtin."


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces; refuses NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def sha256(text: str) -> str:
    """Hexadecimal SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def fit_basis(spec: Spec, plugins: Registry) -> str:
    """Hash of what all fits of a setting share: parameters, source code and library versions.

    Parameters
    ----------
    spec : Spec
        Validated setting of one variant.
    plugins : Registry
        Tells which distribution offers each component, and which other components one names.
    """
    components = {group: getattr(spec, group) for group in FIT_GROUPS}
    named = [registration.load() for registration in nested(spec.raw, plugins)]
    return sha256(
        canonical(
            {
                "components": {group: described(component) for group, component in components.items()},
                "balancing": spec.balancing.model_dump(mode="json"),
                "hpo": spec.hpo.model_dump(mode="json"),
                "f1_rule": spec.f1_rule,
                "seed": spec.seed,
                "sources": sources(FIT_MODULES, [*_classes(components.values()), *named]),
                "versions": versions(spec, plugins),
            }
        )
    )


def fit_key(
    basis: str, universe: Universe, asset: Asset, fingerprints: Mapping[str, str], edges: IntArray, fold: int
) -> str:
    """Fit key of one cell.

    Parameters
    ----------
    basis : str
        ``fit_basis`` of the setting.
    universe : Universe
        Its assets enter where the feature set looks at other assets: which of these are the cross-section and which
        only leaders is not told by their bars.
    asset : Asset
    fingerprints : mapping of str to str
        SHA-256 of the validated native bars up to the period's end, of the asset and of all its Market assets.
    edges : ndarray of int64, shape (n_blocks + 1,)
        Block edges, ns UTC.
    fold : int
    """
    blocks = [int(edge) for edge in edges]
    cell = {"asset": list(asset), "bars": dict(fingerprints), "edges": blocks, "fold": fold}
    if len(fingerprints) > 1:
        cell["universe"] = [list(one) for one in universe.assets]
    return sha256(canonical({"basis": basis, **cell}))


def row_basis(spec: Spec) -> str:
    """Hash of what turns predictions into a row: decision, calibration, trade costs, metrics and their code."""
    extra = [spec.decision, *spec.metrics.values()]
    return sha256(
        canonical(
            {
                "decision": described(spec.decision),
                "calibration": spec.calibration.model_dump(mode="json"),
                "trade": spec.trade.model_dump(mode="json"),
                "metrics": {name: described(metric) for name, metric in spec.metrics.items()},
                "sources": sources(ROW_MODULES, map(type, extra)),
            }
        )
    )


def row_key(basis: str, fit: str, baseline_fit: str | None = None) -> str:
    """Row key of one cell; ``baseline_fit`` is the baseline's fit key where the decision rule needs the baseline."""
    return sha256(canonical({"basis": basis, "fit": fit, "baseline_fit": baseline_fit}))


def described(component: Component) -> dict[str, Any]:
    """Class and validated parameters of a component."""
    cls = type(component)
    return {"class": f"{cls.__module__}:{cls.__qualname__}", "params": component.model_dump(mode="json")}


def _classes(components: Iterable[Component]) -> Iterator[type]:
    """Classes of components and of those among their fields, such as a feature set that another one wraps."""
    for component in components:
        yield type(component)
        yield from _classes(value for _, value in component if isinstance(value, Component))


def sources(modules: Iterable[str], classes: Iterable[type]) -> dict[str, str]:
    """Source hash of each core module, and of where each class and each component class under it lives."""
    names = set(modules)
    for cls in classes:
        own = [base.__module__ for base in cls.__mro__ if issubclass(base, Component)]
        names.update(_package(module) for module in own if not module.startswith(CONTRACT))
    return {name: _source_hash(name) for name in sorted(names)}


def _package(module: str) -> str:
    """What is hashed for a class of ``module``: a built-in kind's folder, a core module, a plugin's whole package."""
    if module.startswith(BUILTIN):
        return ".".join(module.split(".")[:3])
    return module if module.startswith("ftfkit.") else module.partition(".")[0]


@cache
def _source_hash(name: str) -> str:
    """SHA-256 over the files of a module or package, with their relative names."""
    digest = hashlib.sha256()
    for root, path in _source_files(name):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def _source_files(name: str) -> Iterator[tuple[Path, Path]]:
    """Each source file with the folder its name is relative to."""
    found = importlib.util.find_spec(name)
    if found is None:
        raise PluginError(f"{name}: source cannot be found, must be importable to enter a cell's key")
    if found.submodule_search_locations is None:
        path = Path(str(found.origin))
        yield path.parent, path
    for root in map(Path, sorted(found.submodule_search_locations or ())):
        yield from ((root, path) for path in sorted(root.rglob("*")) if path.suffix in SOURCE_SUFFIXES)


def distributions(spec: Spec, plugins: Registry) -> tuple[str, ...]:
    """Distributions whose components take part in a setting, the core's always among them."""
    found = {"ftfkit"}
    for group, kind in COMPONENT_GROUPS.items():
        if group != "data":
            found.add(plugins.find(kind, str(spec.raw[group]["name"])).distribution)
    found.update(plugins.find("metric", name).distribution for name in spec.metrics)
    found.update(registration.distribution for registration in nested(spec.raw, plugins))
    return tuple(sorted(found))


def versions(spec: Spec, plugins: Registry) -> dict[str, str]:
    """Versions of the distributions that take part and of all that they require, extras left out; and Python's."""
    return {"python": ".".join(platform.python_version_tuple()[:2]), **_installed(distributions(spec, plugins))}


@cache
def _installed(names: Sequence[str]) -> dict[str, str]:
    wanted = {*names, *(canonicalize_name(one.name) for name in names for one in required(distribution(name)))}
    return {name: installed_version(name) for name in sorted(wanted)}

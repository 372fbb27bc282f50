"""Who takes part in an experiment: the components a setting selects, those these name in turn, and their packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from packaging.utils import canonicalize_name

from ftfkit.components import Component
from ftfkit.config.compose import Composed
from ftfkit.config.schema import COMPONENT_GROUPS, Experiment, Spec
from ftfkit.errors import ConfigError, PluginError
from ftfkit.plugin_checks import dependency_problem
from ftfkit.plugins import Registration, Registry, registry

NAMING_GROUPS = {"model": ("model", "targets"), "feature_set": ("features",)}  # kind -> sections that may name others


def nested(raw: Mapping[str, Mapping[str, Any]], plugins: Registry) -> Iterator[Registration]:
    """Registered models and feature sets that a section names, as ensembles and extensions do, and those they name.

    Parameters
    ----------
    raw : mapping
        Component group to ``{name, **parameters}``, as validated and dumped.
    plugins : Registry
        Tells which texts are names.
    """
    for kind, groups in NAMING_GROUPS.items():
        known = plugins.registrations[kind]
        found = {text for group in groups for _, text in _texts(raw[group], group)} & set(known)
        seen: set[str] = set()
        while found:
            seen |= found
            yield from (known[name] for name in sorted(found))
            classes: list[type[Component]] = [known[name].load() for name in sorted(found)]
            defaults = [field.default for cls in classes for field in cls.model_fields.values()]
            found = ({text for _, text in _texts(defaults, "")} & set(known)) - seen


def refuse_blocked(composed: Composed, raw: Mapping[str, Mapping[str, Any]], plugins: Registry) -> None:
    """Hold ``plugins.blocked`` against names inside a section too, which components look up by themselves.

    Raises
    ------
    ConfigError
        With the key, the name and the plugin that is blocked.
    """
    if not composed.config.get("plugins", {}).get("blocked"):
        return
    for registration in nested(raw, registry()):
        if registration.plugin in plugins.blocked and registration.name not in plugins.registrations[registration.kind]:
            places = [place for group in NAMING_GROUPS[registration.kind] for place in _texts(raw[group], group)]
            group = NAMING_GROUPS[registration.kind][0]
            key = next((key for key, text in places if text == registration.name), group)
            rule = f"is of the blocked plugin {registration.plugin}"
            raise ConfigError(composed.where(key), key, registration.name, rule)


def refuse_unknown_blocked(composed: Composed, blocked: Iterable[str], plugins: Registry) -> None:
    """Refuse a name in ``plugins.blocked`` that no installed plugin has: nothing would be blocked.

    Raises
    ------
    ConfigError
        With the known names.
    """
    for name in blocked:
        if canonicalize_name(name) in plugins.unknown:
            rule = f"is no installed plugin; known: {', '.join(plugins.installed)}"
            raise ConfigError(composed.where("plugins.blocked"), "plugins.blocked", name, rule)


def check_requirements(experiment: Experiment, plugins: Registry) -> None:
    """Import what the packages that take part require, before a cell would do so hours later.

    Raises
    ------
    PluginError
        With the package and the module that cannot be imported.
    """
    taking_part = {one.distribution for variant in experiment.all_variants for one in _of(variant.spec, plugins)}
    checks = [plugins.find("gate_check", name) for name in experiment.gate_checks]
    sections = plugins.registrations["dossier_section"].values()  # every dossier renders all of them
    taking_part |= {one.distribution for one in (*checks, *sections)}
    for plugin in plugins.plugins:
        problem = dependency_problem(plugin.distribution) if plugin.distribution in taking_part else None
        if problem:
            raise PluginError(f"{plugin.place}: {problem}")


def _of(spec: Spec, plugins: Registry) -> Iterator[Registration]:
    for group, kind in COMPONENT_GROUPS.items():
        yield plugins.find(kind, str(spec.raw[group]["name"]))
    yield from (plugins.find("metric", name) for name in spec.metrics)
    yield from nested(spec.raw, plugins)


def _texts(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """All strings inside nested mappings and sequences, with their dotted keys."""
    if isinstance(value, str):
        yield key, value
    inner = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    )
    for name, item in inner:
        yield from _texts(item, f"{key}.{name}")

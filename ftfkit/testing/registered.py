"""Everything registered, built from the options of the conf groups: what suites run over when nothing is named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ftfkit.components import Component
from ftfkit.config.build import component, named_component
from ftfkit.config.compose import composer
from ftfkit.config.schema import COMPONENT_GROUPS
from ftfkit.plugins import registry

MANDATORY = "???"


def registered_components(kind: str) -> dict[str, Any]:
    """Components of one kind: one for each option of its conf group, those without an option with their defaults.

    Returns
    -------
    dict of str to Component
        By option, or by name where there is none. Options that wait for a value of the user's (``???``) are left out.

    Raises
    ------
    ConfigError, PluginError
        When an option cannot be built.
    """
    built = dict(_gate_checks() if kind == "gate_check" else _options(kind))
    plugins = registry()
    classes = {type(item) for item in built.values()}
    for name, registration in plugins.registrations[kind].items():
        cls: type[Component] = registration.load()
        if cls not in classes and not any(field.is_required() for field in cls.model_fields.values()):
            built[name] = cls()
    return built


def _options(kind: str) -> Iterator[tuple[str, Component]]:
    using, plugins = composer(), registry()
    for group in (group for group, its_kind in COMPONENT_GROUPS.items() if its_kind == kind):
        for option in using.options(group):
            composed = using.compose([f"{group}={option}"])
            if MANDATORY not in composed.config[group].values():
                yield option, component(composed, group, kind, plugins)


def _gate_checks() -> Iterator[tuple[str, Component]]:
    using, plugins = composer(), registry()
    for option in using.options("gates"):
        composed = using.compose([f"gates={option}"])
        for name, values in composed.config["gates"]["checks"].items():
            key = f"gates.checks.{name}"
            yield f"{option}-{name}", named_component(composed, key, name, values or {}, "gate_check", plugins)

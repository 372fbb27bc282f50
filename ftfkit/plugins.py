"""Who offers what: finds plugins by entry point, checks them one by one, and resolves names to classes."""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from ftfkit import hookspecs
from ftfkit.errors import PluginError

KINDS: Mapping[str, tuple[str, str]] = {  # kind -> (hook, base class in ftfkit.components)
    "data_source": ("ftfkit_data_sources", "DataSource"),
    "feature_set": ("ftfkit_feature_sets", "FeatureSet"),
    "label_scheme": ("ftfkit_label_schemes", "LabelScheme"),
    "target_transform": ("ftfkit_target_transforms", "TargetTransform"),
    "splitter": ("ftfkit_splitters", "Splitter"),
    "loss": ("ftfkit_losses", "Loss"),
    "model": ("ftfkit_models", "Model"),
    "decision_rule": ("ftfkit_decision_rules", "DecisionRule"),
    "metric": ("ftfkit_metrics", "Metric"),
    "gate_check": ("ftfkit_gate_checks", "GateCheck"),
    "dossier_section": ("ftfkit_dossier_sections", "DossierSection"),
}
BLOCK_VARIABLE = "FTFKIT_BLOCK_PLUGINS"  # comma-separated plugin names


@dataclass(frozen=True)
class Registration:
    """One offered component: where it is and whose it is."""

    kind: str
    name: str
    target: type | str
    plugin: str
    distribution: str
    version: str

    def load(self) -> type:
        """Import the class and check that it is of its kind.

        Raises
        ------
        PluginError
            When it cannot be imported or is not a subclass of the kind's base class.
        """
        hook, base_name = KINDS[self.kind]
        base = getattr(importlib.import_module("ftfkit.components"), base_name)
        target: Any = self.target
        if isinstance(target, str):
            module, _, attribute = target.partition(":")
            try:
                target = getattr(importlib.import_module(module), attribute)
            except Exception as error:
                raise PluginError(f"{self.owner}: {hook} {self.name!r} cannot be imported: {_brief(error)}") from error
        if not (isinstance(target, type) and issubclass(target, base)):
            raise PluginError(f"{self.owner}: {hook} {self.name!r} is {target!r}, must be a subclass of {base_name}")
        return target

    @property
    def owner(self) -> str:
        return f"plugin {self.distribution}"


@dataclass(frozen=True)
class Plugin:
    """One entry point that loaded."""

    name: str
    distribution: str
    version: str
    module: str


@dataclass(frozen=True)
class Registry:
    """Everything the loaded plugins offer; ``broken`` holds one line for each plugin that does not hold together."""

    plugins: tuple[Plugin, ...]
    registrations: Mapping[str, Mapping[str, Registration]]
    conf_folders: tuple[tuple[str, Path], ...]  # (owner, folder)
    manager: pluggy.PluginManager = field(repr=False)
    broken: tuple[str, ...] = ()

    def find(self, kind: str, name: str) -> Registration:
        """Registration of ``name``.

        Raises
        ------
        PluginError
            When it is unknown; lists the known names, the nearest one and what is broken.
        """
        known = self.registrations[kind]
        if name in known:
            return known[name]
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        lost = f"; not loaded: {' | '.join(self.broken)}" if self.broken else ""
        raise PluginError(f"{kind} {name!r} is not registered; known: {', '.join(sorted(known))}{hint}{lost}")

    def load(self, kind: str, name: str) -> type:
        return self.find(kind, name).load()


def registry(blocked: Iterable[str] = ()) -> Registry:
    """Plugins of the installed distributions, without the blocked ones (conf or ``FTFKIT_BLOCK_PLUGINS``)."""
    from_environment = os.environ.get(BLOCK_VARIABLE, "").split(",")
    return _registry(frozenset(name.strip() for name in (*blocked, *from_environment) if name.strip()))


@cache
def _registry(blocked: frozenset[str]) -> Registry:
    manager = pluggy.PluginManager(hookspecs.GROUP)
    manager.add_hookspecs(hookspecs)
    plugins: list[Plugin] = []
    broken: list[str] = []
    for distribution, entry in _entry_points():
        if entry.name in blocked:
            continue
        problem = _register(manager, distribution, entry, {plugin.name: plugin for plugin in plugins})
        if problem:
            broken.append(problem)
        else:
            plugins.append(Plugin(entry.name, distribution.name, distribution.version, entry.value))
    registrations: dict[str, dict[str, Registration]] = {kind: {} for kind in KINDS}
    folders: list[tuple[str, Path]] = []
    for plugin in plugins:
        broken.extend(_collect(manager, plugin, registrations, folders))
    return Registry(tuple(plugins), registrations, tuple(folders), manager, tuple(broken))


def _entry_points() -> list[tuple[Distribution, EntryPoint]]:
    """Entry points of our group, the core's first, then by distribution name; shadowed duplicates dropped."""
    found: dict[tuple[str, str], tuple[Distribution, EntryPoint]] = {}
    for distribution in distributions():
        for entry in distribution.entry_points:
            if entry.group == hookspecs.GROUP:
                found.setdefault((distribution.name, entry.name), (distribution, entry))
    return [found[key] for key in sorted(found, key=lambda key: (key[0] != "ftfkit", key))]


def _register(
    manager: pluggy.PluginManager, distribution: Distribution, entry: EntryPoint, known: Mapping[str, Plugin]
) -> str | None:
    """Import and register one plugin; the problem in one line, or None."""
    owner = f"plugin {distribution.name} {distribution.version}"
    if entry.name in known:
        return f"{owner}: plugin name {entry.name!r} is already taken by {known[entry.name].distribution}"
    try:
        module = entry.load()
    except Exception as error:
        return f"{owner}: cannot be imported: {_brief(error)}"
    version = getattr(module, "ftfkit_api_version", hookspecs.API_VERSION)
    if version != hookspecs.API_VERSION:
        return f"{owner}: built for plugin API {version}, this ftfkit has API {hookspecs.API_VERSION}"
    misspelt = _unknown_hooks(module)
    if misspelt:
        return f"{owner}: {misspelt}"
    try:
        manager.register(module, name=entry.name)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        if manager.has_plugin(entry.name):
            manager.unregister(name=entry.name)
        return f"{owner}: {_brief(error)}"
    return None


def _unknown_hooks(module: ModuleType) -> str | None:
    """A function marked as a hook, or named like one, that the contract does not know."""
    known = [name for name in vars(hookspecs) if name.startswith("ftfkit_")]
    for name, value in vars(module).items():
        marked = inspect.isroutine(value) and (hasattr(value, "ftfkit_impl") or name.startswith("ftfkit_"))
        if marked and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            return f"unknown hook {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        if marked and not hasattr(value, "ftfkit_impl"):
            return f"hook {name!r} lacks @ftfkit.hookimpl"
    return None


def _collect(
    manager: pluggy.PluginManager,
    plugin: Plugin,
    registrations: dict[str, dict[str, Registration]],
    folders: list[tuple[str, Path]],
) -> list[str]:
    """Ask one plugin for its offers, apart from the others so that the owner is known; problems as lines."""
    owner = f"plugin {plugin.distribution} {plugin.version}"
    problems: list[str] = []
    for kind, (hook, _) in KINDS.items():
        for offer in _ask(manager, plugin, hook, owner, problems):
            if not isinstance(offer, Mapping):
                problems.append(f"{owner}: {hook} returned {type(offer).__name__}, must be a mapping of name to class")
                continue
            for name, target in offer.items():
                taken = registrations[kind].get(name)
                if taken:
                    problems.append(f"{owner}: {kind} {name!r} is already registered by {taken.distribution}")
                elif not isinstance(target, (type, str)):
                    problems.append(f"{owner}: {hook} {name!r} is {target!r}, must be a class or 'module:Class'")
                else:
                    registrations[kind][name] = Registration(
                        kind, name, target, plugin.name, plugin.distribution, plugin.version
                    )
    for offer in _ask(manager, plugin, "ftfkit_conf_folders", owner, problems):
        for folder in offer:
            if Path(folder).is_dir():
                folders.append((plugin.distribution, Path(folder)))
            else:
                problems.append(f"{owner}: ftfkit_conf_folders names {folder}, which is not a folder")
    return problems


def _ask(manager: pluggy.PluginManager, plugin: Plugin, hook: str, owner: str, problems: list[str]) -> list[Any]:
    others = [manager.get_plugin(name) for name, _ in manager.list_name_plugin() if name != plugin.name]
    try:
        return list(manager.subset_hook_caller(hook, others)())
    except Exception as error:
        problems.append(f"{owner}: {hook} failed: {_brief(error)}")
        return []


def _brief(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"

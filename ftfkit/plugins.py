"""Who offers what: finds plugins by entry point, checks them one by one, and resolves names to classes."""

from __future__ import annotations

import difflib
import importlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from typing import Any

import pluggy
from packaging.utils import NormalizedName, canonicalize_name

from ftfkit import hookspecs
from ftfkit.errors import PluginError
from ftfkit.plugin_checks import (
    brief,
    class_problem,
    dependency_problem,
    folders_problem,
    import_problem,
    module_problem,
    offer_problem,
    requirement_problem,
)

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
CONF_HOOK = "ftfkit_conf_folders"
BLOCK_VARIABLE = "FTFKIT_BLOCK_PLUGINS"  # comma-separated names of plugins or distributions


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
            When it cannot be imported, is not a subclass of the kind's base class or leaves a method of it abstract.
        """
        hook, base_name = KINDS[self.kind]
        base = getattr(importlib.import_module("ftfkit.components"), base_name)
        target: Any = self.target
        if isinstance(target, str):
            module, _, attribute = target.partition(":")
            try:
                target = getattr(importlib.import_module(module), attribute)
            except (Exception, SystemExit) as error:
                raise PluginError(f"{self._place}: {hook} {self.name!r} {import_problem(error)}") from error
        problem = class_problem(target, base)
        if problem:
            raise PluginError(f"{self._place}: {hook} {self.name!r} {problem}")
        return target  # type: ignore[no-any-return]  # class_problem has refused all but classes

    @property
    def owner(self) -> str:
        return f"plugin {self.distribution}"

    @property
    def _place(self) -> str:
        return f"{self.owner} {self.version}"


@dataclass(frozen=True)
class Plugin:
    """One entry point that loaded."""

    name: str
    distribution: str
    version: str
    module: str

    @property
    def place(self) -> str:
        return f"plugin {self.distribution} {self.version}"


@dataclass(frozen=True)
class Registry:
    """Everything the loaded plugins offer; ``broken`` holds one line for each plugin that does not hold together.

    A name that two plugins offer belongs to neither, until one of them is blocked.
    """

    plugins: tuple[Plugin, ...]
    registrations: Mapping[str, Mapping[str, Registration]]
    conf_folders: tuple[tuple[str, Path], ...]  # (owner, folder)
    manager: pluggy.PluginManager = field(repr=False)
    broken: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()  # installed plugins that were left out
    installed: tuple[str, ...] = ()  # names of all plugins, those left out and broken ones too
    unknown: tuple[str, ...] = ()  # canonical names that were to be left out, and that no installed plugin has

    def find(self, kind: str, name: str) -> Registration:
        """Registration of ``name``.

        Raises
        ------
        PluginError
            When several plugins offer it, or none; lists known names, the nearest one and what is blocked or broken.
        """
        known = self.registrations[kind]
        if name in known:
            return known[name]
        contested = next((line for line in self.broken if line.startswith(f"{kind} {name!r} is offered by ")), None)
        if contested:
            raise PluginError(contested)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise PluginError(
            f"{kind} {name!r} is not registered; known: {', '.join(sorted(known)) or '(none)'}{hint}{self.absent}"
        )

    @property
    def absent(self) -> str:
        """What is blocked and what is broken, to be said after a name that is not known; empty where nothing is."""
        without = f"; blocked: {', '.join(self.blocked)}" if self.blocked else ""
        lost = f"; not loaded: {' | '.join(self.broken)}" if self.broken else ""
        return without + lost

    def load(self, kind: str, name: str) -> type:
        return self.find(kind, name).load()

    def problems(self) -> tuple[str, ...]:
        """Everything that is wrong, one line each: ``broken``, and classes and requirements that cannot be imported."""
        found = list(self.broken)
        for entries in self.registrations.values():
            for registration in entries.values():
                try:
                    registration.load()
                except PluginError as error:
                    found.append(str(error))
        for plugin in self.plugins:
            if not any(line.startswith(plugin.place) for line in found):  # what failed above failed for the same reason
                problem = dependency_problem(plugin.distribution)
                found += [f"{plugin.place}: {problem}"] if problem else []
        return tuple(found)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What ``FTFKIT_BLOCK_PLUGINS`` asks for in vain, one line each."""
        known = ", ".join(self.installed)
        return tuple(f"{BLOCK_VARIABLE} == {name} is no installed plugin; known: {known}" for name in self.unknown)


def registry(blocked: Iterable[str] = ()) -> Registry:
    """Plugins of the installed distributions, without the blocked ones (conf or ``FTFKIT_BLOCK_PLUGINS``)."""
    from_environment = os.environ.get(BLOCK_VARIABLE, "").split(",")
    return _registry(
        frozenset(canonicalize_name(name.strip()) for name in (*blocked, *from_environment) if name.strip())
    )


@cache
def _registry(blocked: frozenset[NormalizedName]) -> Registry:
    manager = pluggy.PluginManager(hookspecs.GROUP)
    manager.add_hookspecs(hookspecs)
    found = _entry_points()
    left_out = [entry.name for distribution, entry in found if blocked & _names(distribution, entry)]
    kept = [(distribution, entry) for distribution, entry in found if not blocked & _names(distribution, entry)]
    known: set[NormalizedName] = set().union(*(_names(*one) for one in found))
    plugins: list[Plugin] = []
    broken: list[str] = []
    for distribution, entry in kept:
        rivals = [other.name for other, its in kept if its.name == entry.name and other is not distribution]
        problem = _register(manager, distribution, entry, rivals)
        if problem:
            broken.append(f"plugin {distribution.name} {distribution.version}: {problem}")
        else:
            plugins.append(Plugin(entry.name, distribution.name, distribution.version, entry.value))
    offered: list[Registration] = []
    folders: list[tuple[str, Path]] = []
    for plugin in plugins:
        problems = _collect(manager, plugin, offered, folders)
        broken += [f"{plugin.place}: {problem}" for problem in problems]
    registrations, contested = _by_name(offered)
    return Registry(
        tuple(plugins),
        registrations,
        tuple(folders),
        manager,
        (*broken, *contested),
        tuple(sorted(left_out)),
        tuple(sorted({entry.name for _, entry in found})),
        tuple(sorted(blocked - known)),
    )


def _names(distribution: Distribution, entry: EntryPoint) -> frozenset[NormalizedName]:
    """By which a plugin can be blocked; ``acme_loss``, ``acme-loss`` and ``Acme.Loss`` are one name."""
    return frozenset({canonicalize_name(distribution.name), canonicalize_name(entry.name)})


def _entry_points() -> list[tuple[Distribution, EntryPoint]]:
    """Entry points of our group, the core's first, then by distribution; what the path shadows is dropped."""
    found: dict[tuple[str, str], tuple[Distribution, EntryPoint]] = {}
    for distribution in distributions():
        for entry in distribution.entry_points:
            if entry.group == hookspecs.GROUP:
                found.setdefault((canonicalize_name(distribution.name), entry.name), (distribution, entry))
    return [found[key] for key in sorted(found, key=lambda key: (key[0] != "ftfkit", key))]


def _register(
    manager: pluggy.PluginManager, distribution: Distribution, entry: EntryPoint, rivals: Sequence[str]
) -> str | None:
    """Import and register one plugin; what is wrong with it, or None."""
    if rivals:
        return f"plugin name {entry.name!r} is also that of {', '.join(rivals)}; uninstall or block all but one"
    problem = requirement_problem(distribution)
    if problem:
        return problem
    try:
        module = entry.load()
    except (Exception, SystemExit) as error:
        return import_problem(error)
    problem = module_problem(module)
    if problem is None:
        manager.register(module, name=entry.name)
    return problem


def _collect(
    manager: pluggy.PluginManager,
    plugin: Plugin,
    offered: list[Registration],
    folders: list[tuple[str, Path]],
) -> list[str]:
    """Ask one plugin for its offers, apart from the others so that the owner is known; what is wrong with them."""
    problems: list[str] = []
    for kind, (hook, _) in KINDS.items():
        for offer in _ask(manager, plugin, hook, problems):
            problem = offer_problem(hook, offer)
            if problem:
                problems.append(problem)
                continue
            offered += [
                Registration(kind, name, target, plugin.name, plugin.distribution, plugin.version)
                for name, target in offer.items()
            ]
    for offer in _ask(manager, plugin, CONF_HOOK, problems):
        problem = folders_problem(CONF_HOOK, offer)
        if problem:
            problems.append(problem)
        else:
            folders += [(plugin.distribution, folder) for folder in offer]
    return problems


def _ask(manager: pluggy.PluginManager, plugin: Plugin, hook: str, problems: list[str]) -> list[Any]:
    """Results of one plugin's hook; not through pluggy's caller, which would drop a None."""
    answers = []
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        if implementation.plugin_name == plugin.name:
            try:
                answers.append(implementation.function())
            except (Exception, SystemExit) as error:
                problems.append(f"{hook} failed: {brief(error)}")
    return answers


def _by_name(offered: Sequence[Registration]) -> tuple[dict[str, dict[str, Registration]], list[str]]:
    """Registrations by kind and name, and a line for each name that several plugins offer."""
    claims: dict[tuple[str, str], list[Registration]] = {}
    for registration in offered:
        claims.setdefault((registration.kind, registration.name), []).append(registration)
    registrations: dict[str, dict[str, Registration]] = {kind: {} for kind in KINDS}
    contested = []
    for (kind, name), rivals in claims.items():
        if len(rivals) == 1:
            registrations[kind][name] = rivals[0]
        else:
            owners = " and ".join(f"{rival.owner} {rival.version}" for rival in rivals)
            contested.append(f"{kind} {name!r} is offered by {owners}; rename it, or block all but one")
    return registrations, contested

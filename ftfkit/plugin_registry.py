"""What loaded plugins offer: components by kind and name, and the classes behind them."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pluggy

from ftfkit.errors import PluginError
from ftfkit.plugin_checks import class_problem, dependency_problem, import_problem

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

"""Who offers what: finds plugins by entry point, checks them one by one, and asks each for its offers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from typing import Any

import pluggy
from packaging.utils import NormalizedName, canonicalize_name

from ftfkit import hookspecs
from ftfkit.plugin_checks import (
    brief,
    folders_problem,
    import_problem,
    module_problem,
    offer_problem,
    requirement_problem,
)
from ftfkit.plugin_registry import BLOCK_VARIABLE, KINDS, Plugin, Registration, Registry

__all__ = ["BLOCK_VARIABLE", "KINDS", "Plugin", "Registration", "Registry", "registry"]

CONF_HOOK = "ftfkit_conf_folders"


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

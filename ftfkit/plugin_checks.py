"""What can be wrong with one plugin, each finding in one line: version, hooks, requirements, imports, offers."""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path
from types import ModuleType
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ftfkit import hookspecs

HOOKS: Mapping[str, Callable[..., Any]] = {
    name: value for name, value in vars(hookspecs).items() if hasattr(value, f"{hookspecs.GROUP}_spec")
}
_LAZY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_NAME = re.compile(r"\w[\w.-]*")
_CORE = "ftfkit"
_NO_LIBRARY = frozenset({"tests", "test", "testing", "docs", "doc", "examples", "benchmarks", "scripts"})


def required(distribution: Distribution) -> Iterator[Requirement]:
    """Requirements that a distribution declares for this environment; those of extras are left out.

    Raises
    ------
    InvalidRequirement
        When the line that is next cannot be read.
    """
    for line in distribution.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement


def requirement_problem(distribution: Distribution) -> str | None:
    """A declared requirement that this environment does not meet; extras are left out."""
    try:
        return next(filter(None, map(_unmet, required(distribution))), None)
    except InvalidRequirement as error:
        return f"declares a requirement that cannot be read: {brief(error)}"


@cache
def installed_version(name: str) -> str:
    """Version of an installed distribution, read once: many plugins require the same ones.

    Raises
    ------
    PackageNotFoundError
        When it is not installed.
    """
    return version(name)


def _unmet(requirement: Requirement) -> str | None:
    wanted = f"{requirement.name}{requirement.specifier}"
    try:
        found = installed_version(requirement.name)
    except PackageNotFoundError:
        return f"requires {wanted}, which is not installed"
    fits = requirement.specifier.contains(found, prereleases=True)
    return None if fits else f"requires {wanted}, installed is {found}"


@cache
def dependency_problem(name: str) -> str | None:
    """A direct requirement of the distribution ``name`` that is installed and still cannot be imported.

    A library that lacks one of its own shows it only when it is imported, which plugins put off until a fit. The core's
    own libraries are not looked at: it imports them itself.
    """
    if canonicalize_name(name) == _CORE:
        return None
    for requirement in required(distribution(name)):
        if canonicalize_name(requirement.name) == _CORE:
            continue
        for module in _library_modules(requirement.name):
            try:
                importlib.import_module(module)
            except (Exception, SystemExit) as error:
                return f"requires {requirement.name}, which {import_problem(error)}"
    return None


def _library_modules(name: str) -> list[str]:
    """Top-level modules of a distribution that are not imported yet: the one called like it, else all public ones."""
    same = canonicalize_name(name).replace("-", "_")
    if same in sys.modules:
        return []
    found = distribution(name)
    declared = (found.read_text("top_level.txt") or "").split()
    files = [file for file in found.files or () if file.suffix == ".py"]
    modules = {*declared, *(file.parts[0] if len(file.parts) > 1 else file.stem for file in files)}
    public = sorted(one for one in modules if one.isidentifier() and not one.startswith("_") and one not in _NO_LIBRARY)
    return [module for module in ([same] if same in modules else public) if module not in sys.modules]


def module_problem(module: object) -> str | None:
    """A plugin module that is built for another API version, or whose hooks do not fit the contract."""
    if not isinstance(module, ModuleType):
        return f"entry point names {type(module).__name__}, must name a module"
    built_for = getattr(module, "ftfkit_api_version", None)
    if built_for is None:
        return f"states no ftfkit_api_version, must state the plugin API it is built for ({hookspecs.API_VERSION})"
    if type(built_for) is not int or built_for != hookspecs.API_VERSION:  # True == 1, which states no version
        return f"built for plugin API {built_for!r}, this ftfkit has API {hookspecs.API_VERSION}"
    return next((problem for name, value in _hook_like(module) if (problem := _hook_problem(name, value))), None)


def _hook_like(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Functions marked as hooks, under the hook they claim to be, and those that are only named like one."""
    for name, value in vars(module).items():
        options = getattr(value, f"{hookspecs.GROUP}_impl", None) if inspect.isroutine(value) else None
        if options is not None:
            yield options.get("specname") or name, value
        elif inspect.isroutine(value) and name.startswith(f"{hookspecs.GROUP}_"):
            yield name, value


def _hook_problem(name: str, function: Callable[..., Any]) -> str | None:
    if name not in HOOKS:
        near = difflib.get_close_matches(name, HOOKS, n=1)
        return f"unknown hook {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    options = getattr(function, f"{hookspecs.GROUP}_impl", None)
    if options is None:
        return f"hook {name!r} lacks @ftfkit.hookimpl"
    if options["wrapper"] or options["hookwrapper"]:
        return f"hook {name!r} is a wrapper, must not stand around other plugins' hooks"
    if inspect.iscoroutinefunction(function):
        return f"hook {name!r} is async, must be a plain function"
    return _signature_problem(name, function)


def _signature_problem(name: str, function: Callable[..., Any]) -> str | None:
    """pluggy passes by name, drops what has a default, and never fills keyword-only or variadic parameters."""
    known = tuple(inspect.signature(HOOKS[name]).parameters)
    for parameter in inspect.signature(function).parameters.values():
        plain = parameter.kind is parameter.POSITIONAL_OR_KEYWORD and parameter.default is parameter.empty
        if parameter.name not in known or not plain:
            takes = f"({', '.join(known)})" if known else "no argument"
            return f"hook {name!r} has the parameter {str(parameter)!r}, must take {takes}"
    return None


def offer_problem(hook: str, offer: object) -> str | None:
    """What a component hook returned, before anything in it is imported."""
    if not isinstance(offer, Mapping):
        return f"{hook} returned {type(offer).__name__}, must be a mapping of name to class"
    for name, target in offer.items():
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            return f"{hook} offers the name {name!r}, must be of letters, digits, '_', '.' and '-'"
        if not (isinstance(target, type) or (isinstance(target, str) and _LAZY.fullmatch(target))):
            return f"{hook} {name!r} is {target!r}, must be a class or 'module:Class'"
    return None


def folders_problem(hook: str, offer: object) -> str | None:
    """What ``ftfkit_conf_folders`` returned."""
    if not (isinstance(offer, (tuple, list)) and all(isinstance(folder, Path) for folder in offer)):
        return f"{hook} returned {offer!r}, must be a tuple of Path"
    return next((f"{hook} names {folder}, which is not a folder" for folder in offer if not folder.is_dir()), None)


def class_problem(target: object, base: type) -> str | None:
    """A target that cannot be a component of its kind."""
    if not (isinstance(target, type) and issubclass(target, base)):
        return f"is {target!r}, must be a subclass of {base.__name__}"
    missing = sorted(getattr(target, "__abstractmethods__", ()))
    if missing:
        return f"is {target.__name__}, which lacks {', '.join(missing)} of {base.__name__}"
    problem = _schema_problem(target)
    return f"is {target.__name__}, {problem}" if problem else None


def _schema_problem(component: Any) -> str | None:
    try:
        component.model_rebuild()  # does nothing where the schema is complete
    except Exception as error:
        return f"whose fields pydantic cannot read: {brief(error).partition(' For further information')[0]}"
    config = component.model_config
    if not config.get("frozen") or config.get("extra") != "forbid":
        return "must keep frozen=True and extra='forbid' in model_config"
    if any("name" in (name, field.alias, field.validation_alias) for name, field in component.model_fields.items()):
        return "which has the field 'name', must call it otherwise: 'name' selects the component"
    return None


def import_problem(error: BaseException) -> str:
    """Why an import failed; for a missing module also which package wants it, which need not be the plugin itself."""
    if not (isinstance(error, ModuleNotFoundError) and error.name):
        return f"cannot be imported: {brief(error)}"
    wanting = _innermost_module(error)
    by = f", wanted by {wanting}" if wanting else ""
    return f"cannot be imported: module {error.name!r} is not installed{by}"


def _innermost_module(error: BaseException) -> str | None:
    """Name of the module whose import statement failed."""
    found, trace = None, error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        if not name.startswith(("importlib", "ftfkit.plugin")):
            found = name
        trace = trace.tb_next
    return found


def brief(error: BaseException) -> str:
    """Type and text of an exception on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")

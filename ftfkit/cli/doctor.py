"""``doctor``: is everything importable, reachable and writable, here and in the workers; one line a check."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ftfkit.cli.arguments import ArgumentParser
from ftfkit.config.build import section
from ftfkit.config.compose import Composed, composer
from ftfkit.config.folders import conf_folders, conf_problems, load_yaml
from ftfkit.config.overrides import without_password
from ftfkit.config.participants import refuse_unknown_blocked
from ftfkit.config.sections import ExecutorConfig, OutputConfig, PluginsConfig, StoreConfig
from ftfkit.errors import FtfkitError, PluginError
from ftfkit.hookspecs import API_VERSION
from ftfkit.plugin_checks import brief
from ftfkit.plugins import Registry, registry

LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy", "xgboost", "optuna", "hydra-core", "pydantic")


@dataclass(frozen=True)
class Finding:
    """Outcome of one check; ``plugin`` findings make the command exit with the code of a broken plugin."""

    ok: bool
    text: str
    plugin: bool = False

    def __str__(self) -> str:
        return f"{'ok' if self.ok else 'FAIL':<5} {self.text}"


def main(arguments: list[str]) -> int:
    """Print one line a check; exit 3 when a plugin is broken, 1 when something else is."""
    parser = ArgumentParser(prog="python -m ftfkit doctor", description=__doc__)
    parser.add_argument(
        "overrides", nargs="*", help="what a run would be given (output.dir=..., store=..., executor=...)"
    )
    for line in registry().warnings:
        print(f"warning: {line}", file=sys.stderr)
    failed = []
    for finding in _findings(parser.parse_args(arguments).overrides):
        print(finding, flush=True)
        if not finding.ok:
            failed.append(finding)
    if any(finding.plugin for finding in failed):
        return PluginError.exit_code
    return 1 if failed else 0


def _findings(overrides: list[str]) -> Iterator[Finding]:
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs"
    yield Finding(True, f"python {platform.python_version()}, {system}")
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    yield Finding(True, f"ftfkit {version('ftfkit')}, plugin API {API_VERSION}; {libraries}")
    yield from _plugins(registry())
    conf = _conf_findings()
    yield from conf
    if any(finding.plugin for finding in conf):
        return  # nothing composes, which would be told by the same words once more
    try:
        composed = composer().compose(overrides)
        output = Path(section(composed, "output", OutputConfig).dir)
        blocked = section(composed, "plugins", PluginsConfig).blocked
        refuse_unknown_blocked(composed, blocked, registry(blocked))
    except FtfkitError as error:
        yield Finding(False, f"configuration: {error}", isinstance(error, PluginError))
        return
    yield _checked("output folder", lambda: _writable(output))
    yield _checked("store", lambda: _store(composed, output))
    yield from _workers(composed, registry(blocked))


def _plugins(found: Registry) -> Iterator[Finding]:
    """Every plugin with what it offers, every class loaded."""
    problems = found.problems()
    for plugin in found.plugins:
        entries = [entry for kind in found.registrations.values() for entry in kind.values()]
        n_offered = sum(entry.plugin == plugin.name for entry in entries)
        if not any(line.startswith(f"plugin {plugin.distribution} ") for line in problems):
            owner = f"{plugin.distribution} {plugin.version}"
            yield Finding(True, f"plugin {plugin.name} ({owner}): components imported: {n_offered}")
    yield from (Finding(False, line, plugin=True) for line in problems)
    if found.blocked:
        yield Finding(True, f"blocked by the environment: {', '.join(found.blocked)}")


def _checked(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(True, f"{what}: {check()}")
    except (FtfkitError, OSError) as error:
        text = str(error) if isinstance(error, FtfkitError) else brief(error)
        return Finding(False, f"{what}: {text}", isinstance(error, PluginError))


def _conf_findings() -> list[Finding]:
    problems = conf_problems()
    if problems:
        return [Finding(False, f"conf folders: {line}", plugin=True) for line in problems]
    return [_checked("conf folders", _conf)]


def _conf() -> str:
    """Read every option of every folder."""
    folders = conf_folders()
    files = [folder.path / group for folder in folders for group in folder.groups()]
    files = [file for group in files for file in group.rglob("*.yaml")]
    for file in files:
        load_yaml(file)
    return f"{len(files)} files in {len(folders)} folders are readable, no name twice"


def _writable(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return f"{folder} is writable"


def _store(composed: Composed, output: Path) -> str:
    from ftfkit.run.store import opened, store_url

    url = section(composed, "store", StoreConfig).url
    with opened(url, output, composed.where) as store:
        return f"{without_password(store_url(url, output))} holds {len(store.runs())} runs"


def _workers(composed: Composed, here: Registry) -> Iterator[Finding]:
    """Start one worker of the configured executor and compare what it can import with what this process can."""
    from ftfkit.run.executors import executor

    config = section(composed, "executor", ExecutorConfig)
    try:
        with executor(config, 1) as engine:
            version_there, there, problems = engine.submit(_resolve, here.blocked).result()
    except Exception as error:  # whatever keeps a worker from starting or answering
        yield Finding(False, f"worker ({config.name}): {brief(error)}")
        return
    lost = [f"{plugin} is missing" for plugin in sorted(set(_described(here)) - set(there))]
    lost += [line for line in problems if line not in here.problems()]
    if version_there != sys.version:
        lost.append(f"python {version_there.split()[0]}, here {platform.python_version()}")
    if lost:
        yield from (Finding(False, f"worker ({config.name}): {line}", plugin=True) for line in lost)
    else:
        yield Finding(True, f"worker ({config.name}) imports what this process does: {', '.join(there)}")


def _resolve(blocked: tuple[str, ...]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """In the worker: Python version, plugins with their versions, and everything that cannot be loaded."""
    found = registry(blocked)
    return sys.version, _described(found), found.problems()


def _described(found: Registry) -> tuple[str, ...]:
    return tuple(f"{plugin.distribution} {plugin.version}" for plugin in found.plugins)

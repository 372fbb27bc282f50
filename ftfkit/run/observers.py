"""Who is told of a run under way: the user, and observers of plugins, with copies; none of them alters the run."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ftfkit.plugins import Plugin, Registry
from ftfkit.run.files import file_sha256
from ftfkit.run.progress import Progress
from ftfkit.run.records import MANIFEST, file_hashes
from ftfkit.types import Row, Verdict

HOOKS = ("ftfkit_run_started", "ftfkit_cell_finished", "ftfkit_run_finished", "ftfkit_run_failed")
WARNINGS_SHOWN = 5
Judged = Callable[[Verdict], None]
_log = logging.getLogger("ftfkit")


def observing_plugins(plugins: Registry) -> tuple[Plugin, ...]:
    """Plugins that observe runs."""
    names = {
        implementation.plugin_name
        for hook in HOOKS
        for implementation in getattr(plugins.manager.hook, hook).get_hookimpls()
    }
    return tuple(plugin for plugin in plugins.plugins if plugin.name in names)


def tell(judged: Judged, verdict: Verdict) -> None:
    """Tell a verdict; that nobody reads what is printed is no fault of the run."""
    try:
        judged(verdict)
    except BrokenPipeError:
        _log.warning("the verdict was told to a closed pipe")


class Warnings:
    """Warnings of one run, called with a line each: all are logged, and the user sees the first ones."""

    def __init__(self, progress: Progress, log: Path) -> None:
        self._progress, self._log = progress, log
        self._n = 0

    def __call__(self, text: str) -> None:
        _log.warning("%s", text)
        self._n += 1
        if self._n <= WARNINGS_SHOWN:
            self._progress.line(f"warning: {text}")
        elif self._n == WARNINGS_SHOWN + 1:
            self._progress.line(f"warning: more warnings are in {self._log}")


class Observers:
    """All observers of one run.

    Parameters
    ----------
    plugins : Registry
    warn : callable
        Takes one line for each observer call that failed.
    """

    def __init__(self, plugins: Registry, warn: Callable[[str], None]) -> None:
        self._manager, self._warn = plugins.manager, warn
        self._plugins = observing_plugins(plugins)

    def run_started(self, run_id: str, plan: Mapping[str, Any]) -> None:
        self._call("ftfkit_run_started", run_id=run_id, plan=plan)

    def cell_finished(self, run_id: str, variant: str, row: Row) -> None:
        if self._plugins:
            self._call("ftfkit_cell_finished", run_id=run_id, row={"variant": variant, **vars(row)})

    def run_finished(self, run_id: str, verdict: Verdict, folder: Path) -> None:
        """Tell each plugin of the end, and the user of each file of the run that is not what it was before the call."""
        for plugin in self._plugins:
            before = _all_hashes(folder)
            self._tell(plugin, "ftfkit_run_finished", run_id=run_id, verdict=verdict, folder=folder)
            after = _all_hashes(folder)
            changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
            if changed:
                self._warn(
                    f"{plugin.place}: observer ftfkit_run_finished changed {', '.join(changed)} in {folder}, "
                    "must leave the files of a run alone; verify tells what no longer agrees"
                )

    def run_failed(self, run_id: str, error: BaseException) -> None:
        self._call("ftfkit_run_failed", run_id=run_id, error=error)

    def _call(self, hook: str, **arguments: Any) -> None:
        for plugin in self._plugins:
            self._tell(plugin, hook, **arguments)

    def _tell(self, plugin: Plugin, hook: str, **arguments: Any) -> None:
        others = [module for name, module in self._manager.list_name_plugin() if name != plugin.name]
        caller = self._manager.subset_hook_caller(hook, others)
        copies = {name: _copied(value) for name, value in arguments.items()}
        try:
            caller(**copies)
        except (Exception, SystemExit) as error:  # Ctrl-C alone ends the run
            text = ": ".join(filter(None, (type(error).__name__, " ".join(str(error).split()))))
            self._warn(f"{plugin.place}: observer {hook} failed: {text}")


def _all_hashes(folder: Path) -> dict[str, str]:
    """Of every file of a run but its log, which warnings go into."""
    manifest = folder / MANIFEST
    own = {MANIFEST: file_sha256(manifest)} if manifest.is_file() else {}
    return file_hashes(folder) | own


def _copied(value: Any) -> Any:
    """A copy of what could be changed, pickled because deepcopy takes five times as long; an exception as it is."""
    return value if isinstance(value, BaseException) else pickle.loads(pickle.dumps(value))

"""Observers as plugins give them, registered with a real plugin manager."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ftfkit.hookspecs import hookimpl
from ftfkit.plugins import Plugin, Registry, registry
from ftfkit.run.observers import Observers, observing_plugins
from ftfkit.types import Row, Verdict

ROW = Row("r", "f", "AAVEUSDC", 0, "ok", params={"eta": 0.1})


class Meddling:
    """Changes everything it is given, and then fails."""

    @hookimpl
    def ftfkit_run_started(self, run_id: str, plan: dict[str, Any]) -> None:
        plan["cells"].clear()
        raise RuntimeError("observer\nbroke")

    @hookimpl
    def ftfkit_cell_finished(self, run_id: str, row: dict[str, Any]) -> None:
        row["params"].clear()


class Leaving:
    """Ends the program."""

    def __init__(self, end: BaseException) -> None:
        self.end = end

    @hookimpl
    def ftfkit_run_started(self, run_id: str, plan: Mapping[str, Any]) -> None:
        raise self.end


class Watching:
    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []

    @hookimpl
    def ftfkit_run_started(self, run_id: str, plan: Mapping[str, Any]) -> None:
        self.seen.append((run_id, plan))

    @hookimpl
    def ftfkit_cell_finished(self, run_id: str, row: Mapping[str, Any]) -> None:
        self.seen.append((row["variant"], row["params"]))

    @hookimpl
    def ftfkit_run_finished(self, run_id: str, verdict: Verdict, folder: Path) -> None:
        self.seen.append((verdict.baseline, folder))

    @hookimpl
    def ftfkit_run_failed(self, run_id: str, error: BaseException) -> None:
        self.seen.append((run_id, error))


class Rewriting:
    """Changes one file of the run, adds another and removes a third."""

    @hookimpl
    def ftfkit_run_finished(self, run_id: str, verdict: Verdict, folder: Path) -> None:
        (folder / "manifest.json").write_text("{}")
        (folder / "figures" / "lift.png").unlink()
        (folder / "mine.txt").touch()


@pytest.fixture
def case() -> Iterator[SimpleNamespace]:
    """The installed plugins, and the two above."""
    installed, watching, lines = registry(), Watching(), list[str]()
    extra = {"meddling": Meddling(), "watching": watching}
    for name, plugin in extra.items():
        installed.manager.register(plugin, name=name)
    added = tuple(Plugin(name, f"acme-{name}", "1.2", "acme") for name in extra)
    plugins = Registry(installed.plugins + added, installed.registrations, (), installed.manager)
    observers = Observers(plugins, lines.append)
    yield SimpleNamespace(plugins=plugins, observers=observers, seen=watching.seen, lines=lines)
    for name in extra:
        installed.manager.unregister(name=name)


def test_a_failing_observer_is_named_in_one_line_and_the_others_are_still_told(case: SimpleNamespace) -> None:
    case.observers.run_started("ftf_1", {"cells": [1, 2]})
    assert case.lines == ["plugin acme-meddling 1.2: observer ftfkit_run_started failed: RuntimeError: observer broke"]
    assert case.seen == [("ftf_1", {"cells": [1, 2]})]


@pytest.mark.parametrize(("end", "text"), [(SystemExit(), "SystemExit"), (SystemExit(3), "SystemExit: 3")])
def test_an_observer_cannot_end_the_run(case: SimpleNamespace, end: SystemExit, text: str) -> None:
    case.plugins.manager.unregister(name="meddling")
    case.plugins.manager.register(Leaving(end), name="meddling")
    case.observers.run_started("ftf_1", {})
    assert case.lines == [f"plugin acme-meddling 1.2: observer ftfkit_run_started failed: {text}"]
    assert case.seen == [("ftf_1", {})]


def test_ctrl_c_within_an_observer_ends_the_run(case: SimpleNamespace) -> None:
    case.plugins.manager.unregister(name="meddling")
    case.plugins.manager.register(Leaving(KeyboardInterrupt()), name="meddling")
    with pytest.raises(KeyboardInterrupt):
        case.observers.run_started("ftf_1", {})


def test_observers_change_copies_only(case: SimpleNamespace) -> None:
    plan = {"cells": [1, 2]}
    case.observers.run_started("ftf_1", plan)
    case.observers.cell_finished("ftf_1", "none", ROW)
    assert plan == {"cells": [1, 2]}
    assert ROW.params == {"eta": 0.1}
    assert case.seen[1] == ("none", {"eta": 0.1})


def test_the_end_of_a_run_is_told(case: SimpleNamespace) -> None:
    error = KeyboardInterrupt()
    case.observers.run_finished("ftf_1", Verdict("ftf_1", "none", "six", {}), Path("out"))
    case.observers.run_failed("ftf_1", error)
    assert case.seen == [("none", Path("out")), ("ftf_1", error)]


def test_observing_plugins_are_known(case: SimpleNamespace) -> None:
    assert {plugin.name for plugin in observing_plugins(case.plugins)} >= {"meddling", "watching"}
    assert "ftfkit" not in {plugin.name for plugin in observing_plugins(case.plugins)}


def test_an_observer_that_changes_files_of_the_run_is_named_with_them(case: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    for name in ("figures/lift.png", "rows.parquet", "manifest.json", "run.log"):
        (tmp_path / name).write_text("as the run wrote it")
    case.plugins.manager.unregister(name="meddling")
    case.plugins.manager.register(Rewriting(), name="meddling")
    case.observers.run_finished("ftf_1", Verdict("ftf_1", "none", "six", {}), tmp_path)
    assert case.lines == [
        "plugin acme-meddling 1.2: observer ftfkit_run_finished changed figures/lift.png, manifest.json, mine.txt in "
        f"{tmp_path}, must leave the files of a run alone; verify tells what no longer agrees"
    ]
    assert case.seen == [("none", tmp_path)]

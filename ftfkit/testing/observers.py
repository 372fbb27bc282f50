"""Conformance of observers: they take every call of a run, in order, and change nothing."""

from __future__ import annotations

import copy
import importlib
from pathlib import Path
from typing import Any, ClassVar

import pluggy

from ftfkit import hookspecs
from ftfkit.plugin_checks import module_problem
from ftfkit.run.files import write_json
from ftfkit.run.records import PLAN, file_hashes, write_rows
from ftfkit.testing.evidence import BASELINE, PROMISING, comparisons_of, rows_of
from ftfkit.types import GateResult, VariantVerdict, Verdict

RUN_ID = "ftf_20240101_000000_abcdef_ATR0.5_1.5_H4"


class ObserverConformance:
    """An observing plugin gets through a finished run and a failed one.

    Attributes
    ----------
    plugin : str
        Name of the module that the entry point names.
    """

    plugin: ClassVar[str]

    def test_hooks_fit_the_contract(self) -> None:
        assert module_problem(importlib.import_module(self.plugin)) is None

    def test_takes_a_run_that_finishes(self, tmp_path: Path) -> None:
        calls = [("ftfkit_run_started", {"plan": _plan()}), *_cells()]
        calls.append(("ftfkit_run_finished", {"verdict": sample_verdict(), "folder": _run_folder(tmp_path)}))
        self._observe(calls)

    def test_takes_a_run_that_fails(self) -> None:
        self._observe(
            [("ftfkit_run_started", {"plan": _plan()}), ("ftfkit_run_failed", {"error": KeyboardInterrupt()})]
        )

    def test_takes_a_run_that_only_holds_the_baseline(self, tmp_path: Path) -> None:
        verdict = Verdict(RUN_ID, BASELINE, "f1_buy_boost", {})
        finished = ("ftfkit_run_finished", {"verdict": verdict, "folder": _run_folder(tmp_path)})
        self._observe([("ftfkit_run_started", {"plan": _plan()}), *_cells(), finished])

    def test_takes_a_failure_before_anything_was_started(self) -> None:
        self._observe([("ftfkit_run_failed", {"error": RuntimeError("no bars")})])

    def _observe(self, calls: list[tuple[str, dict[str, Any]]]) -> None:
        manager = pluggy.PluginManager(hookspecs.GROUP)
        manager.add_hookspecs(hookspecs)
        manager.register(importlib.import_module(self.plugin))
        for hook, arguments in calls:
            before = copy.deepcopy({name: value for name, value in arguments.items() if name in {"plan", "row"}})
            files = file_hashes(arguments["folder"]) if "folder" in arguments else {}
            assert getattr(manager.hook, hook)(run_id=RUN_ID, **arguments) == [], f"{hook} must return nothing"
            assert before == {name: arguments[name] for name in before}, f"{hook} changed what it was given"
            if "folder" in arguments:
                assert file_hashes(arguments["folder"]) == files, f"{hook} must leave the files of a run alone"


def sample_verdict() -> Verdict:
    """A verdict on one variant with one failed gate."""
    gates = {"f1_lift": GateResult("FAIL", 0.002, 0.015, "f1_buy", "mean delta +0.0020 (required +0.015)")}
    comparison = comparisons_of(PROMISING)["idea"]
    variant = VariantVerdict("idea", "ABANDON", ("f1_lift FAIL",), comparison, gates)
    return Verdict(RUN_ID, BASELINE, "f1_buy_boost", {"idea": variant})


def _run_folder(above: Path) -> Path:
    """A run folder with the files that every run has."""
    folder = above / "runs" / RUN_ID
    folder.mkdir(parents=True)
    write_json(folder, PLAN, _plan())
    write_rows(folder, [])
    return folder


def _plan() -> dict[str, Any]:
    return {
        "schema": 1,
        "run_id": RUN_ID,
        "plan_hash": "abcdef" * 10,
        "created_utc": "2024-01-01T00:00:00+00:00",
        "command": "python -m ftfkit loss=idea",
        "overrides": ["loss=idea"],
        "synthetic": True,
        "baseline": BASELINE,
        "label": "ATR0.5_1.5_H4",
        "folds": [0, 1, 2, 3, 4],
        "seed": 0,
        "track": None,
        "universe": {"name": "demo", "quote": "USDT", "assets": ["AAVEUSDT"]},
        "variants": {BASELINE: {"options": {}, "config": {}}, "idea": {"options": {"loss": "idea"}, "config": {}}},
        "gates": {"name": "f1_buy_boost", "required_lift": 0.015, "checks": {"f1_lift": {}}},
        "versions": {"ftfkit": "0.1.0"},
        "plugins": [{"name": "ftfkit", "distribution": "ftfkit", "version": "0.1.0"}],
    }


def _cells() -> list[tuple[str, dict[str, Any]]]:
    rows = rows_of(PROMISING).iloc[:3].to_dict("records")
    failed = {
        "variant": "idea",
        "asset": "AAVEUSDT",
        "fold": 4,
        "status": "error",
        "f1_buy": None,
        "error": "Traceback",
    }
    return [("ftfkit_cell_finished", {"row": row}) for row in (*rows, failed)]

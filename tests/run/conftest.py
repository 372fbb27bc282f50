"""Fixtures of the tests that start processes, and one tiny sweep that every executor must give the same rows for."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ftfkit.config.experiment import compose
from ftfkit.run.progress import Progress
from ftfkit.run.result import RunResult
from ftfkit.run.sweep import run_sweep

TINY = ("universe=demo", "hpo=fixed", "data.days=150", "cv.n_folds=2", "stats.n_resamples=100")


def _running(session: int) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, own = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(own) == session and state != "Z":
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except (OSError, ValueError):
            continue
    return found


@pytest.fixture
def running() -> Callable[[int], list[str]]:
    """Command lines of the processes of a session (the pid of its leader) that still run; skips without ``/proc``."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc")
    return _running


@pytest.fixture
def survivors(running: Callable[[int], list[str]]) -> Callable[[int], list[str]]:
    """Those that still run after 20 seconds of grace."""

    def after_grace(session: int) -> list[str]:
        deadline = time.monotonic() + 20
        while running(session) and time.monotonic() < deadline:
            time.sleep(0.1)
        return running(session)

    return after_grace


def _run_tiny(output: Path, *overrides: str, progress: Progress | None = None) -> RunResult:
    """Three variants on two assets and two folds; one of them needs the baseline's rows."""
    factor = ("balancing=balanced,none", "decision=tuned,matched_rate")
    experiment = compose([*TINY, *factor, f"output.dir={output}", *overrides])
    return run_sweep(experiment, now=datetime(2025, 3, 1, tzinfo=UTC), progress=progress)


@pytest.fixture(scope="session")
def run_tiny() -> Callable[..., RunResult]:
    return _run_tiny


@pytest.fixture(scope="session")
def tiny_rows(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """rows.parquet of the tiny sweep on two loky workers."""
    result = _run_tiny(tmp_path_factory.mktemp("loky"), "executor=loky", "executor.workers=2")
    assert len(result.rows) == 16
    assert result.n_failed == 0
    return (result.folder / "rows.parquet").read_bytes()

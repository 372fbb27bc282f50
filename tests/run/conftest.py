"""Fixtures of the tests that start processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest


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

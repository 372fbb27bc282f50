"""What every benchmark shares: the machine, time of a command, arms in alternating order, the artefact."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
DISTRIBUTIONS = ("ftfkit", "xgboost", "optuna", "scikit-learn", "numpy", "pandas", "scipy", "loky")


@dataclass(frozen=True)
class Usage:
    """What one command took, its child processes included."""

    wall_s: float
    cpu_s: float
    load: float  # load average of the last minute when it started

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.wall_s + other.wall_s, self.cpu_s + other.cpu_s, max(self.load, other.load))


def machine() -> dict[str, Any]:
    """Cores, processor, memory, load and versions."""
    return {
        "cores": os.cpu_count(),
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor(),
        "memory": _first("/proc/meminfo", "MemTotal"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_average": [round(value, 2) for value in os.getloadavg()],
        "versions": {name: version(name) for name in DISTRIBUTIONS},
    }


def _first(path: str, key: str) -> str | None:
    """The first value of ``key`` in a file of ``key: value`` lines; None where there is no such file."""
    if not Path(path).exists():
        return None
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), None)


def command_usage(command: Sequence[str], *, env: Mapping[str, str] | None = None, log: Path | None = None) -> Usage:
    """Run a command to its end.

    Raises
    ------
    subprocess.CalledProcessError
        When it fails; its output is in the error.
    """
    load, start = os.getloadavg()[0], time.perf_counter()
    before = os.times()
    done = subprocess.run(
        command, env={**os.environ, **(env or {})}, capture_output=True, text=True, cwd=REPOSITORY, check=False
    )
    wall, after = time.perf_counter() - start, os.times()
    if log is not None:
        log.write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode != 0:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Usage(wall, cpu, load)


def cpu_seconds(call: Callable[[], object]) -> float:
    """CPU seconds of this process for one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def wall_seconds(call: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def alternating(
    first: Callable[[], float], second: Callable[[], float], repeats: int
) -> tuple[list[float], list[float]]:
    """Figures of two arms, run in turns, the order swapped each time."""
    ours: list[float] = []
    theirs: list[float] = []
    for repeat in range(repeats):
        order = ((first, ours), (second, theirs))
        for arm, found in order if repeat % 2 == 0 else reversed(order):
            found.append(arm())
    return ours, theirs


def save(folder: Path, name: str, figures: Mapping[str, Any]) -> Path:
    """Write a benchmark's figures beside the machine they are of."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    document = {"benchmark": name, "machine": machine(), **figures}
    path.write_text(json.dumps(document, indent=1, default=_plain) + "\n", encoding="utf-8")
    return path


def _plain(value: Any) -> Any:
    return asdict(value) if isinstance(value, Usage) else value.item()

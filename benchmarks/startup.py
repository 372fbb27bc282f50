"""How long the command line takes where nothing is trained: plugins, --help, and a finished sweep asked for again."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import REPOSITORY, Usage, command_usage, save
from real_cells import market_overrides, shared_data

FTFKIT = (sys.executable, "-m", "ftfkit")
VERDICT_BOUND_S = 3.0
ASSETS = ("AAVE", "ARB", "LDO", "OP", "UNI")


def fastest(command: list[str], repeats: int) -> Usage:
    """Least wall and least CPU seconds of several runs."""
    found = [command_usage(command) for _ in range(repeats)]
    return Usage(min(one.wall_s for one in found), min(one.cpu_s for one in found), max(one.load for one in found))


def verdict_seconds(command: list[str]) -> float:
    """Wall seconds until a command prints its first line, which is the verdict's; the dossier is drawn after it."""
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdout is not None
        running.stdout.readline()
        took = time.perf_counter() - start
        running.stdout.read()
    return took


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=shared_data() / "spot_1h_2024")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "outputs" / "benchmarks")
    arguments = parser.parse_args()
    commands: dict[str, tuple[list[str], float | None]] = {"plugins": (["plugins"], 0.3), "help": (["--help"], 1.2)}
    with tempfile.TemporaryDirectory() as folder:
        market = market_overrides(arguments.data, ASSETS)
        sweep = [*market, "loss=glob(focal/*)", "hpo=fixed", f"output.dir={folder}", "-m"]
        command_usage([*FTFKIT, *sweep])
        commands["reused_sweep"] = (sweep, None)
        to_verdict = min(verdict_seconds([*FTFKIT, *sweep]) for _ in range(arguments.repeats))
        found = {name: fastest([*FTFKIT, *words], arguments.repeats) for name, (words, _) in commands.items()}
    for name, usage in found.items():
        bound = f"bound {commands[name][1]} s, " if commands[name][1] else ""
        print(f"{name:13} wall {usage.wall_s:.2f} s, cpu {usage.cpu_s:.2f} s ({bound}load {usage.load:.1f})")
    print(f"{'':13} wall {to_verdict:.2f} s to its verdict (bound {VERDICT_BOUND_S} s)")
    figures = {name: {"usage": usage} for name, usage in found.items()}
    print(save(arguments.out, "startup", {**figures, "reused_sweep_to_verdict_s": to_verdict}))


if __name__ == "__main__":
    main()

"""What a cell costs beyond its own work on each executor, and what a plan of 10,000 cells costs.

Cells are real and tiny: 40 days of synthetic bars, trees of depth 2, one to five rounds. Every figure is of a process
of its own, so that memory and start-up are not another measurement's. Overhead is what two workers' time between the
first tenth of the cells and the last one leaves beside the cells' own seconds, waiting for each other included.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from measuring import REPOSITORY, save

from ftfkit.config.compose import composer
from ftfkit.config.experiment import compose
from ftfkit.config.schema import Experiment
from ftfkit.run.plan import make_plan
from ftfkit.run.sweep import run_sweep

N_VARIANTS = N_FOLDS = 5
N_WORKERS = 2
TINY_DAYS, PLAN_DAYS = 40, 365
PLAN_CELLS, PLAN_SECONDS, PLAN_MIB = 10_000, 10, 500


class Clock:
    """Progress that notes when each cell was finished, and the driver's CPU seconds by then."""

    def __init__(self) -> None:
        self.started = 0.0
        self.finished: list[tuple[float, float]] = []

    def start(self, n_cells: int, n_reused: int) -> None:
        self.started = time.perf_counter()

    def advance(self, outcome: str) -> None:
        self.finished.append((time.perf_counter(), time.process_time()))

    def line(self, text: str) -> None:
        print(text, file=sys.stderr)

    def stop(self) -> None:
        """Nothing is shown, so nothing is taken down."""


def experiment(n_cells: int, days: int, folder: Path, *overrides: str) -> Experiment:
    """``n_cells`` tiny cells: five variants on five folds of as many made-up assets as that takes."""
    names = [f"tiny_{rounds}" for rounds in range(1, N_VARIANTS + 1)]
    models = folder / "conf" / "model"
    models.mkdir(parents=True)
    for rounds, name in enumerate(names, start=1):
        text = f"name: xgboost\nmax_rounds: {rounds}\nparams: {{max_depth: 2}}\nspace: {{}}\n"
        (models / f"{name}.yaml").write_text(text, encoding="utf-8")
    assets = ",".join(f"A{number:04d}" for number in range(n_cells // (N_VARIANTS * N_FOLDS)))
    market = (f"universe.assets=[{assets}]", f"data.days={days}", "hpo=fixed", "stats.n_resamples=100")
    factor = (f"baseline.model={names[0]}", f"model={','.join(names)}", f"output.dir={folder / 'outputs'}")
    return compose([*market, *factor, *overrides], composer([folder / "conf"]))


def plan_once(folder: Path) -> dict[str, Any]:
    """Make a plan of 10,000 cells on a year of bars an asset."""
    asked = experiment(PLAN_CELLS, PLAN_DAYS, folder)
    wall, cpu = time.perf_counter(), time.process_time()
    plan = make_plan(asked, datetime.now(UTC))
    took = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    return {"cells": len(plan.cells), **took, "peak_mib": _peak_mib()}


def sweep_once(name: str, n_cells: int, folder: Path) -> dict[str, Any]:
    """Run so many cells on one executor with two workers."""
    clock, warm = Clock(), n_cells // 10
    workers = (f"executor={name}", f"executor.workers={N_WORKERS}")
    result = run_sweep(experiment(n_cells, TINY_DAYS, folder, *workers), progress=clock)
    if result.n_failed:
        raise RuntimeError(f"{result.n_failed} cells failed: {result.folder}")
    timings = pd.read_parquet(result.folder / "timings.parquet")  # in the order in which cells were finished
    cell_s = float(timings.groupby("row_key", sort=False)["seconds"].sum()[warm:].mean())
    wall_s, driver_s = (
        (end - start) / (n_cells - warm)
        for start, end in zip(clock.finished[warm - 1], clock.finished[-1], strict=True)
    )
    return {
        "executor": name,
        "cells": n_cells,
        "first_row_s": clock.finished[0][0] - clock.started,
        "cell_ms": 1e3 * cell_s,
        "overhead_ms": 1e3 * (wall_s * N_WORKERS - cell_s),
        "driver_cpu_ms": 1e3 * driver_s,
        "cells_a_second": 1 / wall_s,
        "driver_peak_mib": _peak_mib(),
    }


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def alone(*arguments: str) -> dict[str, Any]:
    """One measurement in a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def show(rows: list[dict[str, Any]]) -> None:
    """Print the curve as a Markdown table."""
    columns: dict[str, Callable[[Any], str]] = {
        "executor": str,
        "cells": "{:,}".format,
        "first_row_s": "{:.1f}".format,
        "cell_ms": "{:.1f}".format,
        "overhead_ms": "{:.1f}".format,
        "driver_cpu_ms": "{:.1f}".format,
        "cells_a_second": "{:.1f}".format,
        "driver_peak_mib": "{:.0f}".format,
    }
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(text(row[name]) for name, text in columns.items()) + " |", flush=True)


def main() -> None:
    """Measure, print and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executors", nargs="+", default=["loky", "dask", "ray"])
    parser.add_argument("--cells", nargs="+", type=int, default=[100, 1000], help="multiples of 25")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "outputs" / "benchmarks")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        with tempfile.TemporaryDirectory() as folder:
            what, *given = arguments.one
            found = plan_once(Path(folder)) if what == "plan" else sweep_once(what, int(given[0]), Path(folder))
        print(json.dumps(found))
        return
    plan = alone("--one", "plan")
    holds = plan["wall_s"] < PLAN_SECONDS and plan["peak_mib"] < PLAN_MIB
    print(f"plan of {plan['cells']:,} cells: {plan['wall_s']:.1f} s ({plan['cpu_s']:.1f} s of CPU), ", end="")
    print(f"{plan['peak_mib']:.0f} MiB; bounds {PLAN_SECONDS} s, {PLAN_MIB} MiB: {'hold' if holds else 'FAIL'}")
    curve = [alone("--one", name, str(n)) for name in arguments.executors for n in arguments.cells]
    show(curve)
    stamp = time.strftime("%Y%m%d_%H%M%S", time.gmtime())
    print(save(arguments.out, f"executors_{stamp}", {"plan": plan, "curve": curve}))


if __name__ == "__main__":
    main()

"""Peak memory of a worker on a large cell, and of the driver on few and on many cells."""

from __future__ import annotations

import argparse
import pickle
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import REPOSITORY, save
from real_cells import planned, tasks

from ftfkit import api
from ftfkit.run.asset import asset_data
from ftfkit.run.cell import run_cell

# 50,000 hourly bars; the feature set is the smallest shipped one with 60 features or more.
LARGE = (
    "data.days=2084",
    "label=ATR0.5_1.5_H1",
    "universe.assets=[AAVE]",
    "features=market_context/leaders",
    "hpo.n_trials=2",
)
TINY = ("universe.assets=[AAVE]", "hpo=fixed", "model.max_rounds=25", "executor.workers=1")
WORKER_BOUND_MIB = 600


def worker(path: str) -> None:
    """As a worker does it: a pickled task, one cell. Prints peak MiB, events and features."""
    task = pickle.loads(Path(path).read_bytes())
    row = run_cell(task).row
    if row.status != "ok":
        raise RuntimeError(row.error)
    peak = _peak_mib()
    print(peak, *asset_data(task.spec, task.asset, task.period, task.fingerprint).X.shape)


def driver(*overrides: str) -> None:
    """One sweep from this process. Prints peak MiB and rows."""
    result = api.run(*overrides)
    print(_peak_mib(), len(result.rows))


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _figures(role: str, *arguments: str) -> list[int]:
    """What one role prints, in a process of its own."""
    command = [sys.executable, __file__, role, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [int(word) for word in done.stdout.splitlines()[-1].split()]


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "outputs" / "benchmarks")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        task = Path(folder) / "task"
        task.write_bytes(pickle.dumps(tasks(planned(LARGE))[-1]))
        peak, n_events, n_features = _figures("worker", str(task))
        drivers = {}
        for n_folds in (5, 50):
            mib, n_rows = _figures("driver", *TINY, f"cv.n_folds={n_folds}", f"output.dir={folder}/{n_folds}")
            drivers[n_rows] = mib
    print(f"worker: {peak} MiB at its peak for {n_events:,} events x {n_features} features (bound {WORKER_BOUND_MIB})")
    print("driver: " + ", ".join(f"{mib} MiB for {n_rows} cells" for n_rows, mib in drivers.items()))
    figures = {"worker_mib": peak, "bound_mib": WORKER_BOUND_MIB, "driver_mib_by_cells": drivers}
    print(save(arguments.out, "memory", {**figures, "events": n_events, "features": n_features}))


if __name__ == "__main__":
    roles = {"worker": worker, "driver": driver}
    if len(sys.argv) > 1 and sys.argv[1] in roles:
        roles[sys.argv[1]](*sys.argv[2:])
    else:
        main()

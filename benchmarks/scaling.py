"""Two workers beside two one-worker sweeps, and how long a worker idles at the end of a sweep."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from measuring import REPOSITORY, alternating, save
from real_cells import market_overrides, shared_data

from ftfkit.api import compose
from ftfkit.run.sweep import run_sweep

ASSETS = ("AAVE", "UNI")
N_FOLDS = 5


class FinishTimes:
    """Progress that notes when each cell was finished."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.started = 0.0

    def start(self, n_cells: int, n_reused: int) -> None:
        self.started = time.perf_counter()

    def advance(self, outcome: str) -> None:
        self.at.append(time.perf_counter() - self.started)

    def line(self, text: str) -> None:
        print(text, file=sys.stderr)

    def stop(self) -> None:
        """Nothing is shown, so nothing is taken down."""


class Scaling:
    """The same cells in one sweep or in two."""

    def __init__(self, data: Path, n_trials: int, folder: Path) -> None:
        self._data, self._n_trials, self._folder = data, n_trials, folder

    def one_sweep(self) -> float:
        """Cells a second of one sweep with two workers."""
        return self._throughput([self._overrides(ASSETS, workers=2)])

    def two_sweeps(self) -> float:
        """Cells a second of two one-worker sweeps side by side."""
        return self._throughput([self._overrides((asset,), workers=1) for asset in ASSETS])

    def idle_tail(self) -> float:
        """Share of the cells' time in which only one of two workers was busy at the end."""
        finished = FinishTimes()
        result = run_sweep(compose(*self._overrides(ASSETS, workers=2)), progress=finished)
        timings = pd.read_parquet(result.folder / "timings.parquet")
        longest_last = timings.groupby("row_key")["seconds"].sum().max()
        last, before = finished.at[-1], finished.at[-2]
        return min(last - before, longest_last) / last

    def _overrides(self, assets: Sequence[str], workers: int) -> list[str]:
        output = tempfile.mkdtemp(dir=self._folder)
        chosen = [f"hpo.n_trials={self._n_trials}", f"executor.workers={workers}", f"output.dir={output}"]
        return [*market_overrides(self._data, assets), *chosen]

    def _throughput(self, sweeps: Sequence[Sequence[str]]) -> float:
        start = time.perf_counter()
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "ftfkit", *sweep], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            for sweep in sweeps
        ]
        codes = [process.wait() for process in running]
        if any(codes):
            raise RuntimeError(f"exit codes of the sweeps: {codes}")
        return len(ASSETS) * N_FOLDS / (time.perf_counter() - start)


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=shared_data() / "spot_1h_2024")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "outputs" / "benchmarks")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scaling = Scaling(arguments.data, arguments.trials, Path(folder))
        one, two = alternating(scaling.one_sweep, scaling.two_sweeps, arguments.repeats)
        tail = scaling.idle_tail()
    figures = {
        "cells_per_s_one_sweep": one,
        "cells_per_s_two_sweeps": two,
        "ratio": max(one) / max(two),
        "ratio_bound": 0.95,
        "idle_tail": tail,
        "idle_tail_bound": 0.05,
    }
    print(f"two workers: {max(one):.2f} cells/s; two one-worker sweeps: {max(two):.2f}; ratio {figures['ratio']:.3f}")
    print(f"idle tail: {tail:.1%} of the time between first and last cell")
    print(save(arguments.out, "scaling", figures))


if __name__ == "__main__":
    main()

"""How much of a sweep's CPU is spent outside XGBoost's training and prediction.

The sweep is run as its own command, driver, workers and start-up counted; then the same cells are run in this process
with clocks around every call into XGBoost (matrices, rounds, predictions), the objective, and the score of each stage,
which count as training. Both do the same work, since cells are deterministic; what the clocks themselves take is
measured and taken off.
"""

from __future__ import annotations

import argparse
import functools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import xgboost
from ftfkit_track06_focal_loss.focal import FocalLoss
from measuring import REPOSITORY, Usage, command_usage, cpu_seconds, save
from real_cells import market_overrides, planned, shared_data, tasks

from ftfkit.builtin.models.xgboost_rounds import Rounds
from ftfkit.run import tuning
from ftfkit.run.cell import run_cell

FULL_CELLS = 125  # 5 variants x 5 assets x 5 folds


class Clocks:
    """CPU seconds by part; a clocked call inside another counts for the outer one alone."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.n_calls = 0
        self._running = False

    def on(self, owner: Any, name: str, part: str) -> None:
        """Clock every call of ``owner.name``."""
        setattr(owner, name, self.clocked(getattr(owner, name), part))

    def clocked(self, call: Callable[..., Any], part: str) -> Callable[..., Any]:
        """``call`` with a clock around it."""

        @functools.wraps(call)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if self._running:
                return call(*args, **kwargs)
            self.n_calls += 1
            self._running, start = True, time.process_time()
            try:
                return call(*args, **kwargs)
            finally:
                self.seconds[part] += time.process_time() - start
                self._running = False

        return timed


def clocks() -> Clocks:
    """Clocks on XGBoost, on the focal objective, and on the sampler and the score beside them."""
    clocks = Clocks()
    for name in ("update", "margin", "boost"):
        clocks.on(Rounds, name, "rounds")
    clocks.on(xgboost.QuantileDMatrix, "__init__", "matrices")
    clocks.on(xgboost.QuantileDMatrix, "set_info", "matrices")
    clocks.on(xgboost.Booster, "__init__", "rounds")
    clocks.on(xgboost.Booster, "predict", "predictions")
    bind = FocalLoss.objective

    def objective(self: FocalLoss, *args: Any) -> Any:
        bound = bind(self, *args)
        timed = clocks.clocked(bound, "objective")
        timed.intercept = bound.intercept  # type: ignore[attr-defined]
        return timed

    FocalLoss.objective = objective  # type: ignore[method-assign]
    for name in ("ask", "tell"):
        clocks.on(optuna.Study, name, "sampler")
    for name in ("best_f1", "f1_score"):
        clocks.on(tuning, name, "scores")
    return clocks


TRAINING = ("matrices", "rounds", "objective", "predictions", "scores")


def clock_cost() -> float:
    """CPU seconds that a clock adds to one call."""
    n = 100_000
    bare, clocked = int, Clocks().clocked(int, "nothing")
    return (cpu_seconds(lambda: [clocked() for _ in range(n)]) - cpu_seconds(lambda: [bare() for _ in range(n)])) / n


def replay(overrides: list[str]) -> tuple[dict[str, float], float, int]:
    """CPU seconds by part, of all cells together, and their number; a first cell pays for the imports."""
    found = tasks(planned(overrides))
    run_cell(found[0])
    clock = clocks()
    start = time.process_time()
    for task in found:
        if run_cell(task).row.status != "ok":
            raise RuntimeError(f"{task.asset.name}, fold {task.fold} failed")
    total = time.process_time() - start - clock.n_calls * clock_cost()
    return dict(clock.seconds), total, len(found)


def sweep(overrides: list[str]) -> Usage:
    """The sweep as its own command."""
    with tempfile.TemporaryDirectory() as folder:
        return command_usage([sys.executable, "-m", "ftfkit", *overrides, f"output.dir={folder}", "-m"])


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=shared_data() / "spot_1h_2024")
    parser.add_argument("--assets", nargs="*", default=["AAVE"])
    parser.add_argument("--loss", default="focal/standard")
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "outputs" / "benchmarks")
    arguments = parser.parse_args()
    overrides = [*market_overrides(arguments.data, arguments.assets), f"loss={arguments.loss}"]
    overrides.append(f"hpo.n_trials={arguments.trials}")
    usage = sweep(overrides)
    parts, total, n_cells = replay(overrides)
    training = sum(parts.get(part, 0.0) for part in TRAINING)
    fixed = usage.cpu_s - total  # start-up of driver and workers, plan, store, verdict, dossier
    full = 1 - training / (total + fixed * n_cells / FULL_CELLS)
    figures = {
        "cells": n_cells,
        "sweep": usage,
        "cells_cpu_s": total,
        "parts_cpu_s": parts,
        "outside_xgboost": {
            "in_cells": 1 - training / total,
            "in_sweep": 1 - training / usage.cpu_s,
            f"in_sweep_of_{FULL_CELLS}_cells_derived": full,
        },
    }
    print(f"{n_cells} cells: sweep {usage.cpu_s:.1f} s of CPU, its cells alone {total:.1f} s (load {usage.load:.1f})")
    for part, seconds in sorted(parts.items(), key=lambda item: -item[1]):
        print(f"  {part:12} {seconds:8.2f} s  {seconds / total:6.1%}")
    print(f"  {'other':12} {total - sum(parts.values()):8.2f} s  {1 - sum(parts.values()) / total:6.1%}")
    for place, share in figures["outside_xgboost"].items():  # type: ignore[attr-defined]
        print(f"outside XGBoost {place}: {share:.1%}")
    print(save(arguments.out, "overhead", figures))


if __name__ == "__main__":
    main()

"""A whole sweep by ftfkit beside the hand-written loop, on the same real cells, folds, budget and search space.

Both arms run as processes of their own, in turns, the order swapped from loss to loss and repeat to repeat; ftfkit's
time is its whole command, from start to dossier. The loop is also run with one thread: its CPU seconds then hold no
spinning, so that the ratio of CPU seconds stands on a busy machine too.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from measuring import REPOSITORY, Usage, command_usage, machine, save
from real_cells import market_overrides, shared_data

LOSSES = ("native", "focal")
FOCAL = ("standard", "mild_focus", "aggressive_focus", "class_balanced")
SCORES = {"average_precision": -0.003, "f1_tuned": -0.005}  # lowest mean difference that still counts as equal


@dataclass(frozen=True)
class Setting:
    """What is run."""

    market: tuple[str, ...]  # overrides
    n_trials: int
    n_focal: int  # focal variants of the sweep; the loop runs the first alone
    every: int  # the loop takes one cell in so many
    repeats: int
    more: tuple[str, ...] = ()  # overrides of ftfkit's arm

    @property
    def focal(self) -> tuple[str, ...]:
        return FOCAL[: self.n_focal]


def run_ftfkit(setting: Setting, loss: str, output: Path) -> tuple[Usage, pd.DataFrame]:
    """The sweep's command; the baseline is run first and, for focal, found in the store."""
    command = [sys.executable, "-m", "ftfkit", *setting.market, *setting.more, f"hpo.n_trials={setting.n_trials}"]
    command.append(f"output.dir={output}")
    if loss == "focal":
        command += [f"loss={','.join(f'focal/{name}' for name in setting.focal)}", "-m"]
    usage = command_usage(command)
    newest = max((output / "runs").iterdir(), key=lambda folder: folder.stat().st_mtime_ns)
    rows = pd.read_parquet(newest / "rows.parquet")
    if loss == "focal":
        rows = rows[rows["variant"].isin(setting.focal)]  # the others are the baseline's, reused
    if (rows["status"] != "ok").any():
        raise RuntimeError(f"{newest}: some cells failed")
    return usage, rows.rename(columns={"f1_buy_tuned": "f1_tuned"})[["variant", "asset", "fold", *SCORES]]


def run_loop(setting: Setting, loss: str, jobs: int | None) -> tuple[Usage, pd.DataFrame]:
    """The loop's command; rows hold scores and seconds."""
    script = REPOSITORY / "benchmarks" / "hand_written.py"
    command = [sys.executable, str(script), *setting.market, "--loss", loss, "--trials", str(setting.n_trials)]
    command += ["--every", str(setting.every), *(["--jobs", str(jobs)] if jobs else [])]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "rows"
        usage = command_usage(command, log=log)
        lines = [line for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    return usage, pd.DataFrame(map(json.loads, lines))


def compare(setting: Setting, loss: str, swap: bool, output: Path) -> dict[str, Any]:
    """Both arms once; seconds of the loop are those of its cells alone, times the cells it did not run."""
    arms = {
        "loop": lambda: run_loop(setting, loss, None),
        "ftfkit": lambda: run_ftfkit(setting, loss, output),
        "loop_one_thread": lambda: run_loop(setting, loss, 1),
    }
    found = {name: arms[name]() for name in (reversed(arms) if swap else arms)}
    usage, rows = found["ftfkit"]
    loop = found["loop"][1]
    scale = len(rows) / len(loop)
    figures: dict[str, Any] = {
        "loss": loss,
        "order": list(reversed(arms) if swap else arms),
        "cells": {"ftfkit": len(rows), "loop": len(loop), "extrapolated": scale > 1},
        "ftfkit": asdict(usage),
        "loop": {**_seconds(loop, scale), "load": found["loop"][0].load},
        "loop_one_thread": {**_seconds(found["loop_one_thread"][1], scale), "load": found["loop_one_thread"][0].load},
        "scores": _scores(rows[rows["variant"] == rows["variant"].iloc[0]], loop),
    }
    figures["wall_ratio"] = figures["loop"]["wall_s"] / usage.wall_s
    figures["cpu_ratio"] = figures["loop"]["cpu_s"] / usage.cpu_s
    figures["cpu_ratio_one_thread"] = figures["loop_one_thread"]["cpu_s"] / usage.cpu_s
    return figures


def _seconds(rows: pd.DataFrame, scale: float) -> dict[str, float]:
    return {name: float(rows[name].sum()) * scale for name in ("wall_s", "cpu_s")}


def _scores(ours: pd.DataFrame, theirs: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Means of both arms on the cells both ran, and the paired difference with its standard error over cells."""
    paired = ours.merge(theirs, on=["asset", "fold"], suffixes=("_ftfkit", "_loop"), validate="one_to_one")
    found = {}
    for name, bound in SCORES.items():
        delta = paired[f"{name}_ftfkit"] - paired[f"{name}_loop"]
        error = float(delta.std(ddof=1)) / math.sqrt(len(delta))
        found[name] = {
            "ftfkit": float(paired[f"{name}_ftfkit"].mean()),
            "loop": float(paired[f"{name}_loop"].mean()),
            "difference": float(delta.mean()),
            "standard_error": error,
            "bound": bound,
            "holds": bool(delta.mean() >= bound - 2 * error),
        }
    return found


def show(figures: dict[str, Any]) -> None:
    """Print one comparison."""
    cells = figures["cells"]
    note = f" (loop: {cells['loop']} cells, extrapolated)" if cells["extrapolated"] else ""
    print(f"{figures['loss']}: {cells['ftfkit']} cells{note}")
    for name in ("loop", "loop_one_thread", "ftfkit"):
        arm = figures[name]
        print(f"  {name:16} wall {arm['wall_s']:8.1f} s   cpu {arm['cpu_s']:8.1f} s   load at start {arm['load']:.1f}")
    print(f"  loop / ftfkit    wall {figures['wall_ratio']:8.2f}     cpu {figures['cpu_ratio']:8.2f}", end="")
    print(f"     cpu, loop with one thread {figures['cpu_ratio_one_thread']:.2f}")
    for name, score in figures["scores"].items():
        difference = f"{score['difference']:+.4f} (se {score['standard_error']:.4f}, bound {score['bound']})"
        print(f"  {name:17} ftfkit {score['ftfkit']:.4f}   loop {score['loop']:.4f}   {difference}", end="")
        print("   holds" if score["holds"] else "   FAILS")


def whole_sweep(comparisons: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Native and focal together, best repeat of each arm; ftfkit's two start-ups are counted, a sweep has one."""
    best = {
        arm: sum(min(one[arm]["wall_s"] for one in comparisons if one["loss"] == loss) for loss in LOSSES)
        for arm in ("loop", "ftfkit")
    }
    return {**best, "wall_ratio": best["loop"] / best["ftfkit"]}


def settings(arguments: argparse.Namespace) -> Setting:
    """From the command line; ``--full`` is the sweep that the target is about."""
    assets = arguments.assets or (["AAVE", "ARB", "LDO", "OP", "UNI"] if arguments.full else ["AAVE", "ARB"])
    return Setting(
        market=tuple(market_overrides(arguments.data, assets)),
        n_trials=arguments.trials or (50 if arguments.full else 25),
        n_focal=4 if arguments.full else 1,
        every=arguments.every or (5 if arguments.full else 1),
        repeats=arguments.repeats,
        more=tuple(arguments.overrides),
    )


def main() -> None:
    """Run the comparison and keep its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("overrides", nargs="*", help="overrides of ftfkit's arm alone")
    parser.add_argument("--full", action="store_true", help="5 variants x 5 assets x 5 folds x 50 trials, loop sampled")
    parser.add_argument("--data", type=Path, default=shared_data() / "spot_1h_2024")
    parser.add_argument("--assets", nargs="*")
    parser.add_argument("--trials", type=int)
    parser.add_argument("--every", type=int, help="the loop runs one cell in so many; its seconds are extrapolated")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "outputs" / "benchmarks")
    arguments = parser.parse_args()
    setting = settings(arguments)
    print(json.dumps(machine()))
    if not arguments.data.is_dir():
        print(f"no bars at {arguments.data}: the embedded synthetic market stands in")
    comparisons = []
    for repeat in range(setting.repeats):
        with tempfile.TemporaryDirectory() as folder:
            for place, loss in enumerate(LOSSES):
                comparisons.append(compare(setting, loss, (repeat + place) % 2 == 1, Path(folder)))
                show(comparisons[-1])
    whole = whole_sweep(comparisons)
    arms = "loop {loop:.1f} s, ftfkit {ftfkit:.1f} s, ratio {wall_ratio:.2f}".format(**whole)
    print(f"native and focal together: {arms}")
    stamp = time.strftime("%Y%m%d_%H%M%S", time.gmtime())
    figures = {"setting": asdict(setting), "comparisons": comparisons, "whole_sweep": whole}
    print(save(arguments.out, f"loop_{stamp}", figures))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)

"""How much of a sweep's CPU is spent outside XGBoost's training and prediction.

py-spy samples every thread of the driver and of the workers that is on a core, while the sweep runs as its own command.
Each sample is filed under what its stack was doing; XGBoost's own calls, the objective it calls back, and the score of
each stage count as training. The profile is kept: https://www.speedscope.app draws it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from measuring import REPOSITORY, Usage, command_usage, save
from real_cells import market_overrides, shared_data

ASSETS = ("AAVE", "ARB", "LDO", "OP", "UNI")
TRAINING = ("rounds and matrices", "objective", "scores")
RATE_HZ = 100
# Of a cell's stack, from the outside in, the first frame that is named here decides.
IN_CELL = {
    "optuna/": "sampler",
    "search.<locals>.score": "scores",
    "ftfkit_track06_focal_loss/": "objective",
    "_BoundXGBoost._boost (": "rounds and matrices",  # in the place of xgboost.train
    "ftfkit/builtin/models/xgboost_rounds.py": "rounds and matrices",
    "xgboost/core.py": "rounds and matrices",
}
# py-spy takes a thread that waits for one that works when it looks at it too late.
WAITING = ("_PollLikeSelector.select (", "Condition.wait (")


def part(stack: Sequence[str]) -> str | None:
    """What a sample is of; None where the thread only waits.

    Parameters
    ----------
    stack : sequence of str
        Frames as py-spy writes them, the outermost first: ``process ID:"command"``, then ``function (file:line)``.
    """
    if stack[-1].startswith(WAITING):
        return None
    if any("resource_tracker" in frame for frame in stack):
        return "loky's resource tracker"
    if not any("LokyProcess" in frame for frame in stack):
        return "driver"
    if any("<frozen importlib._bootstrap>" in frame for frame in stack):
        return "workers' imports"
    if not any(frame.startswith("run_cell (") for frame in stack):
        return "workers between cells"
    found = (name for frame in stack for mark, name in IN_CELL.items() if mark in frame)
    first = next(found, "rest of a cell")
    # The objective is called from inside a round.
    return "objective" if first == "rounds and matrices" and "objective" in found else first


def samples(lines: Iterable[str]) -> Counter[str]:
    """Samples by part, of a profile in the collapsed format."""
    found: Counter[str] = Counter()
    for line in lines:
        stack, _, n = line.rpartition(" ")
        name = part([frame.strip() for frame in stack.split(";")])
        if name is not None:
            found[name] += int(n)
    return found


def profiled(overrides: Sequence[str], profile: Path) -> Usage:
    """Run the sweep as its own command under py-spy, which writes ``profile``."""
    sampler = [str(Path(sys.executable).with_name("py-spy")), "record", "--subprocesses", "--full-filenames"]
    sampler += ["--format", "raw", "--rate", str(RATE_HZ), "--output", str(profile), "--"]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "ftfkit", *overrides, f"output.dir={folder}", "-m"]
        return command_usage([*sampler, *command])


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=shared_data() / "spot_1h_2024")
    parser.add_argument("--assets", nargs="*", default=["AAVE"])
    parser.add_argument("--loss", default="focal/standard")
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--full", action="store_true", help="5 variants x 5 assets x 5 folds, which the bound is about")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "outputs" / "benchmarks")
    arguments = parser.parse_args()
    assets = ASSETS if arguments.full else arguments.assets
    loss = "glob(focal/*)" if arguments.full else arguments.loss
    overrides = [*market_overrides(arguments.data, assets), f"loss={loss}", f"hpo.n_trials={arguments.trials}"]
    arguments.out.mkdir(parents=True, exist_ok=True)
    profile = arguments.out / "overhead.collapsed"
    usage = profiled(overrides, profile)
    with profile.open(encoding="utf-8") as lines:
        found = samples(lines)
    total = found.total()
    print(f"{total / RATE_HZ:.1f} s on cores, {usage.wall_s:.1f} s of wall time (load {usage.load:.1f})")
    for name, n in found.most_common():
        print(f"  {name:23} {n / RATE_HZ:8.2f} s  {n / total:6.1%}")
    outside = 1 - sum(found[name] for name in TRAINING) / total
    print(f"outside XGBoost: {outside:.1%}")
    shares = {name: n / total for name, n in found.items()}
    print(
        save(
            arguments.out, "overhead", {"samples": total, "wall_s": usage.wall_s, "shares": shares, "outside": outside}
        )
    )


if __name__ == "__main__":
    main()

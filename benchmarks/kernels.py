"""Labels, purged splits and the bootstrap beside their peers: same arrays, results compared, CPU seconds.

The peers live in an environment of their own (``benchmarks/.venv-peers``, made on first use).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measuring import REPOSITORY, cpu_seconds, save

from ftfkit.builtin.labels.atr_barrier import AtrBarrier, wilder_atr
from ftfkit.judge.paired import bootstrap_interval
from ftfkit.purging import block_splits, calendar_edges
from ftfkit.types import BAR_COLUMNS, Bars, DataQuality

HOUR_NS = 3_600_000_000_000
PEERS = REPOSITORY / "benchmarks" / ".venv-peers"
SCRIPTS = REPOSITORY / "benchmarks" / "peers"
SCHEME = AtrBarrier(bar_hours=1, stop_atr=0.5, target_atr=1.5)
N_PEER_BARS = 3_000
REPEATS = 5


def peer_python() -> Path | None:
    """Python of the peers' environment, made if need be; None where it cannot be had."""
    python = PEERS / "bin" / "python"
    if not (PEERS / ".ready").exists():
        commands = (
            [sys.executable, "-m", "venv", "--clear", str(PEERS)],
            [str(python), "-m", "pip", "install", "-q", "--no-deps", "-r", str(SCRIPTS / "requirements.txt")],
        )
        for command in commands:
            if subprocess.run(command, check=False).returncode != 0:
                print("the peers' environment cannot be made: peers are left out", file=sys.stderr)
                return None
        (PEERS / ".ready").touch()
    return python


def peer(name: str, given: dict[str, Any], folder: Path) -> tuple[float, dict[str, Any]] | None:
    """Seconds and results of one peer; None where there is no environment for it."""
    python = peer_python()
    if python is None:
        return None
    source, result = folder / f"{name}.npz", folder / f"{name}_result.npz"
    np.savez(source, **given)
    command = [str(python), "-W", "ignore", str(SCRIPTS / "run_peer.py"), name, str(source), str(result)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "TZ": "UTC"})
    with np.load(result) as arrays:
        return json.loads(done.stdout.splitlines()[-1])["seconds"], {key: arrays[key] for key in arrays.files}


def walk(n: int, *, closes_only: bool = False) -> Bars:
    """Hourly bars of a random walk; with ``closes_only`` open, high, low and close are one price."""
    rng = np.random.default_rng(1)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    opened = np.concatenate([[100.0], close[:-1]])
    reach = np.exp(np.abs(rng.normal(0, 0.005, (2, n))))
    high, low = np.maximum(opened, close) * reach[0], np.minimum(opened, close) / reach[1]
    prices = (close, close, close, close) if closes_only else (opened, high, low, close)
    columns = dict(zip(BAR_COLUMNS, (*prices, np.ones(n)), strict=True))
    return Bars("WALK", 1, np.arange(n, dtype=np.int64) * HOUR_NS, **columns, quality=DataQuality("random walk", n))


def best(call: Callable[[], object]) -> float:
    """Least CPU seconds of several calls."""
    call()
    return min(cpu_seconds(call) for _ in range(REPEATS))


def labels(folder: Path) -> dict[str, Any]:
    """Seconds for a million bars, and both label peers on few."""
    million = walk(1_000_000)
    found: dict[str, Any] = {"million_bars_s": best(lambda: SCHEME.events(million, million)), "bound_s": 1.0}
    for name, closes_only in (("mlfinpy", True), ("triple_barrier", False)):
        bars = walk(N_PEER_BARS, closes_only=closes_only)
        events = SCHEME.events(bars, bars)
        given = {
            **{column: getattr(bars, column) for column in ("open", "high", "low", "close")},
            "open_time": bars.open_time.astype("datetime64[ns]"),
            "close_time": bars.close_time.astype("datetime64[ns]"),
            "bar": events.bar,
            "atr": wilder_atr(bars, SCHEME.atr_bars)[events.bar],
            "stop_atr": SCHEME.stop_atr,
            "target_atr": SCHEME.target_atr,
            "max_bars": SCHEME.max_holding_bars,
        }
        theirs = peer(name, given, folder)
        if theirs is None:
            continue
        seconds, result = theirs
        ours = best(lambda bars=bars: SCHEME.events(bars, bars))
        agree = _same_as_mlfinpy if name == "mlfinpy" else _same_as_triple_barrier
        times = {"ftfkit_s": ours, "peer_s": seconds, "ratio": seconds / ours, "bound": 100}
        found[name] = {"events": len(events.bar), **times, **agree(bars, events, result)}
    return found


def _same_as_mlfinpy(bars: Bars, events: Any, result: dict[str, Any]) -> dict[str, float]:
    """It leaves the barrier that was touched to be guessed from the return, so unfinished events have no label."""
    touched = events.exit_bar < events.bar + SCHEME.max_holding_bars
    return {
        "compared_frac": 1.0,
        "same_end_frac": float(np.mean(result["t1"] == events.t1)),
        "same_label_frac": float(np.mean(result["gained"][touched] == events.y[touched])),
    }


def _same_as_triple_barrier(bars: Bars, events: Any, result: dict[str, Any]) -> dict[str, float]:
    """It gives a bar that touches both barriers to the target; such events are left out."""
    entry, atr = events.entry, wilder_atr(bars, SCHEME.atr_bars)[events.bar]
    both = (bars.low[events.exit_bar] <= entry - SCHEME.stop_atr * atr) & (
        bars.high[events.exit_bar] >= entry + SCHEME.target_atr * atr
    )
    return {
        "compared_frac": float(np.mean(~both)),
        "same_end_frac": float(np.mean((result["exit_bar"] == events.exit_bar)[~both])),
        "same_label_frac": float(np.mean((result["target"] == events.y)[~both])),
    }


def splits(folder: Path) -> dict[str, Any]:
    """Ten purged folds of a million events."""
    n, n_folds, embargo = 1_000_000, 10, 24 * HOUR_NS
    rng = np.random.default_rng(2)
    t0 = np.arange(n, dtype=np.int64) * HOUR_NS
    t1 = t0 + rng.integers(1, 25, n) * HOUR_NS + HOUR_NS // 2  # half an hour off: open and closed intervals agree
    edges = calendar_edges(0, n * HOUR_NS, n_folds)
    seconds = best(lambda: block_splits(t0, t1, edges, embargo))
    found: dict[str, Any] = {"ftfkit_s": seconds, "bound_s": 0.5}
    theirs = peer("purgedcv", {"t0": t0, "t1": t1, "n_folds": n_folds, "embargo_ns": embargo}, folder)
    if theirs is not None:
        trains = [split.train for split in block_splits(t0, t1, edges, embargo)]
        same = np.array_equal(theirs[1]["size"], [len(train) for train in trains]) and np.array_equal(
            theirs[1]["sum"], [int(train.sum()) for train in trains]
        )
        found["purgedcv"] = {"peer_s": theirs[0], "ratio": theirs[0] / seconds, "bound": 5, "same": same}
    return found


def bootstrap() -> dict[str, float]:
    """10,000 resamples of 25 pairs."""
    delta = np.random.default_rng(3).normal(size=25)
    return {"ftfkit_s": best(lambda: bootstrap_interval(delta, 10_000, 42, 0.95)), "bound_s": 0.05}


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "outputs" / "benchmarks")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {"labels": labels(Path(folder)), "splits": splits(Path(folder)), "bootstrap": bootstrap()}
    print(json.dumps(found, indent=1, default=float))
    print(save(arguments.out, "kernels", found))


if __name__ == "__main__":
    main()

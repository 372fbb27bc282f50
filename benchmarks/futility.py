"""Cells that certain futility saves on the published table, in several orders of work."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import REPOSITORY, save
from real_cells import shared_data

from ftfkit.config.experiment import compose
from ftfkit.judge import Criteria, Grid, Readiness, read_rows
from ftfkit.judge.criteria import criteria_of
from ftfkit.judge.rows import observed_grid
from ftfkit.run.futility import Outlook
from ftfkit.types import Row

BASELINE = "none"
N_SHUFFLES = 20
Cell = tuple[str, str, int]  # variant, asset, fold


def orders(grid: Grid) -> dict[str, list[list[Cell]]]:
    """The variants' cells, each order as often as it is tried; the baseline's always come first."""
    by_asset = [(v, a, k) for a in grid.assets for k in grid.folds for v in grid.variants]
    rng = np.random.default_rng(42)
    return {
        "assets in turn (the plan's order)": [by_asset],
        "folds in turn": [sorted(by_asset, key=lambda cell: cell[2])],
        "variants in turn": [sorted(by_asset, key=lambda cell: grid.variants.index(cell[0]))],
        "shuffled": [[by_asset[place] for place in rng.permutation(len(by_asset))] for _ in range(N_SHUFFLES)],
    }


def skipped(order: Sequence[Cell], rows: dict[Cell, Row], grid: Grid, criteria: Criteria) -> dict[str, int]:
    """Cells of each variant that a sweep with one worker would not run."""
    outlook = Outlook(BASELINE, grid.variants, grid, criteria, Readiness())
    for (variant, _, _), row in rows.items():
        if variant == BASELINE:
            outlook.accept(variant, row)
    saved = dict.fromkeys(grid.variants, 0)
    for cell in order:
        if outlook.is_abandoned(cell[0]):
            saved[cell[0]] += 1
        else:
            outlook.accept(cell[0], rows[cell])
    return saved


def as_rows(frame: pd.DataFrame) -> dict[Cell, Row]:
    """Rows by cell."""
    make: Callable[..., Row] = Row
    return {
        (one["variant"], one["asset"], one["fold"]): make("", "", **{k: v for k, v in one.items() if k != "variant"})
        for one in frame.to_dict("records")
    }


def main() -> None:
    """Replay the table, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    published = shared_data().parent / "reference" / "track06_rows_reconstructed.csv"
    parser.add_argument("--rows", type=Path, default=published)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "outputs" / "benchmarks")
    arguments = parser.parse_args()
    frame = read_rows(arguments.rows)
    rows, grid = as_rows(frame), observed_grid(frame, BASELINE)
    criteria = criteria_of(compose(["gates=f1_buy_boost"]))
    curve = {}
    for name, tried in orders(grid).items():
        found = pd.DataFrame([skipped(order, rows, grid, criteria) for order in tried]).mean()
        curve[name] = {**found.to_dict(), "share": float(found.sum()) / len(tried[0])}
        told = ", ".join(f"{variant} {value:g}" for variant, value in found.items())
        print(f"{name}: {told} skipped; {curve[name]['share']:.1%} of the variants' cells, ", end="")
        print(f"{found.sum() / len(rows):.1%} of all")
    stamp = time.strftime("%Y%m%d_%H%M%S", time.gmtime())
    print(save(arguments.out, f"futility_{stamp}", {"rows": len(rows), "orders": curve}))


if __name__ == "__main__":
    main()

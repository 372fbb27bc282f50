"""Real cells as plain arrays: the events, features and purged folds that ftfkit itself would use."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy.typing as npt
from measuring import REPOSITORY

from ftfkit.api import compose
from ftfkit.purging import tail_split
from ftfkit.run.asset import asset_data
from ftfkit.run.cell import CellTask
from ftfkit.run.plan import Plan, make_plan
from ftfkit.run.tasks import task_of

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class RealCell:
    """One (asset, fold): arrays over all events of the asset, and positions in them."""

    asset: str
    fold: int
    X: Array
    y: Array
    train: Array
    inner_train: Array
    valid: Array
    test: Array


def shared_data() -> Path:
    """Folder of the shared market data."""
    return Path(os.environ.get("FTFKIT_SHARED", REPOSITORY.parent / "shared")) / "data"


def market_overrides(folder: Path, assets: Sequence[str]) -> list[str]:
    """Overrides that select real bars, or the embedded synthetic ones where ``folder`` is absent."""
    chosen = [f"universe.assets=[{','.join(assets)}]"]
    if not folder.is_dir():
        return chosen
    return [*chosen, "data=parquet", f"data.path={folder}", "universe.quote=USDT"]


def planned(overrides: Sequence[str]) -> Plan:
    """The plan of an experiment."""
    return make_plan(compose(*overrides), datetime.now(UTC))


def tasks(plan: Plan) -> list[CellTask]:
    """Every cell as a worker would get it."""
    return [task_of(plan, cell) for cell in plan.cells]


def real_cells(overrides: Sequence[str], *, every: int = 1) -> Iterator[RealCell]:
    """Cells of the baseline; with ``every`` one in so many, along the diagonals of assets x folds."""
    plan = planned(overrides)
    spec = plan.baseline.spec
    for row, asset in enumerate(sorted(spec.universe.universe.assets, key=lambda one: one.name)):
        data = asset_data(spec, asset, plan.survey.period)
        t0, t1 = data.events.t0, data.events.t1
        for split in spec.cv.folds(t0, t1, plan.survey.edges):
            if (row + split.fold) % every:
                continue
            inner = tail_split(t0[split.train], t1[split.train], spec.cv.valid_frac, spec.cv.embargo_ns)
            train, valid = split.train[inner.train], split.train[inner.test]
            yield RealCell(asset.name, split.fold, data.X, data.events.y, split.train, train, valid, split.test)

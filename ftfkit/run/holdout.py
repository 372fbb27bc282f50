"""``lock --confirm``: judge a variant once on the period that its plan reserved and nothing has read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ftfkit.components import Splitter
from ftfkit.config.origin import placed
from ftfkit.config.schema import Spec
from ftfkit.errors import DataError, FtfkitError, PlanError
from ftfkit.run.asset import AssetData, asset_data
from ftfkit.run.bars import native_bars, utc_ns
from ftfkit.run.cell import CellResult, CellTask, run_cell
from ftfkit.run.executors import Engine, executor
from ftfkit.run.ledger import Entry, Ledger
from ftfkit.run.plan import Plan
from ftfkit.run.reads import iso_utc, read_assets, refuse_read
from ftfkit.run.trials import trial_facts
from ftfkit.types import ROUNDING, Asset, IntArray, Row, Split

MIN_SHARE = 0.8  # of the assets that must reach the required lift


class HoldoutSplit(Splitter):
    """One fold: what the plan could train on, against everything from the hold-out's start on.

    Attributes
    ----------
    fold : int
        A number that no fold of the run has, so that model seeds are new.
    train_until_ns : int
        Last event whose whole label window was closed before the hold-out.
    """

    fold: int
    train_until_ns: int

    def edges(self, start_ns: int, end_ns: int) -> IntArray:
        return np.array([start_ns, end_ns], dtype=np.int64)

    def folds(self, t0: IntArray, t1: IntArray, edges: IntArray) -> tuple[Split, ...]:
        test = np.flatnonzero(t0 >= edges[1])
        before = t0 <= self.train_until_ns
        train = np.flatnonzero(before & (t1 < t0[test[0]])) if len(test) else np.flatnonzero(before)
        return (Split(self.fold, train, test, int(before.sum()) - len(train)),)


@dataclass(frozen=True)
class Confirmation:
    """Outcome on the hold-out: delta of f1_buy by asset; ``passed`` when enough of them reach the required lift."""

    required_lift: float
    needed: int
    deltas: Mapping[str, float]

    @property
    def reached(self) -> int:
        """Assets that reach the required lift."""
        return sum(delta >= self.required_lift - ROUNDING for delta in self.deltas.values())

    @property
    def passed(self) -> bool:
        return self.reached >= self.needed


def confirm(plan: Plan, document: Mapping[str, Any], variant: str, output: Path) -> Confirmation:
    """Train baseline and variant on everything before the hold-out, score both on it, and spend it.

    Parameters
    ----------
    plan : Plan
        Made today, and equal to the run's.
    document : mapping
        The run's plan.

    Raises
    ------
    PlanError
        When no hold-out was reserved, or it was read before.
    DataError
        When it holds no event, or when features or labels before it change once its bars are known.
    """
    start, stop = _period(plan, document)
    ledger = Ledger(output)

    def refuse_if_read(entries: Sequence[Entry]) -> None:
        refuse_read(entries, output, document, variant, (start, stop))

    refuse_if_read(ledger.entries())
    edges = np.array([plan.survey.period[0], start, stop], dtype=np.int64)
    arms = {name: plan.spec(name) for name in (document["baseline"], variant)}
    assets = sorted(plan.experiment.universe.assets, key=lambda asset: asset.name)
    tasks = {name: [_task(plan, spec, asset, edges) for asset in assets] for name, spec in arms.items()}
    holdout = {"holdout_utc": [iso_utc(start), iso_utc(stop)], "assets": read_assets(document)}
    facts = {"run_id": document["run_id"], "variant": variant, **trial_facts(document)[variant], **holdout}
    ledger.append("opened", facts, refuse_if_read)  # asked once more: another one may have been opened meanwhile
    with placed(plan.experiment), executor(plan.experiment.executor, len(assets)) as engine:
        base = _rows(engine, tasks[document["baseline"]], {})
        own = _rows(engine, tasks[variant], base)
    found = _confirmation(base, own, float(document["gates"]["required_lift"]))
    outcome = {"passed": found.passed, "required_lift": found.required_lift, "needed": found.needed}
    ledger.append("confirmed", facts | outcome | {"deltas": dict(found.deltas)})
    return found


def _period(plan: Plan, document: Mapping[str, Any]) -> tuple[int, int]:
    """Start of the hold-out, and the end of the last bar that all assets have."""
    reserved = document["period"]["holdout_from"]
    if reserved is None:
        raise PlanError(f"{document['run_id']}: data.holdout_from == null: the plan reserved no hold-out (ftfkit)")
    start = utc_ns(datetime.fromisoformat(reserved))
    source = _open(plan.baseline.spec).data
    with placed(plan.experiment):
        stop = min(int(native_bars(source, asset).close_time[-1]) for asset in plan.experiment.universe.assets)
    if stop <= start:
        raise DataError(f"the hold-out from {reserved} holds no bar yet: the data ends {iso_utc(stop)} (ftfkit)")
    return start, stop


def _open(spec: Spec) -> Spec:
    """The same setting with the hold-out in sight."""
    return spec.model_copy(update={"data": spec.data.model_copy(update={"holdout_from": None})})


def _task(plan: Plan, spec: Spec, asset: Asset, edges: IntArray) -> CellTask:
    """The cell of one arm and asset, once nothing before the hold-out changes by seeing it."""
    planned = asset_data(spec, asset, plan.survey.period)
    period = (int(edges[0]), int(edges[-1]))
    whole = asset_data(_open(spec), asset, period)
    _refuse_leak(asset, planned, whole)
    if not np.any(whole.events.t0 >= edges[1]):
        raise DataError(f"{asset.name}: the hold-out from {iso_utc(int(edges[1]))} holds no event yet (ftfkit)")
    shared = {name: getattr(spec.cv, name) for name in Splitter.model_fields}
    split = HoldoutSplit(**shared, fold=len(plan.survey.edges), train_until_ns=int(planned.events.t0[-1]))
    opened = _open(spec).model_copy(update={"cv": split})
    return CellTask("", "", opened, asset, split.fold, edges, period)


def _refuse_leak(asset: Asset, planned: AssetData, whole: AssetData) -> None:
    known = len(planned.events)
    pairs = {name: (getattr(planned.events, name), getattr(whole.events, name)[:known]) for name in ("t0", "t1", "y")}
    pairs["features"] = (planned.X, whole.X[:known])
    for name, (before, after) in pairs.items():
        if not np.array_equal(before, after, equal_nan=name == "features"):
            rule = "changes once the bars of the hold-out are known: the feature set or label scheme looks ahead"
            raise DataError(f"{asset.name}: {name} before the hold-out {rule} (ftfkit)")


def _rows(engine: Engine, tasks: Iterable[CellTask], baseline: Mapping[str, Row]) -> dict[str, Row]:
    """Rows of one arm by asset; ``baseline`` gives the BUY counts that some decision rules reproduce."""
    futures = {}
    for task in tasks:
        buys = baseline[task.asset.name].oof_buys_tuned if task.asset.name in baseline else None
        futures[task.asset.name] = engine.submit(run_cell, replace(task, baseline_oof_buys=buys))
    rows = {}
    for name, future in futures.items():
        result: CellResult = future.result()
        if result.row.status != "ok":
            last = (result.row.error or "").strip().splitlines()[-1:]
            raise FtfkitError(f"{name}: the cell on the hold-out failed: {''.join(last)} (ftfkit)")
        rows[name] = result.row
    return rows


def _confirmation(base: Mapping[str, Row], own: Mapping[str, Row], required_lift: float) -> Confirmation:
    differing = [name for name in base if base[name].test_events != own[name].test_events]
    if differing:
        raise PlanError(f"{differing[0]}: scored on other events than the baseline, cannot be confirmed by F1 (ftfkit)")
    deltas = {name: float(own[name].f1_buy or 0.0) - float(base[name].f1_buy or 0.0) for name in base}
    needed = math.ceil(MIN_SHARE * len(deltas) - ROUNDING)
    return Confirmation(required_lift, needed, deltas)

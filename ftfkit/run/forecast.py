"""What a plan will cost and what it can find, told before it runs."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from ftfkit.config.sections import ExecutorConfig
from ftfkit.judge.comparison import Planning
from ftfkit.judge.criteria import criteria_of
from ftfkit.judge.power import folds_needed, mde80, mde_factor, power
from ftfkit.run.files import UNREADABLE, read_json
from ftfkit.run.plan import Plan
from ftfkit.run.plan_json import plan_document
from ftfkit.run.records import COMPARISONS, MANIFEST, TIMINGS, RunRecord, list_runs
from ftfkit.run.store import Store
from ftfkit.types import Row

DAY_NS = 86_400 * 10**9
_LIKE = ("label", "cv", "hpo")  # what cells must share for their times to compare


@dataclass(frozen=True)
class Power:
    """What the planned folds can find.

    Attributes
    ----------
    sd_fold : float
        Standard deviation of fold mean deltas that everything else rests on, and where it is from.
    mde80, power : float or None
        Minimum detectable effect at 80 % power, and power at the required lift; None for one fold.
    folds_needed : int or None
        Folds of the planned length for 80 % power at the required lift; None when more than 1,000.
    history_days : float or None
        Length of history that holds them.
    """

    required_lift: float
    test: str
    alpha: float
    n_folds: int
    sd_fold: float
    sd_source: str
    mde80: float | None
    power: float | None
    folds_needed: int | None
    history_days: float | None


@dataclass(frozen=True)
class Forecast:
    """Cells, time and power of a plan; ``seconds`` is None where no like cell was ever timed."""

    n_cells: int
    n_reused: int
    n_to_run: int  # cells that share a key are run once
    seconds: float | None
    n_timed: int  # like cells that the estimate stands on
    workers: int
    power: Power


@dataclass(frozen=True)
class _PastRun:
    """What one completed run tells of a plan; nothing where it does not compare."""

    fold_sds: Sequence[float]
    seconds: Sequence[float]  # of like cells


def forecast(plan: Plan, store: Store, output: Path) -> Forecast:
    """Look up what is stored, and estimate the rest."""
    stored = stored_rows(plan, store)
    missing = {cell.row_key for cell in plan.cells} - set(stored)
    workers = _workers(plan.experiment.executor, len(missing))
    past = _past_runs(plan, output)
    times = [seconds for run in past for seconds in run.seconds]
    seconds = statistics.median(times) * len(missing) / workers if times else None
    return Forecast(
        n_cells=len(plan.cells),
        n_reused=sum(cell.row_key in stored for cell in plan.cells),
        n_to_run=len(missing),
        seconds=seconds if missing else 0.0,
        n_timed=len(times),
        workers=workers,
        power=_power(plan, past),
    )


def stored_rows(plan: Plan, store: Store) -> dict[str, Row]:
    """Good rows that the plan's cells would find, by row key."""
    rows = store.get_rows(cell.row_key for cell in plan.cells)
    return {key: row for key, row in rows.items() if row.status == "ok"}


def _past_runs(plan: Plan, output: Path) -> list[_PastRun]:
    """What the completed runs tell; a damaged or foreign folder among them tells nothing."""
    document, found = plan_document(plan), []
    for run in list_runs(output):
        if (run.folder / MANIFEST).is_file():
            with suppress(*UNREADABLE):
                found.append(_PastRun(list(_fold_sds(run, document)), list(_like_times(run, document))))
    return found


def _power(plan: Plan, past: Sequence[_PastRun]) -> Power:
    planning, k = criteria_of(plan.experiment).planning, len(plan.folds)
    sd_fold, source = _fold_sd(plan, past)
    lift, test, alpha = planning.required_lift, planning.test, planning.alpha
    needed = folds_needed(lift, sd_fold, test, alpha)
    edges = plan.survey.edges
    block_days = float(edges[-1] - edges[0]) / (len(edges) - 1) / DAY_NS
    return Power(
        required_lift=lift,
        test=test,
        alpha=alpha,
        n_folds=k,
        sd_fold=sd_fold,
        sd_source=source,
        mde80=mde80(sd_fold, k, test, alpha),
        power=power(lift, sd_fold, k, test, alpha) if k >= 2 else None,
        folds_needed=needed,
        history_days=None if needed is None else block_days * (needed + len(edges) - 1 - k),
    )


def _fold_sd(plan: Plan, past: Sequence[_PastRun]) -> tuple[float, str]:
    """Pooled over stored comparisons of the same metric, assets, label scheme and folds, else the configured one."""
    metric = plan.experiment.stats.metric
    squares = [sd**2 for run in past for sd in run.fold_sds]
    if not squares:
        return (
            plan.experiment.stats.planning_sd_fold,
            f"stats.planning_sd_fold; no comparison of {metric} like this is stored",
        )
    n_runs = sum(bool(run.fold_sds) for run in past)
    told = f"{len(squares)} stored comparisons of {metric} in {n_runs} runs on these assets, label scheme and folds"
    return statistics.fmean(squares) ** 0.5, told


def _same_question(stored: Mapping[str, Any], planned: Mapping[str, Any]) -> bool:
    """Whether fold means of a stored run vary as those of the plan will: a block's length changes how they do."""

    def asked(document: Mapping[str, Any]) -> tuple[Any, ...]:
        whole = (document[key] for key in ("label", "folds", "synthetic"))
        return document["universe"]["assets"], document["stats"]["metric"], *whole

    return asked(stored) == asked(planned)


def _fold_sds(run: RunRecord, document: Mapping[str, Any]) -> Iterator[float]:
    """Standard deviations behind the minimum detectable effects of a run that asks the plan's question."""
    file, gates = run.folder / COMPARISONS, run.plan["gates"]
    if not _same_question(run.plan, document) or not file.is_file():
        return
    chosen = gates["checks"].get("dependence", {})
    planning = Planning(gates["required_lift"], **{key: chosen[key] for key in ("test", "alpha") if key in chosen})
    for one in read_json(file).values():
        if one["mde80"]:  # 0 of deltas that are all the same
            yield one["mde80"] / mde_factor(one["fold_t"]["df"] + 1, planning.test, planning.alpha)


def _like_times(run: RunRecord, document: Mapping[str, Any]) -> Iterator[float]:
    """Wall seconds of timed cells with the plan's label scheme, folds, search and models, scaled by their events."""
    stored = run.plan
    if all(stored[key] == document[key] for key in _LIKE):
        models = {variant["config"]["model"]["name"] for variant in document["variants"].values()}
        alike = {name for name, one in stored["variants"].items() if one["config"]["model"]["name"] in models}
        scale = _mean_events(document) / max(_mean_events(stored), 1.0)
        yield from (float(seconds) * scale for seconds in _cell_seconds(run, alike))


def _cell_seconds(run: RunRecord, variants: set[str]) -> pd.Series[float]:
    """Wall seconds of the cells that a run fitted itself, those of some variants."""
    timings = pq.read_table(run.folder / TIMINGS).to_pandas()
    fitted = timings[timings["row_key"].isin(timings.loc[timings["stage"] == "refit", "row_key"])]
    own = run.rows.loc[run.rows["variant"].isin(variants), "row_key"]
    seconds: pd.Series[float] = fitted[fitted["row_key"].isin(own)].groupby("row_key")["seconds"].sum()
    return seconds


def _mean_events(document: Mapping[str, Any]) -> float:
    return statistics.fmean(one["n_events"] for one in document["data"].values())


def _workers(config: ExecutorConfig, n_tasks: int) -> int:
    import loky

    return max(1, min(config.workers or loky.cpu_count(), n_tasks))

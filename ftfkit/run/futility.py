"""Variants that a sweep need not finish, since the verdict of all their rows is certain to be ABANDON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ftfkit.judge import Criteria, Grid, Readiness, judge_rows
from ftfkit.judge.criteria import criteria_of
from ftfkit.judge.futility import certain, highest_bound
from ftfkit.run.plan import Plan, PlannedCell
from ftfkit.run.records import rows_table
from ftfkit.types import FloatArray, Row, Verdict


class Outlook:
    """What the rows so far allow each variant to become.

    Parameters
    ----------
    baseline : str
    variants : sequence of str
        Those that are scored on the baseline's test events; no other is ever abandoned early.
    grid : Grid
        Assets and folds of the run.
    criteria : Criteria
    readiness : Readiness
    """

    def __init__(
        self, baseline: str, variants: Sequence[str], grid: Grid, criteria: Criteria, readiness: Readiness
    ) -> None:
        self._baseline, self._grid, self._criteria, self._readiness = baseline, grid, criteria, readiness
        watched = (baseline, *variants) if variants else ()
        self._rows: dict[str, dict[tuple[str, int], Row]] = {name: {} for name in watched}
        shape = len(grid.assets), len(grid.folds)
        self._values: dict[str, FloatArray] = {name: np.full(shape, np.nan) for name in self._rows}
        self._abandoned: dict[str, bool] = {}  # what is known for good

    def accept(self, variant: str, row: Row) -> None:
        """Take note of a row; those of variants that cannot be abandoned early are of no interest."""
        if variant in self._rows:
            self._rows[variant][row.asset, row.fold] = row
            place = self._grid.assets.index(row.asset), self._grid.folds.index(row.fold)
            value = getattr(row, self._criteria.stats.metric, None)
            self._values[variant][place] = np.nan if value is None else value

    def is_abandoned(self, variant: str) -> bool:
        """Whether the verdict of all rows is ABANDON, whatever those to come hold, provided that they are ``ok``."""
        if variant == self._baseline or variant not in self._rows:
            return False
        if variant not in self._abandoned:
            stats = self._criteria.stats
            bound = highest_bound(self._values[variant], self._values[self._baseline], stats.metric, stats.confidence)
            if not certain(bound, self._criteria.gates.required_lift):
                return False
            self._abandoned[variant] = self._judged(variant) == "ABANDON"
        return self._abandoned[variant]

    def skipped(self, cell: PlannedCell) -> Row:
        """Row of a cell that is not run."""
        return replace(self._unknown(cell.asset.name, cell.fold), row_key=cell.row_key, fit_key=cell.fit_key)

    def _unknown(self, asset: str, fold: int) -> Row:
        events = self._rows[self._baseline][asset, fold].test_events  # known without the row: events need no model
        return Row("", "", asset, fold, "skipped", test_events=events)

    def _judged(self, variant: str) -> str:
        """Verdict if all rows to come were skipped; further rows cannot change what stands against ABANDON now."""
        cells = [(asset, fold) for asset in self._grid.assets for fold in self._grid.folds]
        own = [self._rows[variant].get(cell) or self._unknown(*cell) for cell in cells]
        named = [(self._baseline, row) for row in self._rows[self._baseline].values()]
        verdict = judge_rows(
            rows_table([*named, *((variant, row) for row in own)]).to_pandas(),
            baseline=self._baseline,
            criteria=self._criteria,
            grid=Grid((variant,), self._grid.assets, self._grid.folds),
            readiness=self._readiness,
        )
        return verdict.variants[variant].verdict


def outlook_of(plan: Plan) -> Outlook:
    """Outlook of a plan; without ``sweep.stop_when_decided`` no variant is ever abandoned early."""
    label = plan.baseline.spec.raw["label"]
    alike = [variant.name for variant in plan.variants[1:] if variant.spec.raw["label"] == label]
    return Outlook(
        plan.baseline.name,
        alike if plan.experiment.sweep.stop_when_decided else (),
        plan.grid,
        criteria_of(plan.experiment),
        plan.readiness,
    )


def settled(verdict: Verdict | None, rows: Iterable[tuple[str, Row]]) -> bool:
    """Whether a verdict with skipped rows says of every variant what the full run's will.

    Parameters
    ----------
    verdict : Verdict or None
        Made from ``rows``.
    rows : iterable of (str, Row)
        By variant; one with an error row is incomplete in any case.
    """
    failed = {variant for variant, row in rows if row.status == "error"}
    return verdict is None or all(
        one.verdict != "INCOMPLETE" for name, one in verdict.variants.items() if name not in failed
    )

"""What the dossier asks of a run: names, means, paired deltas; no plugin is needed for any of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ftfkit.errors import RowsError
from ftfkit.run.files import UNREADABLE, brief, read_json
from ftfkit.run.records import ADVICE, PLAN, ROWS, RunRecord
from ftfkit.types import VariantVerdict, Verdict


@dataclass(frozen=True, eq=False)
class Results:
    """Plan, rows, verdict and advice of one run; ``verdict`` is None where only the baseline was run."""

    plan: Mapping[str, Any]
    rows: pd.DataFrame  # one row a cell, sorted by (variant order in the plan, asset, fold)
    verdict: Verdict | None
    advice: Mapping[str, Any] | None = None  # advice.json, where the run has one

    @property
    def baseline(self) -> str:
        return str(self.plan["baseline"])

    @property
    def names(self) -> tuple[str, ...]:
        """All variants, the baseline first."""
        return (self.baseline, *self.variants)

    @property
    def variants(self) -> tuple[str, ...]:
        return tuple(name for name in self.plan["variants"] if name != self.baseline)

    @property
    def assets(self) -> tuple[str, ...]:
        return tuple(self.plan["universe"]["assets"])

    @property
    def folds(self) -> tuple[int, ...]:
        return tuple(self.plan["folds"])

    @property
    def calibrated(self) -> tuple[str, ...]:
        """Variants whose probabilities were calibrated, by the plan."""
        configs = {name: variant.get("config", {}) for name, variant in self.plan["variants"].items()}
        methods = {name: config.get("calibration", {}).get("method", "none") for name, config in configs.items()}
        return tuple(name for name in self.names if methods[name] != "none")

    @property
    def required_lift(self) -> float:
        return float(self.plan["gates"]["required_lift"])

    @property
    def synthetic(self) -> bool:
        return bool(self.plan["synthetic"])

    @property
    def verdicts(self) -> tuple[VariantVerdict, ...]:
        """Verdicts in the order of the file; empty where only the baseline was run."""
        return tuple(self.verdict.variants.values()) if self.verdict else ()

    @property
    def post_hoc(self) -> bool:
        return self.verdict is not None and self.verdict.post_hoc

    @cached_property
    def ok(self) -> pd.DataFrame:
        """Rows with metrics."""
        return self.rows[self.rows["status"] == "ok"]

    def column(self, name: str, ok: bool = True) -> pd.Series[float]:
        """Figures of a column; NaN where the rows do not carry it."""
        rows = self.ok if ok else self.rows
        if name not in rows:
            return pd.Series(np.nan, index=rows.index, dtype=float)
        return pd.to_numeric(rows[name], errors="coerce").astype(float)

    def by_asset(self, name: str) -> pd.DataFrame:
        """Mean of a column over folds; index all assets, columns all variants, NaN where there is no row."""
        means = self.column(name).groupby([self.ok["asset"], self.ok["variant"]]).mean().unstack()
        return means.reindex(index=list(self.assets), columns=list(self.names)).astype(float)

    def mean(self, name: str) -> pd.Series[float]:
        """Mean over assets of the per-asset means; index all variants."""
        return self.by_asset(name).mean()

    def delta_by_asset(self, name: str) -> pd.DataFrame:
        """Mean paired delta of a column, variant minus baseline on the same (asset, fold); columns all variants."""
        frame = self.ok[["variant", "asset", "fold"]].assign(value=self.column(name))
        wide = frame.pivot(index=["asset", "fold"], columns="variant", values="value")
        wide = wide.reindex(columns=list(self.names))
        deltas = wide.sub(wide[self.baseline], axis=0)
        return deltas.groupby(level="asset").mean().reindex(list(self.assets)).astype(float)

    def mappings(self, name: str, variant: str) -> pd.DataFrame:
        """A mapping column (stored as JSON) of a variant's rows, a column a key; empty where the rows have none."""
        if name not in self.ok:
            return pd.DataFrame()
        texts = self.ok.loc[self.ok["variant"] == variant, name].dropna()
        return pd.DataFrame([entry for entry in map(json.loads, texts) if entry])


def read_results(folder: Path) -> Results:
    """Results of a run folder.

    Raises
    ------
    RowsError
        When plan or rows are missing, as in a run that did not complete.
    """
    for name in (PLAN, ROWS):
        if not (folder / name).is_file():
            rule = "must be there to write a dossier; a run has it once all its cells are done"
            raise RowsError(f"{folder / name}: is missing, {rule} (ftfkit)")
    run = RunRecord(folder, status="completed")
    advice = folder / ADVICE
    try:
        told = read_json(advice) if advice.is_file() else None
        _check_baseline(run.plan)
        return Results(run.plan, run.rows, run.verdict, told)
    except UNREADABLE as error:  # JSON or Parquet that was cut off or damaged, or is of something else
        raise RowsError(f"{folder}: cannot be read: {brief(error)} (ftfkit)") from error


def _check_baseline(plan: Mapping[str, Any]) -> None:
    """Fail as a damaged file does where the baseline is no variant of the plan: all of a dossier rests on it."""
    if not isinstance(plan["variants"][plan["baseline"]], Mapping):
        raise TypeError(f"{plan['baseline']} is no variant")

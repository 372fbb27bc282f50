"""Run folders as a sweep leaves them: rows made here or the published ones, judged by the real judge and gates."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pytest

from ftfkit.builtin.gates.mlops_readiness import SECTIONS
from ftfkit.config.sections import GatesConfig, StatsConfig
from ftfkit.judge import ADVICE_GATES, judge_rows, verdict_to_dict
from ftfkit.judge.rows import Grid
from ftfkit.judge.verdict import Criteria, Readiness
from ftfkit.plugins import registry
from ftfkit.run.files import write_json
from ftfkit.run.records import PLAN, ROWS, VERDICT
from ftfkit.types import Row

SIX: Mapping[str, Mapping[str, Any]] = {
    "f1_lift": {},
    "joint_metric": {"max_drawdown_increase_pct": 1.0},
    "stability": {"max_variance": 0.05},
    "per_asset": {"min_share": 0.8},
    "sample_size": {"min_trades": 50},
    "mlops_readiness": {},
}
STRICT = {**SIX, "dependence": {"test": "nadeau_bengio", "alpha": 0.05}, "operating_point": {}, "no_skill": {}}

READY = "\n\n".join(f"## {section}\n\nWritten down." for section in SECTIONS)


class MakeRun(Protocol):
    """Write a run folder from rows; keyword arguments beyond the named ones replace entries of the plan."""

    def __call__(
        self,
        rows: pd.DataFrame,
        checks: Mapping[str, Any] = ...,
        post_hoc: bool = ...,
        calibrated: tuple[str, ...] = ...,
        **changes: Any,
    ) -> Path: ...


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    def write(
        rows: pd.DataFrame,
        checks: Mapping[str, Any] = SIX,
        post_hoc: bool = False,
        calibrated: tuple[str, ...] = (),
        **changes: Any,
    ) -> Path:
        plan = {**base_plan(rows, checks), **changes}
        for name in calibrated:
            plan["variants"][name]["config"]["calibration"] = {"method": "platt"}
        rows.to_parquet(tmp_path / ROWS, index=False)
        write_json(tmp_path, PLAN, plan)
        if len(plan["variants"]) > 1:
            write_json(tmp_path, VERDICT, verdict_to_dict(judged(rows, plan, post_hoc)))
        return tmp_path

    return write


@pytest.fixture
def make_rows() -> Callable[..., pd.DataFrame]:
    return full_rows


@pytest.fixture
def published(shared: Path) -> pd.DataFrame:
    """The reconstructed rows of the published sweep, as rows.parquet holds them."""
    rows = pd.read_csv(shared / "reference" / "track06_rows_reconstructed.csv")
    order = {name: place for place, name in enumerate(dict.fromkeys(rows["variant"]))}
    return rows.sort_values(["variant", "asset", "fold"], key=lambda s: s.map(order) if s.name == "variant" else s)


def judged(rows: pd.DataFrame, plan: Mapping[str, Any], post_hoc: bool) -> Any:
    plugins = registry()
    gates = GatesConfig(**plan["gates"])
    checks = {name: plugins.load("gate_check", name)(**params) for name, params in gates.checks.items()}
    advice = {name: plugins.load("gate_check", name)() for name in ADVICE_GATES}
    variants = tuple(name for name in plan["variants"] if name != plan["baseline"])
    return judge_rows(
        rows,
        baseline=plan["baseline"],
        criteria=Criteria(gates, checks, StatsConfig(**plan["stats"]), advice),
        grid=Grid(variants, tuple(plan["universe"]["assets"]), tuple(plan["folds"])),
        readiness=Readiness(READY, expected=True) if plan["track"] else Readiness(),
        run_id=plan["run_id"],
        post_hoc=post_hoc,
        synthetic=plan["synthetic"],
    )


def base_plan(rows: pd.DataFrame, checks: Mapping[str, Any]) -> dict[str, Any]:
    """plan.json of the rows; the first variant is the baseline."""
    names, assets, folds = (list(dict.fromkeys(rows[column])) for column in ("variant", "asset", "fold"))
    cells = rows[["variant", "asset", "fold"]].to_dict("records")
    return {
        "schema": 1,
        "run_id": "ftf_20260429_121011_282ec7_ATR0.5_1.5_H4",
        "created_utc": "2026-04-29T12:10:11+00:00",
        "plan_hash": "282ec7" + "0" * 58,
        "command": "python -m ftfkit track=06_focal_loss",
        "overrides": ["track=06_focal_loss"],
        "registration": {"file": "p.json", "planned_utc": "2026-04-28T09:00:00+00:00", "ledger_line": 3, "known": {}},
        "synthetic": False,
        "factor_groups": ["loss"],
        "track": {"id": "06_focal_loss", "title": "focal loss", "links": ["https://example.org/pr/767"]},
        "universe": {"name": "defi_top5", "quote": "USDC", "assets": assets},
        "options": {"loss": names[0], "model": "xgboost", "decision": "fixed"},
        "label": "ATR0.5_1.5_H4",
        "cv": {"option": "purged_kfold_5", "n_folds": len(folds), "embargo_bars": 24, "repeats": 1},
        "hpo": {"option": "standard", "n_trials": 50, "objective": "f1_binary"},
        "period": {
            "start_utc": "2024-01-01T00:00:00+00:00",
            "end_utc": "2025-01-01T00:00:00+00:00",
            "edges_utc": [f"2024-{1 + fold:02d}-01T00:00:00+00:00" for fold in range(len(folds) + 1)],
            "holdout_from": None,
        },
        "folds": folds,
        "baseline": names[0],
        "variants": {name: _variant(name, place) for place, name in enumerate(names)},
        "gates": {"name": "f1_buy_boost", "required_lift": 0.015, "checks": checks},
        "stats": {"metric": "f1_buy", "n_resamples": 10_000, "seed": 42, "confidence": 0.95, "planning_sd_fold": 0.045},
        "seed": 0,
        "readiness": {"path": "plugins/track06/mlops_readiness.md", "sha256": "ab" * 32},
        "data": {asset: _asset_data(place) for place, asset in enumerate(assets)},
        "cells": [{**cell, "fit_key": "f", "row_key": "r"} for cell in cells],
        "versions": {"ftfkit": "0.1.0", "xgboost": "3.2.0"},
        "plugins": [{"name": "track06", "distribution": "ftfkit-track06-focal-loss", "version": "1.0"}],
        "python": "3.11.7",
    }


def full_rows(
    lifts: Mapping[str, float], n_assets: int = 5, n_folds: int = 5, sd: float = 0.01, seed: int = 0
) -> pd.DataFrame:
    """Rows with every column of ``Row``; ``lifts`` maps variant to true change of F1, the first is the baseline."""
    rng = np.random.default_rng(seed)
    level = 0.4 + 0.02 * rng.standard_normal((n_assets, n_folds))
    assets = [f"A{place:03d}USDC" for place in range(n_assets)]
    rows = []
    for (name, lift), (place, asset), fold in product(lifts.items(), enumerate(assets), range(n_folds)):
        f1 = float(level[place, fold] + lift + sd * rng.standard_normal())
        rows.append({"variant": name, **_row(asset, fold, f1)})
    frame = pd.DataFrame(rows)
    return frame[["variant", *[name for name in Row.__dataclass_fields__ if name in frame], "turnover"]]


def _row(asset: str, fold: int, f1: float) -> dict[str, Any]:
    skill = {"average_precision": 0.1 + 0.5 * f1, "ap_chance": 0.24, "precision": f1, "recall": f1, "buy_rate": 0.3}
    level = {"prevalence": 0.22, "f1_always_buy": 0.3607, "f1_buy_fixed": f1, "f1_buy_tuned": f1 + 0.01}
    loss = {"brier": 0.21, "brier_calibrated": 0.17, "logloss": 0.61, "logloss_calibrated": 0.52}
    trade = {"expectancy_bps": 20 + 100 * f1, "sortino": f1, "max_drawdown_pct": 9.0, "n_trades": 55, "no_trade": False}
    return {
        "row_key": "r",
        "fit_key": "f",
        "asset": asset,
        "fold": fold,
        "status": "ok",
        "f1_buy": f1,
        **skill,
        **level,
        **loss,
        **trade,
        "threshold": 0.5,
        "threshold_tuned": 0.3 + 0.1 * f1,
        "n_train": 1700,
        "n_purged": 48,
        "n_test": 430,
        "params": json.dumps({"eta": 0.1 * f1, "max_depth": 4}),
        "rounds": 75,
        "valid_value": f1 + 0.02,
        "n_trials": 50,
        "n_pruned": 12,
        "test_events": f"{asset}-{fold}",
        "target_notes": json.dumps({"pruned_share": 0.03}),
        "turnover": 12.5,
        "versions": json.dumps({"xgboost": "3.2.0"}),
        "error": None,
    }


def _variant(name: str, place: int) -> dict[str, Any]:
    options = {} if place == 0 else {"loss": f"focal/{name}"}
    loss = {"name": "focal", "gamma": float(place), "alpha": 0.25}
    return {"options": options, "config": {"loss": loss, "calibration": {"method": "none"}}}


def _asset_data(place: int) -> dict[str, Any]:
    quality = {"n_bars": 8784, "n_sorted": 0, "n_duplicates": 1, "n_gaps": place, "n_missing": 3 * place}
    return {
        "sha256": f"{place:064x}",
        "origin": "../shared/data/spot_1h_2024",
        "n_native": 8784,
        "n_label": 2196,
        "quality": {**quality, "n_zero_volume": 0, "n_label_dropped": place},
        "n_events": 2150,
        "dropped": {"warm_up": 14, "window_end": 24},
        "tie_share": 0.0123,
        "prevalence": 0.2213,
    }

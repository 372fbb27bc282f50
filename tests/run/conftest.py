"""Processes that a test starts, one tiny sweep that every executor must give the same rows for, and one tiny cell."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ftfkit.builtin.cv.purged_kfold import PurgedKFold
from ftfkit.builtin.data.synthetic import SyntheticSource
from ftfkit.builtin.decisions.tuned import TunedThreshold
from ftfkit.builtin.features.technical import TechnicalFeatures
from ftfkit.builtin.labels.atr_barrier import AtrBarrier
from ftfkit.builtin.losses.logistic import LogisticLoss
from ftfkit.builtin.models.xgboost import XGBoostModel
from ftfkit.builtin.targets.hard import HardTarget
from ftfkit.components import SearchRange
from ftfkit.config.experiment import compose
from ftfkit.config.schema import Spec
from ftfkit.config.sections import BalancingConfig, CalibrationConfig, HpoConfig, TradeConfig, UniverseConfig
from ftfkit.run.asset import AssetData, asset_data
from ftfkit.run.cell import CellResult, CellTask, run_cell
from ftfkit.run.market import common_period, native_bars
from ftfkit.run.progress import Progress
from ftfkit.run.result import RunResult
from ftfkit.run.sweep import run_sweep
from ftfkit.types import Asset

TINY = ("universe=demo", "hpo=fixed", "data.days=150", "cv.n_folds=2", "stats.n_resamples=100")
ASSET = Asset("AAVE", "USDC")


SPACE = {
    "learning_rate": SearchRange(low=0.02, high=0.3, log=True),
    "max_depth": SearchRange(low=2, high=4, kind="int"),
}


def _running(session: int) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, own = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(own) == session and state != "Z":
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except (OSError, ValueError):
            continue
    return found


@pytest.fixture
def running() -> Callable[[int], list[str]]:
    """Command lines of the processes of a session (the pid of its leader) that still run; skips without ``/proc``."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc")
    return _running


@pytest.fixture
def survivors(running: Callable[[int], list[str]]) -> Callable[[int], list[str]]:
    """Those that still run after 20 seconds of grace."""

    def after_grace(session: int) -> list[str]:
        deadline = time.monotonic() + 20
        while running(session) and time.monotonic() < deadline:
            time.sleep(0.1)
        return running(session)

    return after_grace


def _run_tiny(output: Path, *overrides: str, progress: Progress | None = None) -> RunResult:
    """Three variants on two assets and two folds; one of them needs the baseline's rows."""
    factor = ("balancing=balanced,none", "decision=tuned,matched_rate")
    experiment = compose([*TINY, *factor, f"output.dir={output}", *overrides])
    return run_sweep(experiment, now=datetime(2025, 3, 1, tzinfo=UTC), progress=progress)


@pytest.fixture(scope="session")
def run_tiny() -> Callable[..., RunResult]:
    return _run_tiny


@pytest.fixture(scope="session")
def tiny_rows(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """rows.parquet of the tiny sweep on two loky workers."""
    result = _run_tiny(tmp_path_factory.mktemp("loky"), "executor=loky", "executor.workers=2")
    assert len(result.rows) == 16
    assert result.n_failed == 0
    return (result.folder / "rows.parquet").read_bytes()


def _make_spec(**changes: Any) -> Spec:
    """A setting that trains in a second: one asset, three folds, three trials."""
    parts: dict[str, Any] = {
        "options": {},
        "raw": {},
        "data": SyntheticSource(days=150, signal=1.0),
        "features": TechnicalFeatures(),
        "label": AtrBarrier(stop_atr=0.5, target_atr=1.5, bar_hours=4, max_holding_bars=24),
        "targets": HardTarget(),
        "cv": PurgedKFold(n_folds=3),
        "model": XGBoostModel(max_rounds=40, params={"min_child_weight": 5, "subsample": 0.8}, space=SPACE),
        "loss": LogisticLoss(),
        "decision": TunedThreshold(),
        "balancing": BalancingConfig(class_weight="balanced"),
        "hpo": HpoConfig(n_trials=3, every_rounds=10),
        "calibration": CalibrationConfig(),
        "trade": TradeConfig(),
        "universe": UniverseConfig(name="demo", assets=("AAVE",), quote="USDC"),
    }
    return Spec(**{**parts, **changes})


def _make_task(spec: Spec, fold: int = 1, **changes: Any) -> CellTask:
    period = common_period([native_bars(spec.data, ASSET)], spec.data.holdout_from)
    return CellTask("row", "fit", spec, ASSET, fold, spec.cv.edges(*period), period, **changes)


def _cell(spec: Spec, fold: int = 1, **changes: Any) -> CellResult:
    result = run_cell(_make_task(spec, fold, **changes))
    assert result.row.error is None, result.row.error
    return result


def _asset_data_of(spec: Spec) -> AssetData:
    task = _make_task(spec)
    return asset_data(spec, ASSET, task.period)


@pytest.fixture(scope="session")
def make_spec() -> Callable[..., Spec]:
    return _make_spec


@pytest.fixture(scope="session")
def make_task() -> Callable[..., CellTask]:
    return _make_task


@pytest.fixture(scope="session")
def cell() -> Callable[..., CellResult]:
    return _cell


@pytest.fixture(scope="session")
def asset_data_of() -> Callable[..., AssetData]:
    return _asset_data_of

"""Panels of rows with a known lift, and criteria made from the shipped conf."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from ftfkit.config.sections import GatesConfig, StatsConfig
from ftfkit.judge import ADVICE_GATES, Criteria, judge_rows
from ftfkit.plugins import registry
from ftfkit.types import VariantVerdict

CONF = Path(__file__).resolve().parents[2] / "conf"
SECTIONS = ("Model card", "Data lineage", "Reproducibility", "Monitoring", "Rollback", "Ownership")

Panel = Callable[..., pd.DataFrame]
CriteriaOf = Callable[..., Criteria]
Judged = Callable[..., VariantVerdict]


def _panel(n_assets: int = 5, n_folds: int = 5, variants: tuple[str, ...] = ("better",), **values: Any) -> pd.DataFrame:
    """Rows of a baseline ``none`` and variants that pass all nine gates.

    ``column=value`` sets a column of every variant (scalar, or array of shape (n_assets, n_folds));
    ``base_column=value`` that of the baseline.
    """
    shape = (n_assets, n_folds)
    jitter = 0.002 * np.random.default_rng(7).standard_normal(shape)
    base: dict[str, Any] = {
        "f1_buy": 0.40,
        "f1_buy_tuned": 0.41,
        "average_precision": 0.30,
        "ap_chance": 0.25,
        "buy_rate": 0.3,
        "expectancy_bps": 5.0,
        "sortino": 0.5,
        "max_drawdown_pct": 9.0,
        "n_trades": 60.0,
    }
    better = base | {"f1_buy": 0.43 + jitter, "f1_buy_tuned": 0.43, "average_precision": 0.32 + jitter}
    base |= {name.removeprefix("base_"): value for name, value in values.items() if name.startswith("base_")}
    better |= {name: value for name, value in values.items() if not name.startswith("base_")}
    asset, fold = (axis.ravel() for axis in np.meshgrid(range(n_assets), range(n_folds), indexing="ij"))
    frames = []
    for variant in ("none", *variants):
        columns = base if variant == "none" else better
        cells = {name: np.broadcast_to(np.asarray(value), shape).ravel() for name, value in columns.items()}
        frames.append(
            pd.DataFrame({"variant": variant, "asset": [f"A{i}" for i in asset], "fold": fold, "status": "ok", **cells})
        )
    return pd.concat(frames, ignore_index=True)


def _criteria(name: str, advice: tuple[str, ...] = (), without: str = "", **overrides: dict[str, Any]) -> Criteria:
    content = yaml.safe_load((CONF / "gates" / f"{name}.yaml").read_text())
    content["checks"] = {gate: params for gate, params in content["checks"].items() if gate != without}
    content["checks"] |= overrides
    load = registry().load
    return Criteria(
        gates=GatesConfig(**content),
        checks={gate: load("gate_check", gate)(**params) for gate, params in content["checks"].items()},
        stats=StatsConfig(**yaml.safe_load((CONF / "stats" / "published.yaml").read_text())),
        advice={gate: load("gate_check", gate)() for gate in advice},
    )


def _judged(rows: pd.DataFrame, criteria: Criteria, **more: Any) -> VariantVerdict:
    return judge_rows(rows, baseline="none", criteria=criteria, **more).variants["better"]


@pytest.fixture(scope="session")
def judged() -> Judged:
    """Verdict on the variant of a panel."""
    return _judged


@pytest.fixture(scope="session")
def panel() -> Panel:
    return _panel


@pytest.fixture(scope="session")
def criteria() -> CriteriaOf:
    return _criteria


@pytest.fixture(scope="session")
def published() -> Criteria:
    return _criteria("f1_buy_boost", advice=ADVICE_GATES)


@pytest.fixture(scope="session")
def strict() -> Criteria:
    return _criteria("f1_buy_boost_strict")


@pytest.fixture(scope="session")
def complete_document() -> str:
    return "# Readiness\n" + "".join(f"\n## {name}\n\nSaid in full.\n" for name in SECTIONS)

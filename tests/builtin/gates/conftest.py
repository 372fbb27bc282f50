"""Evidence for gate checks, made by the judge itself from small panels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ftfkit.components import GateEvidence
from ftfkit.config.sections import StatsConfig
from ftfkit.judge.comparison import Planning, compare_family
from ftfkit.judge.paired import Pairs

EvidenceOf = Callable[..., GateEvidence]


def _evidence(
    n_assets: int = 5, n_folds: int = 5, document: str | None = None, metric: str = "f1_buy", **values: Any
) -> GateEvidence:
    """Evidence of one variant; ``column=(variant, baseline)``, each scalar or of shape (n_assets, n_folds)."""
    shape = (n_assets, n_folds)
    values = {"f1_buy": (0.4, 0.4)} | values
    asset, fold = (axis.ravel() for axis in np.meshgrid(range(n_assets), range(n_folds), indexing="ij"))
    frames = []
    for side, variant in enumerate(("x", "none")):
        cells = {name: np.broadcast_to(pair[side], shape).ravel().astype(float) for name, pair in values.items()}
        frames.append(pd.DataFrame({"variant": variant, "asset": [f"A{i}" for i in asset], "fold": fold, **cells}))
    comparison = compare_family({"x": Pairs(*frames)}, StatsConfig(metric=metric), Planning(0.015))["x"]
    return GateEvidence(
        comparison=comparison,
        rows=frames[0],
        baseline_rows=frames[1],
        assets=tuple(f"A{i}" for i in range(n_assets)),
        folds=tuple(range(n_folds)),
        required_lift=0.015,
        readiness=document,
        readiness_expected=document is not None,
    )


@pytest.fixture(scope="session")
def evidence() -> EvidenceOf:
    return _evidence

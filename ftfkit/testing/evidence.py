"""Rows and evidence with known truth, for gate checks and dossier sections."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ftfkit.components import GateEvidence
from ftfkit.config.sections import StatsConfig
from ftfkit.judge.comparison import Planning, compare_family
from ftfkit.judge.paired import Pairs, pair
from ftfkit.judge.rows import validated
from ftfkit.types import Comparison

BASELINE, VARIANT = "none", "idea"
REQUIRED_LIFT = 0.015
ASSETS = ("AAVEUSDT", "ARBUSDT", "LDOUSDT", "OPUSDT", "UNIUSDT")

READINESS = """# Model card
Gradient-boosted trees that predict whether the target is touched before the stop.
# Data lineage
Hourly klines of the exchange, fingerprinted by every run.
# Reproducibility
The plan hash and the lock file rebuild every row.
# Monitoring
The BUY rate and calibration are charted daily; an alert fires at two standard deviations.
# Rollback
Set the loss back to the baseline's and redeploy the previous artefact.
# Ownership
The research desk answers pages within a day.
"""
UNREADY = "# Model card\nTODO\n"


@dataclass(frozen=True)
class Truth:
    """How the variant of a made-up run differs from its baseline; every figure is a mean over cells.

    Attributes
    ----------
    lift : float
        Of f1_buy, fixed and tuned.
    skill : float
        Average precision above chance, of both; the variant has ``lift`` more.
    expectancy_bps, sortino, drawdown_pct : float
        Differences of the trade figures.
    n_trades : float
        Trades a row of the variant.
    noise, swing : float
        Sd of f1_buy a cell, and half the distance between odd and even folds of the variant.
    """

    lift: float = 0.04
    skill: float = 0.1
    expectancy_bps: float = 6.0
    sortino: float = 0.4
    drawdown_pct: float = -0.5
    n_trades: float = 140
    noise: float = 0.004
    swing: float = 0.0


PROMISING = Truth()
HOPELESS = Truth(lift=-0.05, skill=-0.02, expectancy_bps=-30, sortino=-0.6, drawdown_pct=8, n_trades=4, swing=0.4)


def rows_of(truth: Truth, *, n_folds: int = 5, seed: int = 0) -> pd.DataFrame:
    """Rows of a baseline and a variant on five assets, as ``rows.parquet`` holds them."""
    return validated(pd.concat([_arm(BASELINE, truth, n_folds, seed), _arm(VARIANT, truth, n_folds, seed)]))


def evidence_of(
    truth: Truth, *, n_folds: int = 5, seed: int = 0, readiness: str | None = READINESS, expected: bool = True
) -> GateEvidence:
    """What a gate check gets to see of such a run.

    Parameters
    ----------
    truth : Truth
    n_folds, seed : int
    readiness : str or None
        Text of the readiness document.
    expected : bool
        Whether a track or the user named one.
    """
    rows = rows_of(truth, n_folds=n_folds, seed=seed)
    return _evidence(pair(rows, BASELINE, VARIANT), readiness, expected)


def promising_evidence() -> GateEvidence:
    """A clear and even lift, better trades, a complete readiness document: every sensible gate passes."""
    return evidence_of(PROMISING)


def hopeless_evidence() -> GateEvidence:
    """Worse in everything, unstable, hardly a trade, an unfinished document: every sensible gate fails."""
    return evidence_of(HOPELESS, readiness=UNREADY)


def no_evidence() -> GateEvidence:
    """No pair of rows and no document where one is expected."""
    pairs = pair(rows_of(PROMISING), BASELINE, VARIANT)
    return _evidence(Pairs(pairs.rows.iloc[:0], pairs.baseline_rows.iloc[:0]), None, True)


def with_baseline_f1(evidence: GateEvidence, f1: float) -> GateEvidence:
    """The same evidence with every F1 of the baseline replaced, in its rows and in what was made of them.

    ``f1`` is the mean; the values rise by a tenth from the first row to the last.
    """
    columns = [name for name in evidence.baseline_rows.columns if name.startswith("f1_")]
    values = np.linspace(f1 - 0.05, f1 + 0.05, len(evidence.baseline_rows))
    baseline_rows = evidence.baseline_rows.assign(**dict.fromkeys(columns, values))
    metric = evidence.comparison.metric
    if metric not in columns:
        return replace(evidence, baseline_rows=baseline_rows)
    pairs, planning = Pairs(evidence.rows, baseline_rows), Planning(evidence.required_lift)
    comparison = compare_family({VARIANT: pairs}, StatsConfig(metric=metric), planning)[VARIANT]
    return replace(evidence, baseline_rows=baseline_rows, comparison=comparison)


def comparisons_of(truth: Truth) -> dict[str, Comparison]:
    """Comparisons by variant, as dossier sections get them."""
    return {VARIANT: evidence_of(truth).comparison}


def _evidence(pairs: Pairs, readiness: str | None, expected: bool) -> GateEvidence:
    comparison = compare_family({VARIANT: pairs}, StatsConfig(), Planning(REQUIRED_LIFT))[VARIANT]
    folds = tuple(sorted({int(fold) for fold in pairs.rows["fold"]}))
    return GateEvidence(
        comparison=comparison,
        rows=pairs.rows,
        baseline_rows=pairs.baseline_rows,
        assets=ASSETS,
        folds=folds,
        required_lift=REQUIRED_LIFT,
        readiness=readiness,
        readiness_expected=expected,
        test_events_differ=pairs.test_events_differ,
    )


def _arm(variant: str, truth: Truth, n_folds: int, seed: int) -> pd.DataFrame:
    """Rows of one arm; both arms share the draws of asset and fold, so that pairs differ by the truth and noise."""
    grid = pd.MultiIndex.from_product([ASSETS, range(n_folds)], names=["asset", "fold"]).to_frame(index=False)
    n, on = len(grid), float(variant != BASELINE)
    shared = np.random.default_rng([seed, 17]).normal(0, 0.02, n)
    own = np.random.default_rng([seed, int(on)]).normal(0, truth.noise, n)
    swing = on * truth.swing * np.where(grid["fold"] % 2, 1, -1)
    f1 = np.clip(0.45 + shared + own + on * truth.lift + swing, 0, 1)
    chance = np.full(n, 0.26)
    columns = {
        "f1_buy": f1,
        "f1_buy_fixed": f1,
        "f1_buy_tuned": f1,
        "average_precision": chance + truth.skill + on * truth.lift + own,
        "ap_chance": chance,
        "precision": np.full(n, 0.35),
        "recall": np.full(n, 0.6),
        "buy_rate": np.full(n, 0.4),
        "prevalence": np.full(n, 0.25),
        "f1_always_buy": np.full(n, 0.4),
        "brier": np.full(n, 0.18),
        "brier_calibrated": np.full(n, 0.17),
        "logloss": np.full(n, 0.55),
        "logloss_calibrated": np.full(n, 0.53),
        "expectancy_bps": 12 + 10 * shared + on * truth.expectancy_bps,
        "sortino": 1.2 + shared + on * truth.sortino,
        "max_drawdown_pct": 11 + shared + on * truth.drawdown_pct,
        "n_trades": np.full(n, truth.n_trades if on else 130.0),
        "n_test": np.full(n, 900.0),
    }
    return grid.assign(variant=variant, status="ok", test_events="known", error=None, **columns)

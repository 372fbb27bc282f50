"""What rows say about the gates themselves: does the baseline pass, and could anything pass or fail at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ftfkit.components import GateEvidence
from ftfkit.judge.comparison import compare_family
from ftfkit.judge.gates import run_gates
from ftfkit.judge.paired import Pairs
from ftfkit.judge.verdict import Criteria
from ftfkit.types import GateResult

ABSOLUTE_GATES = ("stability", "sample_size", "no_skill")  # they look at one arm's rows, so a baseline can fail them
_WORST = {
    "f1_buy": 0.0,
    "f1_buy_tuned": 0.0,
    "average_precision": 0.0,
    "expectancy_bps": -1e4,
    "sortino": -100.0,
    "max_drawdown_pct": 100.0,
    "n_trades": 0.0,
}
_BEST = {
    "f1_buy": 1.0,
    "f1_buy_tuned": 1.0,
    "average_precision": 1.0,
    "expectancy_bps": 1e4,
    "sortino": 100.0,
    "max_drawdown_pct": 0.0,
}
_MANY = 1e9  # trades, where the rows do not tell how many events there were
_KNOWN = {*_WORST, "ap_chance"}  # columns whose bounds are known


def absolute_failures(rows: pd.DataFrame, document: Mapping[str, Any], criteria: Criteria) -> dict[str, GateResult]:
    """Absolute gates of the set that the baseline itself does not pass."""
    baseline = _baseline(rows, document)
    if baseline is None:
        return {}
    checks = {name: check for name, check in criteria.checks.items() if name in ABSOLUTE_GATES}
    results = run_gates(checks, _evidence(baseline, baseline, document, criteria), ())
    return {name: result for name, result in results.items() if result.status == "FAIL"}


def settled_gates(rows: pd.DataFrame, document: Mapping[str, Any], criteria: Criteria) -> dict[str, str]:
    """Gates of the set that ``cannot fail`` or ``cannot pass``.

    Each is tried on imagined variants between the worst and the best that these rows allow: F1 of 0 and of 1, F1 that
    swings from fold to fold as far as any two rows lie apart, a trade at every event and none at all.
    """
    baseline = _baseline(rows, document)
    if baseline is None:
        return {}
    imagined = {name: frame.assign(variant="imagined") for name, frame in _imagined(rows, baseline).items()}
    known = _KNOWN & set(baseline.columns)
    chosen = criteria.checks.items()
    checks = {name: check for name, check in chosen if check.requires and known.issuperset(check.requires)}
    results = {
        end: run_gates(checks, _evidence(frame, baseline, document, criteria), ()) for end, frame in imagined.items()
    }
    outcomes = {}
    for name in checks:
        passed = {end: result[name].status == "PASS" for end, result in results.items()}
        if passed["worst"] and passed["swinging"]:
            outcomes[name] = "cannot fail"
        elif not (passed["best"] or passed["steady"]):
            outcomes[name] = "cannot pass"
    return outcomes


def _baseline(rows: pd.DataFrame, document: Mapping[str, Any]) -> pd.DataFrame | None:
    """The baseline's rows, where its grid is complete."""
    own: pd.DataFrame = rows.loc[(rows["variant"] == document["baseline"]) & (rows["status"] == "ok")]
    if len(own) != len(document["universe"]["assets"]) * len(document["folds"]):
        return None
    return own.sort_values(["asset", "fold"]).reset_index(drop=True)


def _imagined(rows: pd.DataFrame, baseline: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The ends of what a variant could do, row-aligned with the baseline."""
    low, high = float(rows["f1_buy"].min()), float(rows["f1_buy"].max())
    best = _set(baseline, _BEST).assign(n_trades=baseline.get("n_test", _MANY))
    gain = 1 - float(baseline["f1_buy"].max())
    return {
        "worst": _set(baseline, _WORST),
        "swinging": _set(baseline, _WORST).assign(
            f1_buy=np.where(baseline["fold"].rank(method="dense") % 2, low, high)
        ),
        "best": best,
        "steady": best.assign(f1_buy=baseline["f1_buy"] + gain),
    }


def _set(frame: pd.DataFrame, values: Mapping[str, float]) -> pd.DataFrame:
    return frame.assign(**{name: value for name, value in values.items() if name in frame})


def _evidence(
    rows: pd.DataFrame, baseline: pd.DataFrame, document: Mapping[str, Any], criteria: Criteria
) -> GateEvidence:
    compared = compare_family({"imagined": Pairs(rows, baseline)}, criteria.stats, criteria.planning)
    return GateEvidence(
        comparison=compared["imagined"],
        rows=rows,
        baseline_rows=baseline,
        assets=tuple(sorted(document["universe"]["assets"])),
        folds=tuple(document["folds"]),
        required_lift=criteria.planning.required_lift,
    )

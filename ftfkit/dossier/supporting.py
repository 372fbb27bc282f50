"""Section 5: figures that explain a verdict and never decide one."""

from __future__ import annotations

import pandas as pd

from ftfkit.dossier.results import Results
from ftfkit.dossier.text import Table, compact, number, percent, table
from ftfkit.types import ROUNDING, Row

SIDE_BY_SIDE = 4  # variants in one table of parameters
_SCORES = {
    "brier": "Brier raw",
    "brier_calibrated": "Brier calibrated",
    "logloss": "log loss raw",
    "logloss_calibrated": "log loss calibrated",
}
_AFTERWARDS = {"brier_calibrated", "logloss_calibrated"}
_JOINT = ("expectancy_bps", "sortino", "max_drawdown_pct")

_SEARCH = {  # columns of rows and what the table calls them
    "rounds": "rounds",
    "valid_value": "objective on inner validation",
    "n_trials": "trials",
    "n_pruned": "trials pruned",
}


def joint(results: Results) -> Table:
    """Mean deltas of the trade metrics over assets; a tick where the joint gate's bound holds."""
    bound = float(results.plan["gates"]["checks"].get("joint_metric", {}).get("max_drawdown_increase_pct", 1.0))
    deltas = {name: results.delta_by_asset(name).mean() for name in _JOINT}
    rows = []
    for variant in results.variants:
        expectancy, sortino, drawdown = (deltas[name][variant] for name in _JOINT)
        cells = (_ticked(expectancy, 1, expectancy >= -ROUNDING), _ticked(sortino, 2, sortino >= -ROUNDING))
        rows.append((variant, *cells, _ticked(drawdown, 2, drawdown <= bound + ROUNDING)))
    columns = ("Variant", "Δ expectancy (bps a trade)", "Δ Sortino (a year)", "Δ max drawdown (pct points)")
    return table(columns, rows)


def trades(results: Results) -> Table:
    """Trading and classification levels by variant."""
    columns = {"n_trades": 1, "expectancy_bps": 1, "sortino": 2, "max_drawdown_pct": 2, "precision": 4, "recall": 4}
    means = {name: results.mean(name) for name in (*columns, "buy_rate")}
    rows = [
        (
            variant,
            *(number(means[name][variant], digits) for name, digits in columns.items()),
            percent(means["buy_rate"][variant]),
        )
        for variant in results.names
    ]
    head = ("Variant", "trades a fold", "expectancy (bps)", "Sortino", "max drawdown (%)", "precision", "recall")
    return table((*head, "BUY rate"), rows)


def operating_points(results: Results) -> Table:
    """F1 at 0.5 and at the tuned threshold, average precision against chance, always-BUY F1."""
    names = ("f1_buy", "f1_buy_fixed", "f1_buy_tuned", "average_precision", "ap_chance", "f1_always_buy")
    means = {name: results.mean(name) for name in names}
    skill = means["average_precision"] - means["ap_chance"]
    deltas = {name: results.delta_by_asset(name).mean() for name in ("f1_buy_tuned", "average_precision")}
    columns = (
        "Variant",
        "f1_buy (chosen rule)",
        "F1 at 0.5",
        "F1 tuned",
        "Δ tuned",
        "average precision",
        "Δ average precision",
    )
    rows = [
        (
            variant,
            *(number(means[name][variant]) for name in names[:3]),
            number(deltas["f1_buy_tuned"][variant], signed=True),
            number(means["average_precision"][variant]),
            number(deltas["average_precision"][variant], signed=True),
            number(means["ap_chance"][variant]),
            number(skill[variant], signed=True),
            number(means["f1_always_buy"][variant]),
        )
        for variant in results.names
    ]
    return table((*columns, "chance", "above chance", "always-BUY F1"), rows)


def calibration(results: Results) -> Table:
    """Brier score and log loss, and the thresholds in use; empty where rows carry none.

    Calibrated scores stand beside the raw ones where a variant was calibrated, ``n/a`` for those that were not.
    """
    if results.column("brier").isna().all():
        return table((), ())
    shown = [name for name in _SCORES if results.calibrated or name not in _AFTERWARDS]
    means = {name: results.mean(name) for name in shown}
    for name in _AFTERWARDS & means.keys():
        means[name] = means[name].where(means[name].index.isin(results.calibrated))
    rows = []
    for variant in results.names:
        here = results.ok["variant"] == variant
        spreads = (_spread(results.column(name)[here]) for name in ("threshold", "threshold_tuned"))
        rows.append((variant, *(number(means[name][variant]) for name in shown), *spreads))
    columns = ("Variant", *(_SCORES[name] for name in shown))
    return table((*columns, "threshold: median (range)", "tuned threshold: median (range)"), rows)


def calibration_line(results: Results) -> str:
    """Which of the scores may be compared across variants."""
    if results.calibrated:
        return "Only calibrated scores may be compared across losses."
    return "Nothing was calibrated: scores of different losses may not be compared."


def search(results: Results) -> list[Table]:
    """What the search chose: median and range over cells of every parameter, and its best validation value.

    At most four variants stand side by side; empty where rows carry nothing of a search.
    """
    spreads = {variant: _chosen(results, variant) for variant in results.names}
    names = list(dict.fromkeys(name for found in spreads.values() for name in found))
    chunks = [results.names[i : i + SIDE_BY_SIDE] for i in range(0, len(results.names), SIDE_BY_SIDE)] if names else []
    return [
        table(("Parameter", *chunk), [(name, *(spreads[v].get(name, "n/a") for v in chunk)) for name in names])
        for chunk in chunks
    ]


def target_notes(results: Results) -> Table:
    """What target transforms reported, means over cells."""
    rows = []
    for variant in results.names:
        notes = results.mappings("target_notes", variant)
        rows += [(variant, str(name), compact(float(notes[name].mean()))) for name in notes]
    return table(("Variant", "note", "mean"), rows, n_text=2)


def plugin_metrics(results: Results) -> Table:
    """Means of the columns that plugin metrics added."""
    known = {*Row.__dataclass_fields__, "variant"}
    extra = [str(name) for name in results.rows.columns if name not in known]
    means = {name: results.mean(name) for name in extra if results.column(name).notna().any()}
    rows = [(variant, *(compact(float(mean[variant])) for mean in means.values())) for variant in results.names]
    return table(("Variant", *means), rows if means else ())


def _chosen(results: Results, variant: str) -> dict[str, str]:
    """Parameter or search figure to its median and range over the variant's cells."""
    params = results.mappings("params", variant)
    here = results.ok["variant"] == variant
    found = {str(name): pd.to_numeric(params[name], errors="coerce") for name in params}
    found |= {told: results.column(name)[here] for name, told in _SEARCH.items()}
    return {name: _spread(values) for name, values in found.items() if values.notna().any()}


def _spread(values: pd.Series[float]) -> str:
    values = values.dropna()
    if values.empty:
        return "n/a"
    low, middle, high = (compact(float(v)) for v in (values.min(), values.median(), values.max()))
    return middle if low == high else f"{middle} ({low} to {high})"


def _ticked(value: float, digits: int, holds: bool) -> str:
    return f"{number(value, digits, signed=True)} {'✓' if holds else '✗'}" if pd.notna(value) else "n/a"

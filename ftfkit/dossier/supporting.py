"""Section 5: figures that explain a verdict and never decide one."""

from __future__ import annotations

import pandas as pd

from ftfkit.dossier.record import Record
from ftfkit.dossier.text import Table, compact, number, percent, table
from ftfkit.types import ROUNDING, Row

_JOINT = ("expectancy_bps", "sortino", "max_drawdown_pct")


def joint(record: Record) -> Table:
    """Mean deltas of the trade metrics over assets; a tick where the joint gate's bound holds."""
    bound = float(record.plan["gates"]["checks"].get("joint_metric", {}).get("max_drawdown_increase_pct", 1.0))
    deltas = {name: record.delta_by_asset(name).mean() for name in _JOINT}
    rows = []
    for variant in record.variants:
        expectancy, sortino, drawdown = (deltas[name][variant] for name in _JOINT)
        cells = (_ticked(expectancy, 1, expectancy >= -ROUNDING), _ticked(sortino, 2, sortino >= -ROUNDING))
        rows.append((variant, *cells, _ticked(drawdown, 2, drawdown <= bound + ROUNDING)))
    columns = ("Variant", "Δ expectancy (bps a trade)", "Δ Sortino (a year)", "Δ max drawdown (pct points)")
    return table(columns, rows)


def trades(record: Record) -> Table:
    """Trading and classification levels by variant."""
    columns = {"n_trades": 1, "expectancy_bps": 1, "sortino": 2, "max_drawdown_pct": 2, "precision": 4, "recall": 4}
    means = {name: record.mean(name) for name in (*columns, "buy_rate")}
    rows = [
        (
            variant,
            *(number(means[name][variant], digits) for name, digits in columns.items()),
            percent(means["buy_rate"][variant]),
        )
        for variant in record.names
    ]
    head = ("Variant", "trades a fold", "expectancy (bps)", "Sortino", "max drawdown (%)", "precision", "recall")
    return table((*head, "BUY rate"), rows)


def operating_points(record: Record) -> Table:
    """F1 at 0.5 and at the tuned threshold, average precision against chance, always-BUY F1."""
    names = ("f1_buy", "f1_buy_fixed", "f1_buy_tuned", "average_precision", "ap_chance", "f1_always_buy")
    means = {name: record.mean(name) for name in names}
    skill = means["average_precision"] - means["ap_chance"]
    deltas = {name: record.delta_by_asset(name).mean() for name in ("f1_buy_tuned", "average_precision")}
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
        for variant in record.names
    ]
    return table((*columns, "chance", "above chance", "always-BUY F1"), rows)


def calibration(record: Record) -> Table:
    """Brier score and log loss, raw and calibrated, and the thresholds in use; empty where rows carry none."""
    names = ("brier", "brier_calibrated", "logloss", "logloss_calibrated")
    if record.column(names[0]).isna().all():
        return table((), ())
    means = {name: record.mean(name) for name in names}
    columns = ("Variant", "Brier raw", "Brier calibrated", "log loss raw", "log loss calibrated")
    rows = []
    for variant in record.names:
        here = record.ok["variant"] == variant
        spreads = (_spread(record.column(name)[here]) for name in ("threshold", "threshold_tuned"))
        rows.append((variant, *(number(means[name][variant]) for name in names), *spreads))
    return table((*columns, "threshold: median (range)", "tuned threshold: median (range)"), rows)


def search(record: Record) -> Table:
    """What the search chose: median and range over cells of every parameter, and its best validation value."""
    names = ("rounds", "valid_value", "n_trials", "n_pruned")
    rows = []
    for variant in record.names:
        here = record.ok["variant"] == variant
        chosen = record.mappings("params", variant)
        figures = {name: record.column(name)[here] for name in names}
        spreads = {**{str(name): chosen[name] for name in chosen}, **figures}
        rows += [(variant, name, _spread(values)) for name, values in spreads.items() if values.notna().any()]
    return table(("Variant", "Parameter", "median (range)"), rows, n_text=2)


def target_notes(record: Record) -> Table:
    """What target transforms reported, means over cells."""
    rows = []
    for variant in record.names:
        notes = record.mappings("target_notes", variant)
        rows += [(variant, str(name), compact(float(notes[name].mean()))) for name in notes]
    return table(("Variant", "Note", "mean"), rows, n_text=2)


def plugin_metrics(record: Record) -> Table:
    """Means of the columns that plugin metrics added."""
    known = {*Row.__dataclass_fields__, "variant"}
    extra = [str(name) for name in record.rows.columns if name not in known]
    means = {name: record.mean(name) for name in extra if record.column(name).notna().any()}
    rows = [(variant, *(compact(float(mean[variant])) for mean in means.values())) for variant in record.names]
    return table(("Variant", *means), rows if means else ())


def _spread(values: pd.Series[float]) -> str:
    values = values.dropna()
    if values.empty:
        return "n/a"
    low, middle, high = (compact(float(v)) for v in (values.min(), values.median(), values.max()))
    return middle if low == high else f"{middle} ({low} to {high})"


def _ticked(value: float, digits: int, holds: bool) -> str:
    return f"{number(value, digits, signed=True)} {'✓' if holds else '✗'}" if pd.notna(value) else "n/a"

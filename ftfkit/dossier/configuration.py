"""Section 1: what was run, on which data, and what of it is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftfkit.dossier.overview import tallies
from ftfkit.dossier.results import Results
from ftfkit.dossier.text import Table, assignments, count, listed, moment, number, percent, table

LONG = 40  # assets beyond which a table shows extremes only


def sweep(results: Results) -> Table:
    """Parameters of the sweep."""
    plan, tally = results.plan, tallies(results)
    shape = f"{len(results.names)} × {len(results.assets)} × {len(results.folds)}"
    hpo, cv, period = plan["hpo"], plan["cv"], plan["period"]
    lines = [
        ("Factor", listed(plan["factor_groups"]) or "none"),
        ("Variants", f"{len(results.names)}, the baseline included"),
        (f"Assets ({len(results.assets)})", f"{listed(results.assets)} ({plan['universe']['name']})"),
        ("Label scheme", plan["label"]),
        ("Period (UTC)", f"{moment(period['start_utc'])} to {moment(period['end_utc'])}"),
        ("Hold-out from", moment(period["holdout_from"]) if period["holdout_from"] else "none reserved"),
        ("Folds", f"{len(results.folds)} an asset ({cv['option']}, embargo {cv['embargo_bars']} bars)"),
        ("Model seeds a cell", str(cv["repeats"])),
        ("Cells planned", f"{shape} = {count(tally['planned'])}"),
        ("Useful rows", f"{count(tally['ok'])} of {count(tally['planned'])}{_shortfall(tally)}"),
        ("Power mode", f"{hpo['option']} ({hpo['n_trials']} trials a fold, objective {hpo['objective']})"),
        ("Options of the baseline", assignments(plan["options"])),
        ("Comparison", assignments(plan["stats"])),
        ("Gates", f"{plan['gates']['name']}, required lift {results.required_lift:+.4g}"),
        ("Seed", str(plan["seed"])),
    ]
    return table(("Param", "value"), lines, n_text=2)


def variants(results: Results) -> Table:
    """Each variant's factor options and their parameters; of the others only what differs from the baseline's."""
    rows, groups = [], results.plan["factor_groups"]
    known = _parameters(results.plan["variants"][results.baseline].get("config", {}), groups)
    for name in results.names:
        variant = results.plan["variants"][name]
        options = {g: variant["options"].get(g, results.plan["options"].get(g)) for g in groups}
        role = f"{name} (baseline)" if name == results.baseline else name
        own = _parameters(variant.get("config", {}), groups)
        told = own if name == results.baseline else {key: one for key, one in own.items() if known.get(key) != one}
        rows.append((role, assignments(options), assignments(told) or ("none" if not own else "as the baseline")))
    return table(("Variant", "option", "parameters (of the others, what differs)"), rows, n_text=3)


def data(results: Results) -> Table:
    """Bars, gaps and events of each asset; beyond 40 assets those with most missing bars."""
    found: Mapping[str, Mapping[str, Any]] = results.plan["data"]
    names = [asset for asset in results.assets if asset in found]
    note = ""
    if len(names) > LONG:
        names = sorted(names, key=lambda a: -found[a]["quality"].get("n_missing", 0))[:LONG]
        note = f"The {LONG} assets with most missing bars of {len(found)}; all are in plan.json."
    bars = ("native bars", "label bars", "gaps", "missing bars", "repaired", "zero volume", "label bars dropped")
    columns = ("Asset", *bars, "events", "events dropped", "tie share", "BUY prevalence")
    return table(columns, [_data_row(asset, found[asset]) for asset in names], note=note)


def dropped(results: Results) -> Table:
    """Reasons for which label bars gave no event, over all assets."""
    reasons: dict[str, int] = {}
    for entry in results.plan["data"].values():
        for reason, n in entry.get("dropped", {}).items():
            reasons[reason] = reasons.get(reason, 0) + n
    return table(("Reason", "label bars without event"), [(name, count(n)) for name, n in sorted(reasons.items())])


def origins(results: Results) -> list[str]:
    """Where the bars came from, each origin once."""
    return sorted({str(entry["origin"]) for entry in results.plan["data"].values() if "origin" in entry})


def folds(results: Results) -> Table:
    """Calendar of the test blocks with the baseline's event counts and purging, means over assets."""
    edges = results.plan["period"]["edges_utc"]
    first = len(edges) - 1 - len(results.folds)  # walk-forward never tests its first block
    rows = []
    chosen = results.ok["variant"] == results.baseline
    for position, fold in enumerate(results.folds):
        start, end = edges[first + position : first + position + 2] if first >= 0 else ("n/a", "n/a")
        here = chosen & (results.ok["fold"] == fold)
        means = {name: results.column(name)[here].mean() for name in ("n_train", "n_purged", "n_test")}
        prevalence = number(results.column("prevalence")[here].mean())
        rows.append(
            (str(fold), moment(start), moment(end), *(count(round(value, 1)) for value in means.values()), prevalence)
        )
    columns = ("Fold", "test block from (UTC)", "to", "training events", "purged", "test events", "BUY prevalence")
    return table(columns, rows, n_text=3)


def gates(results: Results) -> Table:
    """The pre-registered checks with their parameters."""
    checks = results.plan["gates"]["checks"]
    return table(("Gate", "parameters"), [(name, assignments(p) or "defaults") for name, p in checks.items()], 2)


def errors(results: Results) -> Table:
    """Error rows with the line of the traceback that names the cause."""
    rows = results.rows[results.rows["status"] == "error"]
    lines = [
        (str(row["variant"]), str(row["asset"]), str(row["fold"]), first_line(row.get("error")))
        for _, row in rows.head(LONG).iterrows()
    ]
    note = f"The first {LONG} of {len(rows)}; all are in rows.parquet." if len(rows) > LONG else ""
    return table(("Variant", "asset", "fold", "error"), lines, n_text=4, note=note)


def absent(results: Results) -> list[str]:
    """Planned cells that have no row, by name."""
    have = set(zip(results.rows["variant"], results.rows["asset"], results.rows["fold"], strict=True))
    cells = [(cell["variant"], cell["asset"], cell["fold"]) for cell in results.plan["cells"]]
    return [f"{variant}, {asset}, fold {fold}" for variant, asset, fold in cells if (variant, asset, fold) not in have]


def first_line(error: object) -> str:
    """The exception of a traceback: its first line that is neither the heading nor a frame."""
    lines = str(error or "").strip().splitlines()
    named = [line for line in lines if line[:1].strip() and not line.startswith("Traceback")]
    return (named or lines or ["no traceback was kept"])[0].strip()[:200]


def _shortfall(tally: Mapping[str, int]) -> str:
    parts = [f"{tally[name]} {name}" for name in ("error", "skipped", "missing") if tally[name]]
    return f" ({', '.join(parts)})" if parts else " (full coverage)"


def _parameters(config: Mapping[str, Mapping[str, Any]], groups: list[str]) -> dict[str, Any]:
    """Parameters of the factor groups, nested ones by dotted keys."""
    sections = [_flat({k: v for k, v in config.get(group, {}).items() if k != "name"}) for group in groups]
    return {key: value for section in sections for key, value in section.items()}


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= _flat(value, f"{above}{key}.") if isinstance(value, Mapping) and value else {f"{above}{key}": value}
    return found


def _data_row(asset: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    quality = entry["quality"]
    repaired = quality.get("n_sorted", 0) + quality.get("n_duplicates", 0)
    bars = (entry["n_native"], entry["n_label"], quality.get("n_gaps"), quality.get("n_missing"), repaired)
    rest = (quality.get("n_zero_volume"), quality.get("n_label_dropped"), entry["n_events"])
    return (
        asset,
        *map(count, (*bars, *rest)),
        count(sum(entry["dropped"].values())),
        percent(entry["tie_share"], 2),
        number(entry["prevalence"]),
    )

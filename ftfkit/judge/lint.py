"""Confounds: what in a plan or its rows would explain a difference besides the factor. Advice, never a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd

from ftfkit.config.schema import FACTOR_GROUPS
from ftfkit.judge.pilot import absolute_failures, settled_gates
from ftfkit.judge.verdict import Criteria
from ftfkit.types import ROUNDING

FIXED = "fixed"  # decision rule that cuts every arm at the same probability

Setting = Mapping[str, Any]  # dotted parameter to value, only what differs from the baseline


@dataclass(frozen=True)
class Finding:
    """One confound: the rule that found it, the variants concerned (all when empty), and a sentence."""

    rule: str
    variants: tuple[str, ...]
    text: str


def lint_plan(document: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Confounds that follow from the settings alone.

    Parameters
    ----------
    document : mapping
        As ``plan.json`` holds it.
    """
    settings = _settings(document)
    found = [*_moved_together(settings), *_fixed_threshold(document, settings), *_mixed_weights(settings)]
    return (*found, *_budgets(document))


def lint_rows(document: Mapping[str, Any], rows: pd.DataFrame, criteria: Criteria) -> tuple[Finding, ...]:
    """Confounds that only rows show: of a pilot before the run, or of the run itself.

    Parameters
    ----------
    document : mapping
        As ``plan.json`` holds it.
    rows : DataFrame
        Columns of rows.parquet; without the baseline's full grid nothing is said about gates.
    criteria : Criteria
        Of the plan.
    """
    ok = rows[rows["status"] == "ok"] if len(rows) else rows
    if ok.empty:
        return ()
    return (*_weights(document, ok), *_trials(document, ok), *_gates(document, ok, criteria))


def _settings(document: Mapping[str, Any]) -> dict[str, Setting]:
    """What each variant changes."""
    base = document["variants"][document["baseline"]]
    return {
        name: {key: value for group in FACTOR_GROUPS for key, value in _changes(base, variant, group).items()}
        for name, variant in document["variants"].items()
        if name != document["baseline"]
    }


def _changes(base: Mapping[str, Any], variant: Mapping[str, Any], group: str) -> Setting:
    """Changed parameters of one group; another component is one change, unless it says what makes it neutral."""
    before, after = base["config"][group], variant["config"][group]
    if before == after:
        return {}
    if before.get("name") == after.get("name"):
        old, new = _flat(before, group), _flat(after, group)
        return {key: new.get(key) for key in sorted({*old, *new}) if old.get(key) != new.get(key)}
    moved = {**_off_neutral(base, group, none="neutral"), **_off_neutral(variant, group)}
    return moved or {group: after}


def _off_neutral(variant: Mapping[str, Any], group: str, none: str | None = None) -> Setting:
    """Parameters of a loss that are not at the values which make it the plain one."""
    neutral = variant.get("neutral", {}) if group == "loss" else {}
    own = variant["config"][group]
    return {f"{group}.{key}": none or own[key] for key, value in neutral.items() if own.get(key) != value}


def _flat(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value, f"{key}.{name}") if isinstance(value, Mapping) else {f"{key}.{name}": value}
    return found


def _moved_together(settings: Mapping[str, Setting]) -> list[Finding]:
    """Variants that change several parameters without an arm that tells them apart."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, setting in settings.items():
        mixed = sorted(
            {key for pair in combinations(setting, 2) if not _separated(pair, name, settings) for key in pair}
        )
        if mixed:
            groups.setdefault(tuple(mixed), []).append(name)
    return [
        Finding(
            "moved together",
            tuple(names),
            f"{_listed(keys)} move together and no arm moves one alone: a difference cannot be put down to either",
        )
        for keys, names in groups.items()
    ]


def _separated(pair: Sequence[str], name: str, settings: Mapping[str, Setting]) -> bool:
    """Whether some arm makes one of the two changes without the other, and nothing that the variant does not."""
    own = settings[name]
    return any(
        (pair[0] in other) != (pair[1] in other)
        and all(key in own and own[key] == value for key, value in other.items())
        for arm, other in settings.items()
        if arm != name
    )


def _fixed_threshold(document: Mapping[str, Any], settings: Mapping[str, Setting]) -> list[Finding]:
    rules = {name: variant["config"]["decision"]["name"] for name, variant in document["variants"].items()}
    names = tuple(
        name
        for name, setting in settings.items()
        if FIXED in {rules[name], rules[document["baseline"]]} and _of(setting, "loss")
    )
    text = (
        "another loss moves the probabilities, and a fixed threshold turns that into another number of BUYs: compare "
        "under decision=tuned or decision=matched_rate"
    )
    return [Finding("fixed threshold", names, text)] if names else []


def _mixed_weights(settings: Mapping[str, Setting]) -> list[Finding]:
    names = tuple(name for name, setting in settings.items() if _of(setting, "balancing") and len(_groups(setting)) > 1)
    text = "class weights differ between the arms beside the factor"
    return [Finding("class weights", names, text)] if names else []


def _budgets(document: Mapping[str, Any]) -> list[Finding]:
    """Search budgets by configuration: trials, and parameters to spread them over."""
    configs = {name: variant["config"] for name, variant in document["variants"].items()}
    trials = {name: config["hpo"]["n_trials"] for name, config in configs.items()}
    searched = {name: len(config["model"].get("space", {})) * (trials[name] > 0) for name, config in configs.items()}
    return [
        *_unequal("HPO trials a fold", trials, document),
        *_unequal("parameters searched by HPO", searched, document),
    ]


def _weights(document: Mapping[str, Any], rows: pd.DataFrame) -> list[Finding]:
    """Class weights that the fits really had; a variant whose factor is balancing is meant to differ."""
    if "weight_ratio" not in rows:
        return []
    wide = rows.pivot(index=["asset", "fold"], columns="variant", values="weight_ratio").astype(float)
    if document["baseline"] not in wide:
        return []
    settings = _settings(document)
    off = wide.sub(wide[document["baseline"]], axis=0).abs().max()
    names = tuple(
        name for name in settings if name in off and off[name] > ROUNDING and _groups(settings[name]) != {"balancing"}
    )
    if not names:
        return []
    means = ", ".join(f"{name} {wide[name].mean():.3g}" for name in (document["baseline"], *names))
    text = f"the fits had other class weights than the baseline's (mean weight of BUY over the other class: {means})"
    return [Finding("class weights", names, text)]


def _trials(document: Mapping[str, Any], rows: pd.DataFrame) -> list[Finding]:
    if "n_trials" not in rows:
        return []
    means = {str(name): float(mean) for name, mean in rows.groupby("variant")["n_trials"].mean().dropna().items()}
    planned = {variant["config"]["hpo"]["n_trials"] for variant in document["variants"].values()}
    return _unequal("HPO trials a fold, as run,", means, document) if len(planned) == 1 else []


def _gates(document: Mapping[str, Any], rows: pd.DataFrame, criteria: Criteria) -> list[Finding]:
    baseline = document["baseline"]
    found = [
        Finding("baseline fails", (), f"the baseline {baseline} itself fails {name}: {result.reason}")
        for name, result in absolute_failures(rows, document, criteria).items()
    ]
    for name, outcome in settled_gates(rows, document, criteria).items():
        found.append(Finding("settled gate", (), f"{name} {outcome} on these rows: it decides nothing"))
    return found


def _unequal(told: str, counts: Mapping[str, float], document: Mapping[str, Any]) -> list[Finding]:
    baseline = document["baseline"]
    names = tuple(name for name, count in counts.items() if count != counts.get(baseline, count))
    if not names:
        return []
    figures = ", ".join(f"{name} {counts[name]:g}" for name in (baseline, *names))
    return [Finding("search budget", names, f"{told} differ between the arms: {figures}")]


def _of(setting: Setting, group: str) -> bool:
    return group in _groups(setting)


def _groups(setting: Setting) -> set[str]:
    return {key.partition(".")[0] for key in setting}


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last

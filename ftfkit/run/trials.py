"""Every variant ever judged, as the ledger holds it, and what so much trying takes off a result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ftfkit.judge.overfitting import deflated_sharpe, overfitting_probability, sharpe
from ftfkit.run.files import file_sha256
from ftfkit.run.keys import canonical, sha256
from ftfkit.run.ledger import Entry
from ftfkit.run.records import COMPARISONS, PLAN, ROWS, VERDICT
from ftfkit.types import Verdict

ANCHORED = (PLAN, ROWS, COMPARISONS, VERDICT)  # files that a ledger line vouches for
DAYS_A_YEAR = 365.25


@dataclass(frozen=True)
class Trial:
    """One configuration as a ledger line has it: mean F1 and net trade returns of each block, assets weighted alike."""

    id: str
    label: str
    edges_utc: tuple[str, ...]
    f1: tuple[float, ...] | None  # a value a fold; None where a row is missing
    returns_bps: tuple[float, ...] | None

    @property
    def blocks_a_year(self) -> float:
        first, last = (datetime.fromisoformat(self.edges_utc[place]) for place in (0, -1))
        days = (last - first).total_seconds() / 86_400
        return DAYS_A_YEAR * (len(self.edges_utc) - 1) / days

    @property
    def annual_sharpe(self) -> float | None:
        """Sharpe ratio of the block returns, annualised, so that blocks of any length compare."""
        ratio = sharpe(self.returns_bps or ())
        return None if ratio is None else ratio * self.blocks_a_year**0.5


def trial_id(document: Mapping[str, Any], variant: str) -> str:
    """What makes two trials the same one: settings, bars, blocks and seed; never names, gates or versions.

    Parameters
    ----------
    document : mapping
        As ``plan.json`` holds it.
    """
    config = {group: values for group, values in document["variants"][variant]["config"].items() if group != "data"}
    bars = {asset: found["sha256"] for asset, found in document["data"].items()}
    market = {"bars": bars, "others": document["market"], "edges": document["period"]["edges_utc"]}
    return sha256(canonical({"config": config, "market": market, "seed": document["seed"]}))


def trial_facts(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """What tells each variant's trial again in the ledger, whatever it is called there.

    Parameters
    ----------
    document : mapping
        As ``plan.json`` holds it.

    Returns
    -------
    dict of str to dict
        ``trial`` is the ``trial_id``. ``fits`` is the hash of the fit keys, which no cost, metric or calibration
        enters; of a variant that shares them with its baseline, also of the factors in which it differs.
    """
    keys: dict[str, list[str]] = {name: [] for name in document["variants"]}
    for cell in document["cells"]:
        keys[cell["variant"]].append(cell["fit_key"])
    fits: dict[str, dict[str, Any]] = {name: {"fits": sorted(own)} for name, own in keys.items()}
    for name, variant in document["variants"].items():
        if name != document["baseline"] and fits[name] == fits[document["baseline"]]:
            fits[name] = {**fits[name], "factors": {group: variant["config"][group] for group in variant["options"]}}
    return {name: {"trial": trial_id(document, name), "fits": sha256(canonical(own))} for name, own in fits.items()}


def same_trial(entered: Mapping[str, Any], own: Mapping[str, str]) -> bool:
    """Whether a variant that a ledger line holds is the one of ``trial_facts``."""
    return any(entered.get(key) == own[key] for key in ("trial", "fits"))


def judged_facts(
    folder: Path, document: Mapping[str, Any], rows: pd.DataFrame, verdict: Verdict | None
) -> dict[str, Any]:
    """What the ledger says of a judged run; figures follow from plan, rows and verdict alone."""
    there = [folder / name for name in ANCHORED if (folder / name).is_file()]
    files = {file.name: file_sha256(file) for file in there}
    trials = trial_facts(document)
    verdicts = {} if verdict is None else {name: one.verdict for name, one in verdict.variants.items()}
    return {
        "run_id": document["run_id"],
        "plan_hash": document["plan_hash"],
        "planned": document["registration"] is not None,
        "assets": sorted(document["universe"]["assets"]),
        "label": document["label"],
        "edges_utc": document["period"]["edges_utc"],
        "synthetic": document["synthetic"],
        "files": files,
        "variants": {
            name: {
                **trials[name],
                "verdict": verdicts.get(name),
                "f1": _by_fold(rows, name, document["folds"], rows["f1_buy"]),
                "returns_bps": _by_fold(rows, name, document["folds"], rows["expectancy_bps"] * rows["n_trades"]),
            }
            for name in document["variants"]
        },
    }


def trials_advice(entries: Iterable[Entry], facts: Mapping[str, Any]) -> dict[str, Any]:
    """What luck could do among all trials on a run's assets; a made-up market has other assets of the same names.

    Parameters
    ----------
    entries : iterable of Entry
        The ledger before the run was judged.
    facts : mapping
        ``judged_facts`` of the run.
    """
    before = [entry.facts for entry in entries if entry.kind == "judged"]
    trials = _distinct([*(one for one in before if _market_of(one) == _market_of(facts)), facts])
    return {
        "n_trials": len(trials),
        "deflated_sharpe": _deflated(_trials(facts), trials),
        "overfitting": _overfitting(facts, trials),
    }


def known_before(entries: Iterable[Entry], document: Mapping[str, Any]) -> dict[str, str]:
    """Variants of a plan whose results somebody had seen by then, each with the first run that showed them."""
    first: dict[str | None, str] = {}
    for entry in entries:
        if entry.kind in {"judged", "looked"}:
            for one in entry.facts["variants"].values():
                for key in ("trial", "fits"):
                    first.setdefault(one.get(key), entry.facts["run_id"])
    own = {name: one for name, one in trial_facts(document).items() if name != document["baseline"]}
    found = {name: first.get(one["trial"]) or first.get(one["fits"]) for name, one in own.items()}
    return {name: run for name, run in found.items() if run is not None}


def _market_of(facts: Mapping[str, Any]) -> tuple[Any, bool]:
    return facts["assets"], bool(facts.get("synthetic"))


def _trials(facts: Mapping[str, Any]) -> dict[str, Trial]:
    """Trials of one judged line, by variant."""
    edges = tuple(facts["edges_utc"])
    return {
        name: Trial(one["trial"], facts["label"], edges, *(_figures(one[key]) for key in ("f1", "returns_bps")))
        for name, one in facts["variants"].items()
    }


def _distinct(judged: Iterable[Mapping[str, Any]]) -> dict[str, Trial]:
    """Trials by id, in the order of ids; of one judged twice, the last. Sums then do not depend on who adds them up."""
    found = {trial.id: trial for facts in judged for trial in _trials(facts).values()}
    return dict(sorted(found.items()))


def _deflated(own: Mapping[str, Trial], trials: Mapping[str, Trial]) -> dict[str, Any]:
    """Deflated Sharpe ratio of each variant among all trials; None where it is undefined."""
    ratios = [trial.annual_sharpe for trial in trials.values()]
    known = [ratio for ratio in ratios if ratio is not None]
    variance = float(np.var(known, ddof=1)) if len(known) > 1 else 0.0
    found = {
        name: deflated_sharpe(trial.returns_bps or (), len(trials), variance / trial.blocks_a_year)
        for name, trial in own.items()
    }
    return {name: None if one is None else asdict(one) for name, one in found.items()}


def _overfitting(facts: Mapping[str, Any], trials: Mapping[str, Trial]) -> dict[str, Any] | None:
    """Over the trials whose F1 compare: the same label scheme and blocks."""
    like = (facts["label"], tuple(facts["edges_utc"]))
    scores = [trial.f1 for trial in trials.values() if trial.f1 and (trial.label, trial.edges_utc) == like]
    found = overfitting_probability(np.array(scores, dtype=np.float64)) if scores else None
    return None if found is None else asdict(found)


def _by_fold(rows: pd.DataFrame, variant: str, folds: Sequence[int], values: pd.Series[float]) -> list[float] | None:
    """Mean over assets of each fold; None where a row of the variant has no value."""
    own = rows["variant"] == variant
    found = values[own].astype(float)
    if found.isna().any() or not len(found):
        return None
    means = found.groupby(rows.loc[own, "fold"]).mean()
    return [float(means[fold]) for fold in folds] if set(means.index) == set(folds) else None


def _figures(values: Sequence[float] | None) -> tuple[float, ...] | None:
    return None if values is None else tuple(values)

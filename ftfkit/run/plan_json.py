"""plan.json: what a run was to do, written before it does it, and hashed so that nobody can change it unnoticed."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ftfkit.config.schema import COMPONENT_GROUPS, FACTOR_GROUPS, Experiment, Spec, Variant
from ftfkit.run.keys import canonical, sha256, sources
from ftfkit.run.survey import AssetSurvey

if TYPE_CHECKING:
    from ftfkit.run.plan import Plan, PlannedCell

SCHEMA = 1
UNHASHED = (  # when, where and how it was typed, and what was made of it
    "run_id",
    "created_utc",
    "plan_hash",
    "command",
    "overrides",
    "config_dirs",
    "blocked",
    "champion",
    "registration",
    "forecast",
    "lint",
    "python",
)
PLACES = ("data", "executor", "store")  # groups that say where, not what; bars enter by their fingerprints
VERDICTS = ("INCOMPLETE", "LOCK", "INCONCLUSIVE", "ABANDON")  # in the order in which they are decided
JUDGING = ("ftfkit.judge",)  # code that turns rows into a verdict, beside the gate checks
SECTIONS = ("balancing", "hpo", "calibration", "trade")


def plan_document(plan: Plan) -> dict[str, Any]:
    """Everything about a plan as JSON-able values; times are ISO 8601 in UTC, mappings keep their order."""
    experiment = plan.experiment
    return {
        "schema": SCHEMA,
        "run_id": plan.run_id,
        "created_utc": plan.created_utc.isoformat(timespec="seconds"),
        "plan_hash": plan.plan_hash,
        "command": command(experiment),
        "overrides": list(experiment.overrides),
        "config_dirs": list(experiment.config_dirs),
        "blocked": list(experiment.plugins.blocked),
        "champion": experiment.locked,
        "registration": asdict(plan.registration) if plan.registration else None,
        "synthetic": plan.synthetic,
        "factor_groups": _factor_groups(plan),
        "track": experiment.track.model_dump(mode="json") if experiment.track else None,
        **_context(plan),
        "variants": {variant.name: _variant(variant) for variant in plan.variants},
        "family_size": len(experiment.variants),
        "gates": experiment.gates.model_dump(mode="json"),
        "decision_rule": {
            "order": list(VERDICTS),
            "sources": sources(JUDGING, map(type, experiment.gate_checks.values())),
        },
        "stats": experiment.stats.model_dump(mode="json"),
        "sweep": experiment.sweep.model_dump(mode="json"),
        "readiness": _readiness(plan),
        "data": {name: _asset_data(found) for name, found in plan.survey.data.items()},
        "market": dict(plan.survey.market),
        "cells": [_cell(cell) for cell in plan.cells],
        "versions": dict(sorted({key: v for found in plan.versions.values() for key, v in found.items()}.items())),
        "plugins": [dict(plugin) for plugin in plan.plugins],
        "python": platform.python_version(),
    }


def command(experiment: Experiment, *subcommand: str) -> str:
    """The command line that declares an experiment, to a run or to a subcommand."""
    dirs = [word for folder in experiment.config_dirs for word in ("--config-dir", folder)]
    return shlex.join(["python", "-m", "ftfkit", *subcommand, *dirs, *experiment.overrides])


def readiness_note(document: Mapping[str, Any]) -> str | None:
    """What becomes of a plan whose track names no readiness document; None where its gate has what it needs."""
    expected = document["track"] and "mlops_readiness" in document["gates"]["checks"]
    if not expected or document["readiness"]["sha256"]:
        return None
    return (
        "the track names no readiness document: mlops_readiness will be ERROR and every verdict INCOMPLETE; "
        "`python -m ftfkit readiness FILE --scaffold` writes one, ++track.readiness=FILE names it"
    )


def plan_hash(document: Mapping[str, Any]) -> str:
    """SHA-256 of what ``hashed_part`` leaves of a plan document."""
    return sha256(canonical(hashed_part(document)))


def check_document(document: Mapping[str, Any]) -> None:
    """Fail where a file is no plan document of this schema, with the error that reading it would meet.

    Raises
    ------
    ValueError
        For another schema; KeyError, TypeError or AttributeError for what is no plan at all.
    """
    plan_hash(document)
    for name in ("plan_hash", "run_id", "schema"):
        if name not in document:
            raise KeyError(name)
    if document["schema"] != SCHEMA:
        raise ValueError(f"schema == {document['schema']} must be {SCHEMA}")


def hashed_part(document: Mapping[str, Any]) -> dict[str, Any]:
    """A plan document without its time, command line, hash, paths and interpreter.

    Data enters by its fingerprints, so that the same experiment on the same bars has one hash wherever they lie.
    Observers are left out: they cannot alter a result, so watching a run must not make it another plan.
    """
    hashed = {key: value for key, value in document.items() if key not in UNHASHED}
    hashed["plugins"] = [plugin for plugin in document["plugins"] if plugin.get("role") != "observer"]
    hashed["data"] = {asset: _without(values, "origin") for asset, values in document["data"].items()}
    hashed["options"] = _without(document["options"], *PLACES)
    hashed["readiness"] = _without(document["readiness"], "path")
    hashed["track"] = _without(document["track"] or {}, "readiness", "plan_document", "links")
    hashed["variants"] = {
        name: {**variant, "config": _without(variant["config"], "data")}
        for name, variant in document["variants"].items()
    }
    return hashed


def _without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _factor_groups(plan: Plan) -> list[str]:
    differing = {group for variant in plan.variants for group in variant.factor_options}
    return [group for group in FACTOR_GROUPS if group in differing]


def _context(plan: Plan) -> dict[str, Any]:
    """What all variants share."""
    spec = plan.baseline.spec
    cv, hpo, universe = spec.cv, spec.hpo, spec.universe
    holdout = spec.data.holdout_from
    return {
        "universe": {
            "name": universe.name,
            "quote": universe.quote,
            "assets": [asset.name for asset in universe.universe.assets],
        },
        "options": dict(spec.options),
        "label": spec.options["label"],
        "cv": {
            "option": spec.options["cv"],
            "n_folds": cv.n_folds,
            "embargo_bars": cv.embargo_bars,
            "repeats": cv.repeats,
        },
        "hpo": {"option": spec.options["hpo"], "n_trials": hpo.n_trials, "objective": hpo.objective},
        "period": {
            "start_utc": _iso(plan.survey.period[0]),
            "end_utc": _iso(plan.survey.period[1]),
            "edges_utc": [_iso(int(edge)) for edge in plan.survey.edges],
            "holdout_from": holdout.isoformat() if holdout else None,
        },
        "folds": list(plan.folds),
        "baseline": plan.baseline.name,
        "seed": spec.seed,
    }


def _variant(variant: Variant) -> dict[str, Any]:
    document = {"options": dict(variant.factor_options), "config": spec_config(variant.spec)}
    return {**document, "values": list(variant.values), "neutral": dict(variant.spec.loss.neutral)}


def spec_config(spec: Spec) -> dict[str, dict[str, Any]]:
    """Every section of a setting as validated: components with their name, then the core's own sections."""
    sections = {group: dict(spec.raw[group]) for group in COMPONENT_GROUPS}
    sections.update({group: getattr(spec, group).model_dump(mode="json") for group in SECTIONS})
    sections["metrics"] = {name: metric.model_dump(mode="json") for name, metric in spec.metrics.items()}
    return sections


def _readiness(plan: Plan) -> dict[str, str | None]:
    track, text = plan.experiment.track, plan.readiness.text
    digest = None if text is None else sha256(text)
    return {"path": track.readiness if track else None, "sha256": digest}


def _asset_data(found: AssetSurvey) -> dict[str, Any]:
    quality = asdict(found.quality)
    return {
        "sha256": found.sha256,
        "origin": quality.pop("origin"),
        "n_native": found.n_native,
        "n_label": found.n_label,
        "quality": quality,
        "n_events": found.n_events,
        "dropped": dict(found.dropped),
        "tie_share": found.tie_share,
        "prevalence": found.prevalence,
    }


def _cell(cell: PlannedCell) -> dict[str, Any]:
    keys = {"fit_key": cell.fit_key, "row_key": cell.row_key}
    return {"variant": cell.variant, "asset": cell.asset.name, "fold": cell.fold, **keys}


def _iso(ns: int) -> str:
    return datetime.fromtimestamp(ns // 10**9, tz=UTC).isoformat()

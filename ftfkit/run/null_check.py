"""How often an experiment locks noise, and how often it finds an effect that is there: its own cells, many times.

In each replicate both arms are the declared setting, each with a block of noise columns of its own. The arms are
exchangeable, so that every lift between them is false; or one column of the variant's block sees the label, so that
a lift is true. No cell serves in two replicates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ftfkit.config.origin import place_of
from ftfkit.config.schema import FACTOR_GROUPS, Experiment, Spec, Variant
from ftfkit.judge import judge_rows
from ftfkit.judge.criteria import criteria_of
from ftfkit.judge.rates import rejection_rates
from ftfkit.run.executors import check_startable
from ftfkit.run.files import write_json
from ftfkit.run.keys import canonical, sha256
from ftfkit.run.ledger import Ledger
from ftfkit.run.noise import NoiseDesign, PlantedOracle, WithNoise
from ftfkit.run.plan import Plan, PlannedCell, make_plan, plan_document
from ftfkit.run.plan_json import command, spec_config
from ftfkit.run.progress import NoProgress, Progress
from ftfkit.run.reads import enter_read
from ftfkit.run.replicates import run_replicates
from ftfkit.run.store import check_driver, open_store
from ftfkit.run.survey import survey
from ftfkit.types import Comparison, Row, VariantVerdict

SCHEMA = 1
FOLDER, RESULT = "null_checks", "null_check.json"
ARMS = ("noise A", "noise B")  # baseline and variant
GROUPS = (*FACTOR_GROUPS, "cv", "hpo", "calibration", "trade")
_CONTEXT = ("universe", "label", "cv", "hpo", "period", "folds", "gates", "stats", "seed", "synthetic")


@dataclass(frozen=True, eq=False)
class NullCheck:
    """A finished null check; ``document`` is what null_check.json in ``folder`` holds."""

    folder: Path
    document: dict[str, Any]
    n_reused: int
    n_failed: int


def null_check(
    experiment: Experiment, design: NoiseDesign, n_replicates: int, *, progress: Progress | None = None
) -> NullCheck:
    """Run the replicates that are missing and count what tests and gates made of all.

    Parameters
    ----------
    experiment : Experiment
        Both arms take its only variant's setting, or its baseline's where it declares none or several.
    design : NoiseDesign
    n_replicates : int
        Independent sweeps of two arms; a later call with more of them goes on from there.
    progress : Progress, optional
        Told of every cell; silent by default.

    Raises
    ------
    FtfkitError
        When data or plugins are refused.
    KeyboardInterrupt
        Once everything finished is stored and all workers are gone; the same call then goes on from there.
    """
    check_startable(experiment.executor, place_of(experiment, "executor.name"))
    check_driver(experiment)
    plans = _plans(experiment, design, n_replicates)
    output = Path(experiment.output.dir)
    enter_read(Ledger(output), plan_document(plans[0]))
    with open_store(experiment) as store:
        rows, n_reused = run_replicates(plans, store, progress or NoProgress())
    verdicts = [_verdict(plan, rows) for plan in plans]
    document = _document(experiment, plans, design, verdicts)
    folder = output / FOLDER / document["id"]
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder, RESULT, document)
    return NullCheck(folder, document, n_reused, sum(row.status == "error" for row in rows.values()))


def replicate(experiment: Experiment, design: NoiseDesign, number: int) -> Experiment:
    """The experiment of one replicate: two arms that differ in their noise alone."""
    spec = _setting(experiment)
    baseline, variant = (_arm(spec, design, number, name) for name in ARMS)
    return experiment.model_copy(update={"baseline": baseline, "variants": (variant,), "plan": None})


def _setting(experiment: Experiment) -> Spec:
    """What both arms are."""
    return (experiment.variants[0] if len(experiment.variants) == 1 else experiment.baseline).spec


def _arm(spec: Spec, design: NoiseDesign, number: int, name: str) -> Variant:
    digest = hashlib.sha256(f"{spec.seed}|null check|{number}|{name}".encode()).digest()
    noise = WithNoise(
        base=spec.features,
        n_columns=design.n_columns,
        seed=int.from_bytes(digest[:6], "big"),
        correlation=design.correlation,
        memory_bars=design.memory_bars,
    )
    planted = design.effect > 0 and name == ARMS[1]
    features = PlantedOracle(base=noise, label=spec.label, strength=design.effect) if planted else noise
    shown = {**spec.raw["features"], "null_check": features.model_dump(mode="json")}
    changed = spec.model_copy(update={"features": features, "raw": {**spec.raw, "features": shown}})
    return Variant(name=name, spec=changed, factor_options={"features": name})


def _plans(experiment: Experiment, design: NoiseDesign, n_replicates: int) -> list[Plan]:
    """One plan a replicate on one reading of the data; the arms need no other assets than the setting does."""
    now, found = datetime.now(UTC), survey(replicate(experiment, design, 0))
    return [make_plan(replicate(experiment, design, number), now, found) for number in range(n_replicates)]


def _verdict(plan: Plan, rows: dict[str, Row]) -> VariantVerdict:
    """What the declared gates make of one replicate."""
    frame = pd.DataFrame([_flat(cell, rows[cell.row_key]) for cell in plan.cells])
    verdict = judge_rows(
        frame,
        baseline=ARMS[0],
        criteria=criteria_of(plan.experiment),
        grid=plan.grid,
        readiness=plan.readiness,
        synthetic=plan.synthetic,
    )
    return verdict.variants[ARMS[1]]


def _flat(cell: PlannedCell, row: Row) -> dict[str, Any]:
    """A row as the judge reads it: a column a field, and one a plugin metric."""
    values = asdict(row)
    return {"variant": cell.variant, **values.pop("extra"), **values}


def _document(
    experiment: Experiment, plans: Sequence[Plan], design: NoiseDesign, verdicts: Sequence[VariantVerdict]
) -> dict[str, Any]:
    """null_check.json: the same bytes for the same replicates."""
    first = plan_document(plans[0])
    planning = criteria_of(experiment).planning
    question = {
        "design": asdict(design),
        **{name: first[name] for name in _CONTEXT},
        "options": {group: first["options"][group] for group in GROUPS},
        "setting": _sections(_setting(experiment)),
        "data": {asset: found["sha256"] for asset, found in first["data"].items()},
    }
    rates = rejection_rates(verdicts, planning)
    return {
        "schema": SCHEMA,
        "id": sha256(canonical(question))[:12],
        "command": _command(experiment, design, len(plans)),
        "n_replicates": len(plans),
        "n_incomplete": sum(verdict.verdict == "INCOMPLETE" for verdict in verdicts),
        **question,
        "versions": first["versions"],
        "planning": asdict(planning),
        "rates": {name: asdict(rate) for name, rate in rates.items()},
        "means": _means([verdict.comparison for verdict in verdicts]),
        "replicates": [_told(verdict) for verdict in verdicts],
    }


def _sections(spec: Spec) -> dict[str, Any]:
    """Every section of the setting but where its bars lie; they enter by their hashes."""
    return {name: values for name, values in spec_config(spec).items() if name != "data"}


def _command(experiment: Experiment, design: NoiseDesign, n_replicates: int) -> str:
    flags = {
        "--replicates": n_replicates,
        "--effect": design.effect,
        "--noise-features": design.n_columns,
        "--noise-correlation": design.correlation,
        "--noise-memory-bars": design.memory_bars,
    }
    return " ".join([command(experiment, "null-check"), *(f"{flag} {value!r}" for flag, value in flags.items())])


def _told(verdict: VariantVerdict) -> dict[str, Any]:
    """One replicate, in the figures that the rates and means stand on."""
    found = verdict.comparison
    return {
        "verdict": verdict.verdict,
        "failed_gates": [name for name, gate in verdict.gates.items() if gate.status in {"FAIL", "ERROR"}],
        "mean": found.mean,
        "ci95": list(found.ci95),
        "p": found.p,
        "fold_t_p": found.fold_t.p,
        "nadeau_bengio_p": found.nadeau_bengio.p,
        "icc_fold": found.icc_fold,
        "mde80": found.mde80,
    }


def _means(comparisons: Sequence[Comparison]) -> dict[str, float | None]:
    """Over replicates: the lift and its spread, and what one sweep takes for its dependence and its reach."""
    lifts = _known(one.mean for one in comparisons)
    return {
        "lift": _mean(lifts),
        "lift_sd": float(np.std(lifts, ddof=1)) if len(lifts) > 1 else None,
        "icc_fold": _mean(_known(one.icc_fold for one in comparisons)),
        "mde80": _mean(_known(one.mde80 for one in comparisons)),
    }


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None

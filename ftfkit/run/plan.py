"""One plan for a whole run: every cell of every variant and of the baseline, known before any of them is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ftfkit.config.schema import Experiment, Spec, Variant
from ftfkit.judge import Grid, Readiness
from ftfkit.judge.criteria import readiness_of
from ftfkit.plugins import Registry, registry
from ftfkit.run import keys
from ftfkit.run.judged import check_judged
from ftfkit.run.market import market_hash
from ftfkit.run.observers import observing_plugins
from ftfkit.run.plan_json import plan_document, plan_hash
from ftfkit.run.preregistration import Registration
from ftfkit.run.survey import Survey, label_id, market_assets, survey
from ftfkit.types import Asset

__all__ = ["Plan", "PlannedCell", "make_plan", "plan_document", "stamped"]


@dataclass(frozen=True)
class PlannedCell:
    """One (variant, asset, fold) with the keys its result is stored under."""

    variant: str
    asset: Asset
    fold: int
    fit_key: str
    row_key: str
    data_key: str  # ``market_hash`` of the bars it stands on
    rank: int  # place in the order of work, 0 first
    baseline_row_key: str | None  # the row whose tuned BUY count this cell's decision rule reproduces


@dataclass(frozen=True, eq=False)
class Plan:
    """What a run will do; ``plan_document`` is its JSON.

    ``variants`` are the experiment's, baseline first, as they are run: under a decision rule that needs the baseline,
    the baseline itself is run with the tuned threshold.
    """

    experiment: Experiment
    variants: tuple[Variant, ...]
    survey: Survey
    folds: tuple[int, ...]
    cells: tuple[PlannedCell, ...]  # by variant, asset name, fold
    versions: Mapping[str, Mapping[str, str]]  # variant to distribution to version
    plugins: tuple[Mapping[str, str], ...]  # name, distribution, version and role of those that take part
    readiness: Readiness  # the track's document, read when the plan was made
    created_utc: datetime
    plan_hash: str = ""
    run_id: str = ""
    registration: Registration | None = None  # None where the run was not planned beforehand

    @property
    def baseline(self) -> Variant:
        return self.variants[0]

    @property
    def synthetic(self) -> bool:
        return any(variant.spec.data.synthetic for variant in self.variants)

    @property
    def grid(self) -> Grid:
        """Variants, assets and folds that a complete run has rows of."""
        names = tuple(variant.name for variant in self.variants[1:])
        return Grid(names, tuple(sorted(asset.name for asset in self.experiment.universe.assets)), self.folds)

    def spec(self, variant: str) -> Spec:
        return next(one.spec for one in self.variants if one.name == variant)


def make_plan(experiment: Experiment, now: datetime, found: Survey | None = None) -> Plan:
    """Read the data once, and derive every cell's keys.

    Parameters
    ----------
    experiment : Experiment
        Validated; its thresholds are hashed into the plan as they stand.
    now : datetime
        With time zone; the run id carries it in UTC.
    found : Survey, optional
        Of the same data, universe, label and cross-validation, where it is known; data is then not read again.

    Raises
    ------
    ConfigError
        When the rows will not have the metric to be judged by.
    DataError
        When an asset cannot be had, breaks the bar schema, or the assets have no common period.
    PluginError
        When a metric, or a label scheme's events, could not stand in any row.
    """
    plugins = registry(experiment.plugins.blocked)
    variants = _as_run(experiment, plugins)
    check_judged(experiment)
    found = found or survey(experiment)
    folds = sorted({fold for counts in found.n_train.values() for fold in counts})
    plan = Plan(
        experiment=experiment,
        variants=variants,
        survey=found,
        folds=tuple(folds),
        cells=_cells(experiment, variants, folds, found, plugins),
        versions={variant.name: keys.versions(variant.spec, plugins) for variant in variants},
        plugins=_taking_part(experiment, plugins),
        readiness=readiness_of(experiment.track),
        created_utc=now.astimezone(UTC),
    )
    return stamped(replace(plan, plan_hash=plan_hash(plan_document(plan))), plan.created_utc)


def stamped(plan: Plan, now: datetime) -> Plan:
    """The same plan with the run id of another moment."""
    moment = now.astimezone(UTC)
    labels = {variant.spec.options["label"] for variant in plan.variants}
    scheme = labels.pop().replace("/", "-") if len(labels) == 1 else "multi"
    run_id = f"ftf_{moment:%Y%m%d_%H%M%S}_{plan.plan_hash[:6]}_{scheme}"
    return replace(plan, created_utc=moment, run_id=run_id)


def reserved(output: Path, plan: Plan) -> tuple[Path, Plan]:
    """Make the run's folder; where another run has it already, the plan takes the id of the next second."""
    runs = output / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    while True:
        folder = runs / plan.run_id
        try:
            folder.mkdir()
        except FileExistsError:
            plan = stamped(plan, plan.created_utc + timedelta(seconds=1))
        else:
            return folder, plan


def _as_run(experiment: Experiment, plugins: Registry) -> tuple[Variant, ...]:
    """All variants, baseline first; a baseline whose rule needs a baseline takes the tuned threshold."""
    baseline = experiment.baseline
    if baseline.spec.decision.needs_baseline:
        tuned = plugins.load("decision_rule", "tuned")()
        raw = {**baseline.spec.raw, "decision": {"name": "tuned", **tuned.model_dump(mode="json")}}
        spec = baseline.spec.model_copy(update={"decision": tuned, "raw": raw})
        baseline = baseline.model_copy(update={"spec": spec})
    return (baseline, *experiment.variants)


def _cells(
    experiment: Experiment, variants: Sequence[Variant], folds: Sequence[int], found: Survey, plugins: Registry
) -> tuple[PlannedCell, ...]:
    assets = sorted(experiment.universe.assets, key=lambda one: one.name)
    bases = {v.name: (keys.fit_basis(v.spec, plugins), keys.row_basis(v.spec)) for v in variants}
    ranks = _ranks(variants, assets, folds, found, baseline_first=experiment.sweep.stop_when_decided)
    baseline_keys: dict[tuple[str, int], tuple[str, str]] = {}
    cells = []
    for variant in variants:
        fit_basis, row_basis = bases[variant.name]
        for asset in assets:
            bars = {one.name: found.fingerprints[one.name] for one in market_assets(variant.spec, asset)}
            data_key = market_hash(bars)
            for fold in folds:
                fit = keys.fit_key(fit_basis, variant.spec.universe.universe, asset, bars, found.edges, fold)
                needed = baseline_keys[asset.name, fold] if variant.spec.decision.needs_baseline else (None, None)
                row = keys.row_key(row_basis, fit, needed[0])
                baseline_keys.setdefault((asset.name, fold), (fit, row))
                rank = ranks[variant.name, asset.name, fold]
                cells.append(PlannedCell(variant.name, asset, fold, fit, row, data_key, rank, needed[1]))
    return tuple(cells)


def _ranks(
    variants: Sequence[Variant], assets: Sequence[Asset], folds: Sequence[int], found: Survey, *, baseline_first: bool
) -> dict[tuple[str, str, int], int]:
    """Order of work: assets with much to train first, then large folds, the variants of a fold side by side.

    A worker so stays with one asset's data, and the short cells at the end leave no worker idle for long. Where a
    variant may be abandoned early, its bound needs the whole baseline, which then goes first.
    """
    scheme = label_id(variants[0].spec)
    counts = {asset.name: found.n_train[scheme, asset.name] for asset in assets}
    order = [
        (variant.name, name, fold)
        for name in sorted(counts, key=lambda one: (-sum(counts[one].values()), one))
        for fold in sorted(folds, key=lambda one: (-counts[name].get(one, 0), one))
        for variant in variants
    ]
    order.sort(key=lambda cell: baseline_first and cell[0] != variants[0].name)
    return {cell: rank for rank, cell in enumerate(order)}


def _taking_part(experiment: Experiment, plugins: Registry) -> tuple[Mapping[str, str], ...]:
    """Plugins behind the components, metrics and gates of the run, and the observers."""
    involved = {name for variant in experiment.all_variants for name in keys.distributions(variant.spec, plugins)}
    involved.update(
        plugins.find("data_source", str(variant.spec.raw["data"]["name"])).distribution
        for variant in experiment.all_variants
    )
    involved.update(plugins.find("gate_check", name).distribution for name in experiment.gate_checks)
    observing = {plugin.name for plugin in observing_plugins(plugins)}
    return tuple(
        {
            "name": plugin.name,
            "distribution": plugin.distribution,
            "version": plugin.version,
            "role": "result" if plugin.distribution in involved else "observer",
        }
        for plugin in plugins.plugins
        if plugin.distribution in involved or plugin.name in observing
    )

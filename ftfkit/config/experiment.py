"""Overrides to one experiment: which settings are variants, which are context, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ftfkit.components import Loss, Model
from ftfkit.config.build import component, named_component, section
from ftfkit.config.champion import Champion, baseline_overrides, read_locks, standing_on, start_from
from ftfkit.config.compose import COMMAND_LINE, Composed, Composer, composer
from ftfkit.config.meaning import ROOT_KEYS
from ftfkit.config.overrides import about, group_of, inner_key_of, without_password
from ftfkit.config.participants import check_requirements, refuse_blocked, refuse_unknown_blocked
from ftfkit.config.planned import brought, planned
from ftfkit.config.schema import COMPONENT_GROUPS, FACTOR_GROUPS, Experiment, Spec, Variant
from ftfkit.config.sections import (
    SECTIONS,
    BalancingConfig,
    CalibrationConfig,
    ChampionConfig,
    ExecutorConfig,
    GatesConfig,
    HpoConfig,
    OutputConfig,
    PluginsConfig,
    StatsConfig,
    StoreConfig,
    SweepConfig,
    TradeConfig,
    UniverseConfig,
)
from ftfkit.config.tracks import by_track, check_track, track_of, track_variants
from ftfkit.errors import ConfigError
from ftfkit.plugins import Registry, registry

CONTEXT_IF_SINGLE = ("label", "decision")  # one value for all, unless swept or declared by a track


def compose(overrides: Sequence[str] = (), using: Composer | None = None) -> Experiment:
    """Compose and validate everything that one run needs, before any data is read.

    Parameters
    ----------
    overrides : sequence of str
        Hydra overrides, sweeps included (``loss=focal/standard``, ``loss=glob(focal/*)``); ``plan=FILE`` brings those
        of a pre-registered plan.
    using : Composer, optional
        Conf folders to compose from; default: the core's and every plugin's.

    Raises
    ------
    ConfigError
        One line with place, value, rule and owner.
    PluginError
        When a plugin that takes part requires what cannot be imported.
    """
    plan = planned(overrides)
    if plan is None:
        return _composed(tuple(overrides), using or composer())
    dirs = plan.folders if using is None or not using.extra_folders else ()
    with brought(plan):
        experiment = _composed(plan.overrides, composer(dirs) if dirs or using is None else using)
    return experiment.model_copy(update={"plan": plan.file})


def _composed(overrides: tuple[str, ...], maker: Composer) -> Experiment:
    jobs = maker.expand(overrides)
    swept = {group for group in FACTOR_GROUPS if len({tuple(about(job, group)) for job in jobs}) > 1}
    whole = [override for override in jobs[0] if not (inner_key_of(override) and group_of(override) in FACTOR_GROUPS)]
    first = maker.compose(whole)  # values of factor groups may be those of a champion's option
    check_track(first)
    output = Path(section(first, "output", OutputConfig).dir)
    champion = next(iter(read_locks(output)[-1:]), None)
    with standing_on(champion, output, overrides):
        if champion is not None:
            jobs = start_from(champion, maker, first, jobs)
        first = _composed_again(maker, first, jobs[0])
        jobs, declared = track_variants(first, jobs)
        with by_track(first, declared):
            composed = [_composed_again(maker, first, job) for job in jobs]
        for other in composed[1:]:
            _refuse_swept_context(first, other)
        baseline_composed = _baseline(maker, composed[0], jobs[0], swept | declared, champion)
        blocked = section(first, "plugins", PluginsConfig).blocked
        plugins = registry(blocked)
        refuse_unknown_blocked(first, blocked, plugins)
        experiment = _experiment(baseline_composed, composed, plugins, overrides)
    check_requirements(experiment, plugins)
    told = {
        "config_dirs": tuple(map(str, maker.extra_folders)),
        "locked": f"{champion.run_id} {champion.variant}" if champion else None,
    }
    return experiment.model_copy(update=told)


def _composed_again(maker: Composer, before: Composed, job: Sequence[str]) -> Composed:
    """``before`` itself where the same is asked for: composing takes a tenth of a second."""
    return before if before.overrides == tuple(job) else maker.compose(job)


def _refuse_swept_context(first: Composed, other: Composed) -> None:
    for key in sorted(set(first.config) | set(other.config)):
        if key not in FACTOR_GROUPS and first.config.get(key) != other.config.get(key):
            rule = f"is context and cannot be swept; factors are {', '.join(FACTOR_GROUPS)}: run once for each value"
            raise ConfigError(COMMAND_LINE, key, other.options.get(key, "..."), rule)


def _baseline(
    maker: Composer, first: Composed, job: Sequence[str], factors: set[str], locked: Champion | None
) -> Composed:
    """The champion under the same context: what was locked, else what the conf names."""
    champion = first.config.get("baseline")
    if not isinstance(champion, Mapping) or set(champion) != set(FACTOR_GROUPS):
        rule = f"must name one option for each of {', '.join(FACTOR_GROUPS)}"
        place = COMMAND_LINE if first.touched_on_command_line("baseline") else first.where("baseline")
        raise ConfigError(place, "baseline", champion, rule)
    changed = baseline_overrides(locked, maker, first) if locked else {}
    context = [override for override in job if group_of(override) not in FACTOR_GROUPS]
    chosen: list[str] = []
    if not changed and _is_champion(first, champion, job, factors):
        return first
    for group in FACTOR_GROUPS:
        if group in CONTEXT_IF_SINGLE and group not in factors:
            values = [override for override in about(job, group) if inner_key_of(override)]
            chosen += [f"{group}={first.options[group]}", *values]
        else:
            chosen += changed.get(group, [f"{group}={champion[group]}"])
    return maker.compose([*context, *chosen])


def _is_champion(first: Composed, champion: Mapping[str, Any], job: Sequence[str], factors: set[str]) -> bool:
    """Whether a job asks for the champion itself, which then need not be composed a second time."""
    open_groups = [group for group in FACTOR_GROUPS if group not in CONTEXT_IF_SINGLE or group in factors]
    return all(
        first.options.get(group) == champion[group] and not any(map(inner_key_of, about(job, group)))
        for group in open_groups
    )


def _experiment(
    baseline: Composed, composed: Sequence[Composed], plugins: Registry, overrides: tuple[str, ...]
) -> Experiment:
    _refuse_unknown_groups(baseline)
    base_spec = _spec(baseline, plugins)
    specs = [(item, _spec(item, plugins)) for item in composed]
    differing = {id(item): _differs(base_spec, spec) for item, spec in specs}
    union = [group for group in FACTOR_GROUPS if any(group in groups for groups in differing.values())]
    variants = _variants(specs, differing, union)
    base_name = _name(baseline, union, full=False) if union else "baseline"
    if base_name in variants:
        base_name = f"{base_name} (baseline)"
    gates = section(baseline, "gates", GatesConfig)
    return Experiment(
        baseline=Variant(name=base_name, spec=base_spec, factor_options={}),
        variants=tuple(variants.values()),
        gates=gates,
        gate_checks={
            name: named_component(baseline, f"gates.checks.{name}", name, values or {}, "gate_check", plugins)
            for name, values in gates.checks.items()
        },
        stats=section(baseline, "stats", StatsConfig),
        executor=section(baseline, "executor", ExecutorConfig),
        store=section(baseline, "store", StoreConfig),
        output=section(baseline, "output", OutputConfig),
        champion=section(baseline, "champion", ChampionConfig),
        sweep=section(baseline, "sweep", SweepConfig),
        plugins=section(baseline, "plugins", PluginsConfig),
        track=track_of(baseline),
        overrides=tuple(map(without_password, overrides)),
        plan=baseline.config.get("plan"),
    )


def _variants(
    specs: Sequence[tuple[Composed, Spec]], differing: Mapping[int, Sequence[str]], union: Sequence[str]
) -> dict[str, Variant]:
    """Every setting that differs from the baseline, once."""
    names = _names([item for item, _ in specs if differing[id(item)]], union)
    variants: dict[str, Variant] = {}
    for item, spec in specs:
        groups = differing[id(item)]
        twin = any(not _differs(known.spec, spec) for known in variants.values())  # a second one would halve its p_bh
        if not groups or twin:
            continue
        name = names[id(item)]
        if name in variants:
            raise ConfigError(
                COMMAND_LINE, "variant", name, "must be one setting, not two; give an option another name"
            )
        options = {group: item.options.get(group, "") for group in groups}
        values = tuple(one for group in groups for one in about(item.overrides, group) if inner_key_of(one))
        variants[name] = Variant(name=name, spec=spec, factor_options=options, values=values)
    return variants


def _refuse_unknown_groups(composed: Composed) -> None:
    known = {*COMPONENT_GROUPS, *SECTIONS, *ROOT_KEYS}
    for key, value in composed.config.items():
        if key not in known:
            raise ConfigError(composed.where(key), key, value, f"is not a section; known: {', '.join(sorted(known))}")


def _spec(composed: Composed, plugins: Registry) -> Spec:
    label = component(composed, "label", "label_scheme", plugins)
    built: dict[str, Any] = {"label": label}
    for group, kind in COMPONENT_GROUPS.items():
        if group == "cv":
            built[group] = component(composed, group, kind, plugins, bar_hours=label.bar_hours)
        elif group != "label":
            built[group] = component(composed, group, kind, plugins)
    metrics = composed.config.get("metrics") or {}
    if not isinstance(metrics, Mapping):
        raise ConfigError(composed.where("metrics"), "metrics", metrics, "must be a mapping of keys to values")
    seed = composed.config.get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise ConfigError(composed.where("seed"), "seed", seed, "must be an integer >= 0")
    dumped = {group: built[group].model_dump(mode="json") for group in COMPONENT_GROUPS}
    raw = {group: {"name": composed.config[group]["name"], **values} for group, values in dumped.items()}
    refuse_blocked(composed, raw, plugins)
    _check_loss(composed, built["model"], built["loss"])
    return Spec(
        options=composed.options,
        raw=raw,
        balancing=section(composed, "balancing", BalancingConfig),
        hpo=section(composed, "hpo", HpoConfig),
        calibration=section(composed, "calibration", CalibrationConfig),
        trade=section(composed, "trade", TradeConfig),
        universe=section(composed, "universe", UniverseConfig),
        metrics={
            name: named_component(composed, f"metrics.{name}", name, values or {}, "metric", plugins)
            for name, values in metrics.items()
        },
        seed=seed,
        **built,
    )


def _check_loss(composed: Composed, model: Model, loss: Loss) -> None:
    """Ask the model here, before any data is read, what it would otherwise say in every cell."""
    try:
        model.check_loss(loss)
    except ConfigError as error:
        option = composed.options["loss"]
        raise ConfigError(composed.where("loss"), "loss", option, error.rule, error.owner) from error


def _differs(baseline: Spec, spec: Spec) -> tuple[str, ...]:
    """Factor groups whose validated values differ."""
    return tuple(
        group
        for group in FACTOR_GROUPS
        if (spec.balancing != baseline.balancing if group == "balancing" else spec.raw[group] != baseline.raw[group])
    )


def _names(items: Sequence[Composed], union: Sequence[str]) -> dict[int, str]:
    """Last components of the options, or full paths where two variants would share a name."""
    short = {id(item): _name(item, union, full=False) for item in items}
    if len(set(short.values())) == len(short):
        return short
    return {
        key: name if list(short.values()).count(name) == 1 else _name(item, union, full=True)
        for item, (key, name) in zip(items, short.items(), strict=True)
    }


def _name(item: Composed, union: Sequence[str], *, full: bool) -> str:
    parts = []
    for group in union:
        option = item.options.get(group, "none")
        values = [override for override in about(item.overrides, group) if inner_key_of(override)]
        changed = ",".join(override.partition(".")[2] for override in values)
        parts.append((option if full else option.rsplit("/", 1)[-1]) + (f"[{changed}]" if changed else ""))
    return "+".join(parts)

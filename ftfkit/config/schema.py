"""The validated experiment: one frozen model a conf group, components built by the plugins that own them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field

from ftfkit.components import (
    DataSource,
    DecisionRule,
    FeatureSet,
    GateCheck,
    LabelScheme,
    Loss,
    Metric,
    Model,
    Splitter,
    TargetTransform,
)
from ftfkit.config.sections import (
    BalancingConfig,
    CalibrationConfig,
    ChampionConfig,
    ExecutorConfig,
    GatesConfig,
    HpoConfig,
    OutputConfig,
    PluginsConfig,
    Section,
    StatsConfig,
    StoreConfig,
    SweepConfig,
    TrackConfig,
    TradeConfig,
    UniverseConfig,
)
from ftfkit.types import F1Rule, Universe

FACTOR_GROUPS = ("features", "label", "targets", "balancing", "model", "loss", "decision")
COMPONENT_GROUPS: Mapping[str, str] = {  # conf group -> plugin kind
    "data": "data_source",
    "features": "feature_set",
    "label": "label_scheme",
    "targets": "target_transform",
    "cv": "splitter",
    "model": "model",
    "loss": "loss",
    "decision": "decision_rule",
}


class Spec(Section):
    """One fully validated setting: what a single variant runs with. Components are built; nothing is looked up later.

    ``options`` maps each conf group to the option chosen (``loss`` to ``focal/standard``).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    options: Mapping[str, str]
    raw: Mapping[str, Mapping[str, Any]]  # component group -> {name, **parameters}, as validated and dumped
    data: DataSource
    features: FeatureSet
    label: LabelScheme
    targets: TargetTransform
    cv: Splitter
    model: Model
    loss: Loss
    decision: DecisionRule
    balancing: BalancingConfig
    hpo: HpoConfig
    calibration: CalibrationConfig
    trade: TradeConfig
    universe: UniverseConfig
    metrics: Mapping[str, Metric] = Field(default_factory=dict)
    seed: int = Field(default=0, ge=0)

    @property
    def f1_rule(self) -> F1Rule | None:
        """F1 rule of the search objective; part of the fit key only where the objective is F1."""
        return self.decision.f1_rule if self.hpo.objective == "f1_binary" else None


class Variant(Section):
    """A named setting of the factor; the baseline is one too."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: str
    spec: Spec
    factor_options: Mapping[str, str]  # factor groups in which it differs from the baseline -> option
    values: tuple[str, ...] = ()  # overrides of single values in these groups (loss.gamma=3)


class Experiment(Section):
    """Everything one run needs: baseline and variants on one universe, and how they are judged."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    baseline: Variant
    variants: tuple[Variant, ...]  # without the baseline; empty when only the baseline is run
    gates: GatesConfig
    gate_checks: Mapping[str, GateCheck]
    stats: StatsConfig
    executor: ExecutorConfig
    store: StoreConfig
    output: OutputConfig
    champion: ChampionConfig
    sweep: SweepConfig
    plugins: PluginsConfig
    track: TrackConfig | None
    overrides: tuple[str, ...]  # as given but for passwords, for the reproduction command
    plan: str | None = None  # path of a pre-registered plan that this run must equal
    config_dirs: tuple[str, ...] = ()  # folders with options of the user's own
    locked: str | None = None  # run and variant that made the baseline what it is; None where nothing was locked

    @property
    def all_variants(self) -> tuple[Variant, ...]:
        return (self.baseline, *self.variants)

    @property
    def universe(self) -> Universe:
        return self.baseline.spec.universe.universe

"""The validated experiment: one frozen model a conf group, components built by the plugins that own them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

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
from ftfkit.types import Asset, F1Rule, Universe

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


class Section(BaseModel):
    """Base of the groups that no plugin owns."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class UniverseConfig(Section):
    """``conf/universe``: a named list of assets."""

    name: str = Field(min_length=1)
    assets: tuple[str, ...] = Field(min_length=1)
    quote: str = Field(min_length=1)

    @model_validator(mode="after")
    def _no_repeats(self) -> UniverseConfig:
        if len(set(self.assets)) != len(self.assets):
            raise ValueError("assets must not repeat")
        return self

    @property
    def universe(self) -> Universe:
        return _universe(self.name, self.assets, self.quote)


@lru_cache(maxsize=8)
def _universe(name: str, bases: tuple[str, ...], quote: str) -> Universe:
    """The same object for the same names, which a plan asks for once a cell; no result hangs on their order."""
    return Universe(name, tuple(Asset(base, quote) for base in sorted(bases)), quote)


class BalancingConfig(Section):
    """``conf/balancing``: class weights, and optional weights by label uniqueness, on each fit's own rows."""

    class_weight: Literal["balanced"] | None = None
    uniqueness: bool = False


class HpoConfig(Section):
    """``conf/hpo``: power mode of the search in each cell; ``n_trials: 0`` uses the model's declared parameters."""

    n_trials: int = Field(ge=0)
    objective: Literal["f1_binary", "average_precision", "logloss"] = "f1_binary"
    n_startup_trials: int = Field(default=10, ge=1)
    every_rounds: int = Field(default=25, ge=1)
    pruning: bool = True
    pruning_startup_trials: int = Field(default=3, ge=0)  # finished trials before the first is pruned
    pruning_warmup_stages: int = Field(default=1, ge=0)  # stages of a trial in which it is not pruned


class CalibrationConfig(Section):
    """``conf/calibration``: how raw probabilities become class probabilities, fitted out of fold."""

    method: Literal["none", "platt", "isotonic", "loss_inverse"] = "none"


class TradeConfig(Section):
    """``conf/trade``: costs of each side, in basis points."""

    fee_bps: float = Field(default=10, ge=0)
    slippage_bps: float = Field(default=2, ge=0)


class GatesConfig(Section):
    """``conf/gates``: the pre-registered criteria; ``checks`` maps a gate check to its parameters."""

    name: str
    required_lift: float = Field(default=0.015, gt=0)
    checks: Mapping[str, Mapping[str, Any]] = Field(min_length=1)


class StatsConfig(Section):
    """``conf/stats``: the published comparison's constants."""

    metric: str = "f1_buy"
    n_resamples: int = Field(default=10_000, ge=100)
    seed: int = Field(default=42, ge=0)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    planning_sd_fold: float = Field(default=0.045, gt=0)


class ExecutorConfig(Section):
    """``conf/executor``: where cells run; ``workers: 0`` means one a core."""

    name: Literal["loky", "serial", "dask", "ray"] = "loky"
    workers: int = Field(default=0, ge=0)
    address: str | None = None
    batch_cells: int = Field(default=1, ge=1)
    retries: int = Field(default=1, ge=0)


class StoreConfig(Section):
    """``conf/store``: SQLAlchemy URL of the row store; null is ``<output.dir>/store.db``."""

    url: str | None = None


class TrackConfig(Section):
    """``conf/track``: metadata of a numbered line of research and the factor it declares."""

    id: str
    title: str = ""
    factor: str = ""
    variants: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)  # factor group -> options
    readiness: str | None = None  # path of the readiness document
    plan_document: str | None = None
    hypothesis: str = ""
    links: tuple[str, ...] = ()


class OutputConfig(Section):
    """Where everything a run writes goes."""

    dir: str = Field(default="outputs", min_length=1)


class ChampionConfig(Section):
    """What ``lock`` writes: the env file that a production job reads, and the variables an option sets in it.

    ``variables`` maps factor group to option to variable to value; ``*`` stands for every other option, and a value may
    name ``{option}`` and the group's parameters (``{gamma}``).
    """

    base_env: str = "champion/ftf_config.base_env"  # inside output.dir unless absolute
    variables: Mapping[str, Mapping[str, Mapping[str, str]]] = Field(default_factory=dict)


class SweepConfig(Section):
    """How a sweep ends early: only where its verdict is already certain."""

    stop_when_decided: bool = False


class PluginsConfig(Section):
    """Plugins that this run does without."""

    blocked: tuple[str, ...] = ()


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


SECTIONS: Mapping[str, type[Section]] = {  # conf groups and root sections that no plugin owns
    "universe": UniverseConfig,
    "balancing": BalancingConfig,
    "hpo": HpoConfig,
    "calibration": CalibrationConfig,
    "trade": TradeConfig,
    "gates": GatesConfig,
    "stats": StatsConfig,
    "executor": ExecutorConfig,
    "store": StoreConfig,
    "track": TrackConfig,
    "output": OutputConfig,
    "champion": ChampionConfig,
    "sweep": SweepConfig,
    "plugins": PluginsConfig,
}

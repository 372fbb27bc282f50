"""Sections of the config that no plugin owns: one frozen model a conf group or root section."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ftfkit.types import Asset, Universe

Symbol = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$")]  # it becomes part of file names


class Section(BaseModel):
    """Base of the groups that no plugin owns."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class UniverseConfig(Section):
    """``conf/universe``: a named list of assets.

    Attributes
    ----------
    name : str
        What plans and dossiers call the list.
    assets : tuple of str
        Base symbols (``AAVE``), without repeats; each is paired with ``quote``.
    quote : str
        Quote symbol of every asset (``USDC``).
    """

    name: str = Field(min_length=1)
    assets: tuple[Symbol, ...] = Field(min_length=1)
    quote: Symbol

    @field_validator("assets")
    @classmethod
    def _no_repeats(cls, assets: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
        if len(set(assets)) != len(assets):
            raise ValueError("must not repeat an asset")
        return assets

    @property
    def universe(self) -> Universe:
        return _universe(self.name, self.assets, self.quote)


@lru_cache(maxsize=8)
def _universe(name: str, bases: tuple[str, ...], quote: str) -> Universe:
    """The same object for the same names, which a plan asks for once a cell; no result hangs on their order."""
    return Universe(name, tuple(Asset(base, quote) for base in sorted(bases)), quote)


class BalancingConfig(Section):
    """``conf/balancing``: class weights, and optional weights by label uniqueness, on each fit's own rows.

    Attributes
    ----------
    class_weight : {"balanced", null}
        ``balanced`` weighs both classes alike in each fit; null leaves rows as they are.
    uniqueness : bool
        Whether rows are weighted by how little their label interval overlaps those of others.
    """

    class_weight: Literal["balanced"] | None = None
    uniqueness: bool = False


class HpoConfig(Section):
    """``conf/hpo``: power mode of the search in each cell; ``n_trials: 0`` uses the model's declared parameters.

    Attributes
    ----------
    n_trials : int
        Trials of the search in each cell; 0 uses the model's declared parameters.
    objective : {"f1_binary", "average_precision", "logloss"}
        What a trial is scored by on inner validation.
    n_startup_trials : int
        Trials drawn at random before the sampler learns from them.
    every_rounds : int
        Rounds between two evaluations of a trial; one of them is where the chosen fit stops.
    pruning : bool
        Whether trials that fall behind the median are ended early.
    pruning_startup_trials, pruning_warmup_stages : int
        Finished trials before the first is pruned, and evaluations of a trial before it may be.
    """

    n_trials: int = Field(ge=0)
    objective: Literal["f1_binary", "average_precision", "logloss"] = "f1_binary"
    n_startup_trials: int = Field(default=10, ge=1)
    every_rounds: int = Field(default=25, ge=1)
    pruning: bool = True
    pruning_startup_trials: int = Field(default=3, ge=0)
    pruning_warmup_stages: int = Field(default=1, ge=0)


class CalibrationConfig(Section):
    """``conf/calibration``: how raw probabilities become class probabilities, fitted out of fold.

    Attributes
    ----------
    method : {"none", "platt", "isotonic", "loss_inverse"}
        Platt scaling, isotonic regression or the inverse of the loss's own distortion; ``none`` keeps them as they are.
    """

    method: Literal["none", "platt", "isotonic", "loss_inverse"] = "none"


class TradeConfig(Section):
    """``conf/trade``: costs of each side, in basis points.

    Attributes
    ----------
    fee_bps, slippage_bps : float
        Exchange fee, and price moved against the trade, on each side; both together cost less than all there is.
    """

    fee_bps: float = Field(default=10, ge=0, lt=5_000)
    slippage_bps: float = Field(default=2, ge=0, lt=5_000)


class GatesConfig(Section):
    """``conf/gates``: the pre-registered criteria; ``checks`` maps a gate check to its parameters.

    Attributes
    ----------
    name : str
        What the verdict calls the set.
    required_lift : float
        Mean delta of the metric that a variant must reach.
    checks : mapping of str to mapping
        Gate checks that decide, each with its parameters.
    """

    name: str
    required_lift: float = Field(default=0.015, gt=0)
    checks: Mapping[str, Mapping[str, Any]] = Field(min_length=1)


class StatsConfig(Section):
    """``conf/stats``: the published comparison's constants.

    Attributes
    ----------
    metric : str
        Column of the rows that variants are compared by.
    n_resamples, seed : int
        Bootstrap resamples of the comparison, and their seed.
    confidence : float
        Level of the confidence intervals.
    planning_sd_fold : float
        Standard deviation of the fold means of the lift that power is planned with where no row tells it.
    """

    metric: str = "f1_buy"
    n_resamples: int = Field(default=10_000, ge=100, le=1_000_000)
    seed: int = Field(default=42, ge=0)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    planning_sd_fold: float = Field(default=0.045, gt=0)


class ExecutorConfig(Section):
    """``conf/executor``: where cells run; ``workers: 0`` means one a core.

    Attributes
    ----------
    name : {"loky", "serial", "dask", "ray"}
        Processes of this machine, this very process, or a cluster.
    workers : int
        Workers on this machine; 0 means one a core.
    address : str, optional
        Scheduler of a running cluster; null starts one here.
    batch_cells : int
        Cells handed to a worker at a time.
    retries : int
        How often a cell whose worker died is run again.
    """

    name: Literal["loky", "serial", "dask", "ray"] = "loky"
    workers: int = Field(default=0, ge=0)
    address: str | None = None
    batch_cells: int = Field(default=1, ge=1)
    retries: int = Field(default=1, ge=0)


class StoreConfig(Section):
    """``conf/store``: SQLAlchemy URL of the row store; null is ``<output.dir>/store.db``.

    Attributes
    ----------
    url : str, optional
        SQLAlchemy URL; passwords in it are masked in all that is written.
    """

    url: str | None = None


class TrackConfig(Section):
    """``conf/track``: metadata of a numbered line of research and the factor it declares.

    Attributes
    ----------
    id : str
        Number and short name of the track.
    title : str
        Title of its dossiers.
    factor : str
        What is varied, in words.
    variants : mapping of str to tuple of str
        By factor group, the options that are compared with the baseline; several groups form their product.
    readiness : str, optional
        Path (or ``pkg://PACKAGE/FILE``) of the document that mlops_readiness reads.
    plan_document : str, optional
        Path of the written plan, for the dossier.
    hypothesis : str
        What is expected, and why.
    links : tuple of str
        Addresses that the dossier points to.
    """

    id: str
    title: str = ""
    factor: str = ""
    variants: Mapping[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(default_factory=dict)
    readiness: str | None = None
    plan_document: str | None = None
    hypothesis: str = ""
    links: tuple[str, ...] = ()


class OutputConfig(Section):
    """Where everything a run writes goes.

    Attributes
    ----------
    dir : str
        Folder of runs, store, predictions and ledger.
    """

    dir: str = Field(default="outputs", min_length=1)


class ChampionConfig(Section):
    """What ``lock`` writes: the env file that a production job reads, and the variables an option sets in it.

    Attributes
    ----------
    base_env : str
        The env file, inside ``output.dir`` unless absolute.
    variables : mapping
        Set by group and option; ``*`` is every other option; values may name ``{option}`` and parameters (``{gamma}``).
    """

    base_env: str = "champion/ftf_config.base_env"
    variables: Mapping[str, Mapping[str, Mapping[str, str]]] = Field(default_factory=dict)


class SweepConfig(Section):
    """How a sweep ends early: only where its verdict is already certain.

    Attributes
    ----------
    stop_when_decided : bool
        Whether the rest of a variant is skipped once ABANDON is certain whatever it holds.
    """

    stop_when_decided: bool = False


class PluginsConfig(Section):
    """Plugins that this run does without.

    Attributes
    ----------
    blocked : tuple of str
        Names of plugins that take no part.
    """

    blocked: tuple[str, ...] = ()


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

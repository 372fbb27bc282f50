"""What planning learns from the data: period, block edges, fingerprints and counts; never a price beyond them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ftfkit.components import DataSource, Splitter
from ftfkit.config.origin import placed
from ftfkit.config.schema import Experiment, Spec
from ftfkit.errors import UNPLACED, DataError, DataSettingError
from ftfkit.purging import consecutive_splits, tail_split
from ftfkit.run.bars import counted
from ftfkit.run.keys import canonical, sha256
from ftfkit.run.market import check_reserved, common_period, native_bars, resample
from ftfkit.run.payloads import edges_of, events_of, needs_of, splits_of
from ftfkit.types import BAR_COLUMNS, Asset, Bars, BoolArray, DataQuality, Events, IntArray

ROWS_HELD = 3_000_000  # native bars kept between the two passes, 48 bytes each; more assets are read twice


@dataclass(frozen=True)
class AssetSurvey:
    """One asset's bars and baseline events inside the period, as plan.json and dossier show them."""

    sha256: str
    quality: DataQuality  # of the native bars up to the period's end; ``n_label_dropped`` of its label bars
    n_native: int
    n_label: int
    n_events: int
    dropped: Mapping[str, int]
    tie_share: float
    prevalence: float | None  # share of BUY; None without events


@dataclass(frozen=True, eq=False)
class Survey:
    """Everything a plan needs to know about the data.

    Attributes
    ----------
    period : tuple of int
        Start and end of the common period, ns UTC, end exclusive.
    edges : ndarray of int64, shape (n_blocks + 1,)
        Block edges, ns UTC, the same for all assets.
    fingerprints : mapping of str to str
        Asset name to the SHA-256 of its native bars up to the period's end, Market assets included.
    n_train : mapping of (label scheme, asset) to mapping of fold to int
        Training events of each fold; the label scheme by ``label_id``.
    """

    period: tuple[int, int]
    edges: IntArray
    data: Mapping[str, AssetSurvey]
    fingerprints: Mapping[str, str]
    n_train: Mapping[tuple[str, str], Mapping[int, int]]

    @property
    def market(self) -> dict[str, str]:
        """Fingerprints of the assets that only feature sets look at."""
        return {name: digest for name, digest in sorted(self.fingerprints.items()) if name not in self.data}


def label_id(spec: Spec) -> str:
    """What tells two label schemes apart."""
    return sha256(canonical(spec.raw["label"]))


def market_assets(spec: Spec, asset: Asset) -> tuple[Asset, ...]:
    """The asset and those its feature set declares, without repeats."""
    return tuple(dict.fromkeys((asset, *needs_of(spec.features, asset, spec.universe.universe))))


def survey(experiment: Experiment) -> Survey:
    """Read every asset's bars and count what the cells will find.

    Raises
    ------
    DataError
        When an asset cannot be had, breaks the bar schema, or the assets have no common period.
    ConfigError
        When a configured value does not fit the bars; names who set it.
    """
    with placed(experiment):
        return _survey(experiment)


def _survey(experiment: Experiment) -> Survey:
    spec = experiment.baseline.spec
    assets = experiment.universe.assets
    bars = _HeldBars(spec.data)
    period = common_period([_ends(bars.native(asset)) for asset in assets], spec.data.holdout_from)
    check_reserved(spec.data, assets, period[1])
    edges = edges_of(spec.cv, *period)
    schemes = {label_id(variant.spec): variant.spec for variant in experiment.all_variants}
    data: dict[str, AssetSurvey] = {}
    n_train: dict[tuple[str, str], Mapping[int, int]] = {}
    for asset in assets:
        native = _closed(bars.native(asset), period[1])
        for scheme, setting in schemes.items():
            with placed(experiment, setting):
                label = resample(native, setting.label.bar_hours)
            events = events_of(setting.label, label, native)
            inside = (events.t0 >= period[0]) & (events.t1 <= period[1])
            n_train[scheme, asset.name] = _n_train(setting, asset, events, inside, edges)
            if scheme == label_id(spec):
                data[asset.name] = _asset_survey(native, label, events, inside)
    fingerprints = {name: found.sha256 for name, found in data.items()}
    for variant in experiment.all_variants:
        for asset in assets:
            for other in market_assets(variant.spec, asset):
                if other.name not in fingerprints:
                    fingerprints[other.name] = _closed(bars.native(other), period[1]).sha256()
    return Survey(period, edges, data, fingerprints, n_train)


class _HeldBars:
    """Validated bars of a source; the first assets are kept in memory, the others read again when asked for."""

    def __init__(self, source: DataSource) -> None:
        self._source = source
        self._held: dict[Asset, Bars] = {}

    def native(self, asset: Asset) -> Bars:
        if asset in self._held:
            return self._held[asset]
        bars = native_bars(self._source, asset)
        if sum(map(len, self._held.values())) + len(bars) <= ROWS_HELD:
            self._held[asset] = bars
        return bars


def _closed(bars: Bars, end_ns: int) -> Bars:
    """Bars closed at the period's end, with ``quality`` counting these."""
    cut = counted(bars.up_to(end_ns))
    if not len(cut):
        raise DataError(f"{cut.quality.origin}: {cut.asset} has no bar inside the common period (ftfkit)")
    return cut


def _ends(bars: Bars) -> Bars:
    """First and last bar, copied, so that the rest can be let go."""
    first_last = {name: getattr(bars, name)[[0, -1]] for name in ("open_time", *BAR_COLUMNS)}
    return replace(bars, **first_last)


def _n_train(spec: Spec, asset: Asset, events: Events, inside: BoolArray, edges: IntArray) -> dict[int, int]:
    """Training events of each fold."""
    t0, t1 = events.t0[inside], events.t1[inside]
    if not len(t0):
        dropped = ", ".join(f"{reason} {n}" for reason, n in events.dropped.items()) or "none"
        raise DataError(f"{asset.name}: the common period holds no event of this label; dropped: {dropped} (ftfkit)")
    try:
        splits = splits_of(spec.cv, t0, t1, edges)
        smallest = min(splits, key=lambda split: len(split.train))
        _check_inner(spec.cv, smallest.fold, t0[smallest.train], t1[smallest.train])
    except DataSettingError as error:
        rule = f"{error.rule} (asset {asset.name})"
        raise DataSettingError(error.where, error.key, error.value, rule, error.owner) from error
    except DataError as error:
        raise DataError(f"{asset.name}: {error}") from error
    return {split.fold: len(split.train) for split in splits}


def _check_inner(cv: Splitter, fold: int, t0: IntArray, t1: IntArray) -> None:
    """Refuse inner validation and out-of-fold groups that cells of a fold could not make of its training events.

    Stacks and some targets group the inner training events, too; where they cannot, there is little to train on.
    """
    try:
        consecutive_splits(t0, t1, cv.oof_groups, cv.embargo_ns)
        inner = tail_split(t0, t1, cv.valid_frac, cv.embargo_ns).train
    except DataSettingError as error:
        raise DataSettingError(UNPLACED, error.key, error.value, f"{error.rule} (fold {fold})") from error
    try:
        consecutive_splits(t0[inner], t1[inner], cv.oof_groups, cv.embargo_ns)
    except DataSettingError as error:
        rule = f"must leave {cv.oof_groups} out-of-fold groups; it leaves {len(inner)} of {len(t0)} training events"
        raise DataSettingError(UNPLACED, "cv.valid_frac", cv.valid_frac, f"{rule} (fold {fold})") from error


def _asset_survey(native: Bars, label: Bars, events: Events, inside: BoolArray) -> AssetSurvey:
    n_events = int(np.count_nonzero(inside))
    return AssetSurvey(
        sha256=native.sha256(),
        quality=replace(native.quality, n_label_dropped=label.quality.n_label_dropped),
        n_native=len(native),
        n_label=len(label),
        n_events=n_events,
        dropped=dict(events.dropped),
        tie_share=float(events.tie_share),
        prevalence=float(events.y[inside].mean()) if n_events else None,
    )

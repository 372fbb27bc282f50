"""From a data source to the market of one asset: label bars, the common period, fingerprints."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

import numpy as np
import pandas as pd

from ftfkit.components import DataSource, FeatureSet
from ftfkit.errors import UNPLACED, ConfigError, DataError, DataSettingError
from ftfkit.run.bars import counted, last_close, native_bars, utc_ns
from ftfkit.run.payloads import needs_of, sealed
from ftfkit.types import HOUR_NS, Asset, Bars, Market, Universe

__all__ = ["check_reserved", "common_period", "fingerprints", "load_market", "market_hash", "native_bars", "resample"]


def resample(bars: Bars, hours: int) -> Bars:
    """Gather native bars into label bars of ``hours`` hours, anchored at 00:00 UTC.

    Returns
    -------
    Bars
        Complete label bars only. One that lacks a native bar, at the edges too, is dropped and counted in
        ``quality.n_label_dropped``; nothing is filled. Gap counts of ``quality`` are those of the label bars.

    Raises
    ------
    ConfigError
        When ``hours`` does not divide a day into whole native bars.
    """
    if hours < bars.bar_hours or hours % bars.bar_hours or 24 % hours:
        rule = f"must divide 24 and be a multiple of the {bars.bar_hours} h bars of {bars.asset}"
        raise ConfigError(UNPLACED, "label.bar_hours", hours, rule)
    slot = bars.open_time // (hours * HOUR_NS)
    first = np.flatnonzero(np.diff(slot, prepend=slot[:1] - 1))
    n_native = np.diff(first, append=len(slot))
    whole = n_native == hours // bars.bar_hours
    last = first + n_native - 1
    label = Bars(
        bars.asset,
        hours,
        open_time=slot[first[whole]] * (hours * HOUR_NS),
        open=bars.open[first[whole]],
        high=np.maximum.reduceat(bars.high, first)[whole],
        low=np.minimum.reduceat(bars.low, first)[whole],
        close=bars.close[last[whole]],
        volume=np.add.reduceat(bars.volume, first)[whole],
        quality=bars.quality,
        synthetic=bars.synthetic,
    )
    n_slots = int(slot[-1] - slot[0]) + 1
    return counted(label, n_label_dropped=n_slots - len(label))


def common_period(bars: Iterable[Bars], holdout_from: datetime | None) -> tuple[int, int]:
    """Intersection of the assets' periods, cut at the hold-out.

    Returns
    -------
    tuple of int
        Start (first bar open) and end (last bar close, or the hold-out), ns UTC; the end is exclusive.

    Raises
    ------
    DataSettingError
        When nothing is left; names the asset that starts last and the one that ends first.
    """
    series = tuple(bars)
    latest = max(series, key=lambda one: one.open_time[0])
    earliest = min(series, key=lambda one: one.close_time[-1])
    start, end = int(latest.open_time[0]), int(earliest.close_time[-1])
    if holdout_from is not None and utc_ns(holdout_from) < end:
        end = utc_ns(holdout_from)
        if start >= end:
            rule = f"must be after {_day(start)}, where the first bar of {latest.asset} opens"
            raise DataSettingError(UNPLACED, "data.holdout_from", _day(end), rule)
    if start >= end:
        found = f"{latest.asset} starts at {_day(start)}, {earliest.asset} ends {_day(end)}"
        rule = f"must have a common period: {found}"
        raise DataSettingError(UNPLACED, "universe.assets", f"{len(series)} assets", rule)
    return start, end


def check_reserved(source: DataSource, assets: Iterable[Asset], end_ns: int) -> None:
    """Refuse a hold-out that starts after the data ends: the bars still to come before it would change the plan.

    Parameters
    ----------
    end_ns : int
        End of the common period, ns UTC. A hold-out right there is of bars to come.

    Raises
    ------
    DataSettingError
        Names the asset that ends first.
    """
    if source.holdout_from is None or end_ns >= utc_ns(source.holdout_from):
        return
    end, first = min((last_close(source, asset), asset.name) for asset in assets)
    if end < utc_ns(source.holdout_from):  # else it starts inside a bar or a gap
        rule = f"must not be after {_day(end)}, where the bars of {first} end: it would reserve nothing"
        raise DataSettingError(UNPLACED, "data.holdout_from", _day(utc_ns(source.holdout_from)), rule)


def load_market(
    source: DataSource, features: FeatureSet, universe: Universe, asset: Asset, label_hours: int, end_ns: int
) -> Market:
    """Everything a cell of ``asset`` may see: its bars and those that its feature set declares, closed by ``end_ns``.

    Bars before the common period stay: they warm features up. ``quality`` counts what is left after the cut.

    Raises
    ------
    DataError
        When an asset cannot be had, breaks the bar schema or has no bar closed by ``end_ns``.
    """
    native: dict[str, Bars] = {}
    for needed in dict.fromkeys((asset, *needs_of(features, asset, universe))):
        bars = counted(native_bars(source, needed).up_to(end_ns))
        if not len(bars):
            raise DataError(f"{bars.quality.origin}: no bar of {bars.asset} is closed by {_day(end_ns)} (ftfkit)")
        native[needed.name] = bars
    label = {name: resample(bars, label_hours) for name, bars in native.items()}
    for bars in (*native.values(), *label.values()):
        sealed(bars)
    return Market(universe, MappingProxyType(native), MappingProxyType(label))


def fingerprints(market: Market) -> dict[str, str]:
    """SHA-256 of each asset's native bars, by asset name, sorted; paths and files do not enter."""
    return {name: market.native[name].sha256() for name in sorted(market.native)}


def market_hash(prints: Mapping[str, str]) -> str:
    """One SHA-256 of the ``fingerprints`` of a market."""
    return hashlib.sha256("".join(f"{name} {prints[name]}\n" for name in sorted(prints)).encode()).hexdigest()


def _day(ns: int) -> str:
    return pd.Timestamp(ns, unit="ns", tz="UTC").isoformat()

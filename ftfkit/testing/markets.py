"""Synthetic markets and label intervals: as long, as gappy and as predictable as a test wants them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from ftfkit.components import FeatureSet
from ftfkit.plugins import registry
from ftfkit.run.market import native_bars, resample
from ftfkit.types import BAR_COLUMNS, HOUR_NS, Asset, Bars, BoolArray, IntArray, Market, Universe

UNIVERSE = Universe("conformance", (Asset("AAVE", "USDT"), Asset("UNI", "USDT")), "USDT")
OWN, OTHER = UNIVERSE.assets
Gaps = Mapping[str, Iterable[tuple[int, int]]]  # asset name -> native bars [first, stop) that are missing


def synthetic_bars(asset: Asset = OWN, *, days: int = 120, seed: int = 1, signal: float = 0.3) -> Bars:
    """Native 1 h bars of the built-in synthetic source, read-only.

    Parameters
    ----------
    asset : Asset
    days, seed : int
    signal : float
        Strength of the planted drift; with 0 the price is a martingale and no rule has an edge.
    """
    source = registry().load("data_source", "synthetic")(days=days, seed=seed, signal=signal)
    return native_bars(source, asset)


def without(bars: Bars, gaps: Iterable[tuple[int, int]]) -> Bars:
    """The bars without those of the given ranges of rows; the hole stays a hole."""
    keep = np.ones(len(bars), dtype=bool)
    for first, stop in gaps:
        keep[first:stop] = False
    return masked(bars, keep)


def masked(bars: Bars, keep: BoolArray) -> Bars:
    """The chosen rows, read-only."""
    columns = {name: getattr(bars, name)[keep] for name in ("open_time", *BAR_COLUMNS)}
    for column in columns.values():
        column.flags.writeable = False
    return replace(bars, **columns)


def synthetic_market(features: FeatureSet, *, bar_hours: int = 4, days: int = 120, gaps: Gaps | None = None) -> Market:
    """Market of ``OWN`` with the assets that ``features`` declares; ``gaps`` takes native bars away."""
    assets = dict.fromkeys((OWN, *features.needs(OWN, UNIVERSE)))
    native = {
        asset.name: without(synthetic_bars(asset, days=days), (gaps or {}).get(asset.name, ())) for asset in assets
    }
    return market_of(native, bar_hours)


def market_of(native: Mapping[str, Bars], bar_hours: int) -> Market:
    """Market of native bars, label bars gathered as a run gathers them."""
    return Market(UNIVERSE, native, {name: resample(bars, bar_hours) for name, bars in native.items()})


def market_up_to(market: Market, end_ns: int) -> Market:
    """What was known at ``end_ns``: bars that are closed by then, of every asset."""
    native = {name: bars.up_to(end_ns) for name, bars in market.native.items()}
    return Market(market.universe, native, {name: bars.up_to(end_ns) for name, bars in market.label.items()})


def altered_after(bars: Bars, moment_ns: int, factor: float = 1.7) -> Bars:
    """The same bars up to ``moment_ns``, another future after it: prices scaled and reversed in time."""
    first = int(np.searchsorted(bars.close_time, moment_ns, side="right"))
    columns = {name: getattr(bars, name).copy() for name in BAR_COLUMNS}
    for name in BAR_COLUMNS:
        columns[name][first:] = columns[name][first:][::-1] * factor
    columns["open"][first:], columns["close"][first:] = columns["close"][first:].copy(), columns["open"][first:].copy()
    return replace(bars, **columns)


def label_intervals(n: int = 500, seed: int = 0, longest_bars: int = 60) -> tuple[IntArray, IntArray]:
    """Overlapping label intervals with repeated starts, gaps and a few very long labels; t0 sorted, ns UTC."""
    rng = np.random.default_rng([seed, 13])
    steps = rng.choice([0, 1, 1, 1, 2, 40], n, p=[0.1, 0.25, 0.25, 0.2, 0.18, 0.02])
    t0 = (np.cumsum(steps) * 4 * HOUR_NS).astype(np.int64)
    length = np.where(rng.random(n) < 0.03, longest_bars, rng.integers(0, 13, n))
    return t0, (t0 + length * 4 * HOUR_NS).astype(np.int64)

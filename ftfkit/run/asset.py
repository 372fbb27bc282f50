"""One asset as its cells see it: label bars, features at the events, events of the common period."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ftfkit.components import Component
from ftfkit.config.schema import Spec
from ftfkit.errors import DataError
from ftfkit.run.market import fingerprints, load_market, market_hash
from ftfkit.run.payloads import events_of, features_of, sealed
from ftfkit.types import Asset, Bars, BoolArray, Events


@dataclass(frozen=True, eq=False)
class AssetData:
    """Data of one asset under one setting of data, features and label.

    Attributes
    ----------
    bars : Bars
        Label bars closed by the end of the common period; earlier ones are feature warm-up.
    events : Events
        Events of the common period; predictions count positions in these.
    X : ndarray of float32, shape (n_events, n_features)
        Features at each event's bar.
    """

    bars: Bars
    events: Events
    X: npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Request:
    """A call of ``asset_data``; two are equal when they lead to the same data."""

    key: tuple[str, ...]
    fingerprint: str
    asset: Asset
    period: tuple[int, int]
    spec: Spec = field(compare=False, repr=False)


def asset_data(spec: Spec, asset: Asset, period: tuple[int, int], fingerprint: str = "") -> AssetData:
    """Load, resample, compute features and label; the last result is kept, so a process holds one asset's data.

    Parameters
    ----------
    period : tuple of int
        Common period [start, end), ns UTC. Nothing that is not closed by its end is read.
    fingerprint : str
        ``market_hash`` of the bars the caller expects; empty to take what there is.

    Raises
    ------
    DataError
        When the bars are not the expected ones: a result of theirs would be kept under the key of other data.
    """
    parts = (spec.data, spec.features, spec.label)
    key = (spec.universe.model_dump_json(), *map(_described, parts))
    return _asset_data(_Request(key, fingerprint, asset, period, spec))


@lru_cache(maxsize=1)
def _asset_data(request: _Request) -> AssetData:
    spec, name, (start, end) = request.spec, request.asset.name, request.period
    hours = spec.label.bar_hours
    market = load_market(spec.data, spec.features, spec.universe.universe, request.asset, hours, end)
    if request.fingerprint not in {"", market_hash(fingerprints(market))}:
        raise DataError(f"{market.native[name].quality.origin}: bars are not those of the plan; plan again (ftfkit)")
    bars = market.label[name]
    features = features_of(spec.features, request.asset, market)
    events = events_of(spec.label, bars, market.native[name])
    events = _taken(events, (events.t0 >= start) & (events.t1 <= end))
    return sealed(AssetData(bars, events, np.ascontiguousarray(features.values[events.bar], dtype=np.float32)))


def _taken(events: Events, rows: BoolArray) -> Events:
    columns = ("bar", "exit_bar", "t0", "t1", "y", "entry", "exit_price")
    taken = {name: getattr(events, name)[rows] for name in columns}
    return Events(**taken, dropped=events.dropped, tie_share=events.tie_share)


def _described(component: Component) -> str:
    kind = type(component)
    return f"{kind.__module__}.{kind.__qualname__} {component.model_dump_json()}"

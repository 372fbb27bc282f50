"""What passes between the core and a component: checked when it comes back, read-only when it is handed out."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from ftfkit.components import Component, FeatureSet, LabelScheme
from ftfkit.errors import PluginError
from ftfkit.types import Asset, Bars, Events, Features, Market

_P = TypeVar("_P")


def sealed(payload: _P) -> _P:
    """The same payload with all its arrays read-only: a component that writes to what it is given fails there and then.

    Parameters
    ----------
    payload : dataclass instance
        Its arrays are the caller's own; payloads inside it are sealed too.
    """
    for one in fields(payload):  # type: ignore[arg-type]
        value: Any = getattr(payload, one.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
        elif hasattr(value, "__dataclass_fields__"):
            sealed(value)
    return payload


def features_of(component: FeatureSet, asset: Asset, market: Market) -> Features:
    """Features of an asset, sealed.

    Raises
    ------
    PluginError
        When they are not one row a label bar and one column a name, or hold an infinity.
    """
    features = component.compute(asset, market)
    wanted = (len(market.label[asset.name]), len(features.names))
    if features.values.shape != wanted:
        raise _wrong(component, "values", f"shape {features.values.shape}", f"must be of shape {wanted}")
    if np.isinf(features.values).any():
        raise _wrong(component, "values", "an infinity", "must be finite or NaN")
    return sealed(features)


def events_of(component: LabelScheme, bars: Bars, native: Bars) -> Events:
    """Events of the label bars, sealed.

    Raises
    ------
    PluginError
        When they are not sorted by t0, end before they start, lie outside the bars, or have a label that is not 0 or 1.
    """
    events = component.events(bars, native)
    if (np.diff(events.t0) < 0).any():
        raise _wrong(component, "t0", "an earlier time after a later one", "must be sorted")
    if (events.t1 < events.t0).any():
        raise _wrong(component, "t1", "a time before t0", "must be >= t0: purging rests on it")
    if not np.isin(events.y, (0, 1)).all():
        raise _wrong(component, "y", sorted(set(events.y.tolist()) - {0, 1})[0], "must be 0 or 1")
    if len(events) and (events.bar.min() < 0 or events.exit_bar.max() >= len(bars)):
        raise _wrong(component, "bar", "a position outside the bars", f"must be in 0 to {len(bars) - 1}")
    return sealed(events)


def _wrong(component: Component, name: str, found: object, rule: str) -> PluginError:
    kind = type(component)
    return PluginError(f"{kind.__name__}: {name} == {found}, {rule} ({kind.__module__.partition('.')[0]})")

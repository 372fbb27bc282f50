"""What passes between the core and a component: checked when it comes back, read-only when it is handed out."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from ftfkit.components import Component, FeatureSet, FitContext, LabelScheme, Splitter, TargetTransform
from ftfkit.errors import PluginError
from ftfkit.purging import purged_train
from ftfkit.types import Asset, Bars, Events, Features, IntArray, Market, Split, Target

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


def splits_of(component: Splitter, t0: IntArray, t1: IntArray, edges: IntArray) -> tuple[Split, ...]:
    """Folds of events sorted by ``t0``.

    Raises
    ------
    PluginError
        When a fold's rows are not rising positions of events, or what it trains on overlaps what it tests.
    """
    splits = component.folds(t0, t1, edges)
    for split in splits:
        for part, rows in (("train", split.train), ("test", split.test)):
            if len(rows) and ((np.diff(rows) <= 0).any() or rows[0] < 0 or rows[-1] >= len(t0)):
                rule = f"must rise within 0 to {len(t0) - 1}"
                raise _wrong(component, part, f"other positions in fold {split.fold}", rule)
        clear = np.zeros(len(t0), dtype=bool)
        clear[purged_train(t0, t1, split.test, embargo_ns=0)] = True
        leaked = split.train[~clear[split.train]]
        if len(leaked):
            rule = "must neither be tested nor have a label that overlaps a tested one's"
            raise _wrong(component, "train", f"event {leaked[0]} in fold {split.fold}", rule)
    return splits


def target_of(component: TargetTransform, context: FitContext) -> Target:
    """Target of the training rows of a fit.

    Raises
    ------
    PluginError
        When there is not one of each a row, a label is outside [0, 1], a weight no weight, or ``keep`` not boolean.
    """
    target, wanted = component.transform(context), (len(context.train.t0),)
    for name in ("y", "weight", "keep"):
        found = np.shape(getattr(target, name))
        if found != wanted:
            raise _wrong(component, name, f"shape {found}", f"must be of shape {wanted}")
    if target.keep.dtype != np.bool_:
        raise _wrong(component, "keep", f"an array of {target.keep.dtype}", "must be boolean: numbers are positions")
    if not ((target.y >= 0) & (target.y <= 1)).all():
        raise _wrong(component, "y", "a label outside [0, 1]", "must be in [0, 1]")
    if not ((target.weight >= 0) & np.isfinite(target.weight)).all():
        raise _wrong(component, "weight", "a negative or undefined weight", "must be finite and >= 0")
    return target


def _wrong(component: Component, name: str, found: object, rule: str) -> PluginError:
    kind = type(component)
    return PluginError(f"{kind.__name__}: {name} == {found}, {rule} ({kind.__module__.partition('.')[0]})")

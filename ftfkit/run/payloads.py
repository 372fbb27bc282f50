"""What passes between the core and a component: checked when it comes back, read-only when it is handed out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from ftfkit.components import (
    Component,
    DataSource,
    DecisionRule,
    FeatureSet,
    FitContext,
    LabelScheme,
    Model,
    Proba,
    RawBars,
    Splitter,
    TargetTransform,
)
from ftfkit.errors import FtfkitError, PluginError
from ftfkit.purging import purged_train
from ftfkit.types import Asset, Bars, DecisionContext, Events, Features, IntArray, Market, Split, Target, Universe

_P = TypeVar("_P")
_POSITIONS = frozenset({"bar", "exit_bar", "t0", "t1", "train", "test"})
_ARRAYS: Mapping[type, tuple[str, ...]] = {
    Features: ("values",),
    Events: ("bar", "exit_bar", "t0", "t1", "y", "entry", "exit_price"),
    Split: ("train", "test"),
    Target: ("y", "weight", "keep"),
}


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


def raw_of(source: DataSource, asset: Asset) -> RawBars:
    """Bars of an asset as a source gives them; what is in the frame is for the bar schema to say.

    Raises
    ------
    PluginError
        When they are no RawBars with a DataFrame of bars of whole hours.
    """
    raw = _typed(source, "read", _asked(source, "read", asset), RawBars)
    if not isinstance(raw.frame, pd.DataFrame):
        raise _wrong(source, "frame", _kind(raw.frame), "must be a DataFrame")
    if not isinstance(raw.bar_hours, Integral) or raw.bar_hours < 1:
        raise _wrong(source, "bar_hours", repr(raw.bar_hours), "must be an integer >= 1")
    return raw


def features_of(component: FeatureSet, asset: Asset, market: Market) -> Features:
    """Features of an asset, sealed.

    Raises
    ------
    PluginError
        When they are no Features, not one row a label bar and one column a name, or hold an infinity.
    """
    features = _typed(component, "compute", component.compute(asset, market), Features)
    if not isinstance(features.names, tuple | list) or not all(isinstance(name, str) for name in features.names):
        raise _wrong(component, "names", _kind(features.names), "must be a tuple of text")
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
        When they are no Events, not sorted by t0, end before they start, lie outside the bars, or have a label that is
        not 0 or 1.
    """
    events = _typed(component, "events", _asked(component, "events", bars, native), Events)
    for name in _ARRAYS[Events]:
        if (found := getattr(events, name).shape) != (wanted := (events.t0.size,)):
            raise _wrong(component, name, f"shape {found}", f"must be of shape {wanted}")
    if not isinstance(events.dropped, Mapping) or not isinstance(events.tie_share, Real):
        raise _wrong(component, "dropped, tie_share", "other types", "must be a mapping of counts and a number")
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
        When they are no tuple of Split, a fold's number is there twice or its rows are not rising positions of events,
        or what it trains on overlaps what it tests.
    """
    found = _asked(component, "folds", t0, t1, edges)
    if not isinstance(found, tuple | list) or not found:
        raise _wrong(component, "folds", _kind(found), "must give a tuple of one or more Split")
    splits = tuple(_typed(component, "folds", split, Split) for split in found)
    numbers = [split.fold for split in splits]
    if not all(isinstance(number, Integral) for number in numbers) or len(set(numbers)) < len(numbers):
        raise _wrong(component, "fold", numbers, "must be a number of its own each")
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
        When it is no Target or has not one of each a row, a label is outside [0, 1], a weight no weight, or ``keep``
        not boolean.
    """
    target = _typed(component, "transform", component.transform(context), Target)
    wanted = (len(context.train.t0),)
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
    if not isinstance(target.notes, Mapping):
        raise _wrong(component, "notes", _kind(target.notes), "must be a mapping of name to number")
    return target


def edges_of(component: Splitter, start_ns: int, end_ns: int) -> IntArray:
    """Block edges of a period.

    Raises
    ------
    PluginError
        When they are not two or more rising times.
    """
    edges = _asked(component, "edges", start_ns, end_ns)
    if not isinstance(edges, np.ndarray) or edges.dtype.kind != "i" or edges.ndim != 1 or len(edges) < 2:
        raise _wrong(component, "edges", _kind(edges), "must give an array of two or more int64")
    if (np.diff(edges) <= 0).any():
        raise _wrong(component, "edges", "an earlier time after a later one", "must rise")
    return edges


def needs_of(component: FeatureSet, asset: Asset, universe: Universe) -> tuple[Asset, ...]:
    """Other assets that a feature set looks at.

    Raises
    ------
    PluginError
        When they are no tuple of Asset.
    """
    needs = _asked(component, "needs", asset, universe)
    if not isinstance(needs, tuple | list) or not all(isinstance(one, Asset) for one in needs):
        raise _wrong(component, "needs", _kind(needs), "must give a tuple of Asset")
    return tuple(needs)


def proba_of(model: Model, found: object, n: int) -> Proba:
    """Probabilities of ``n`` scored rows.

    Raises
    ------
    PluginError
        When they are not one number in [0, 1] a row.
    FloatingPointError
        When one is not finite.
    """
    if not isinstance(found, np.ndarray) or found.dtype.kind != "f" or found.shape != (n,):
        raise _wrong(model, "probabilities", _kind(found), f"must be an array of floats of shape ({n},)")
    if not np.isfinite(found).all():
        raise FloatingPointError(f"{type(model).__name__}: probabilities must be finite")
    if len(found) and (found.min() < 0 or found.max() > 1):
        raise _wrong(model, "probabilities", f"{found.min():g} to {found.max():g}", "must be in [0, 1]: no logits")
    return found


def threshold_of(component: DecisionRule, context: DecisionContext) -> float:
    """Threshold of a decision rule; ``inf`` never buys.

    Raises
    ------
    PluginError
        When it is no number, or NaN, which nothing could be compared with.
    """
    threshold = component.threshold(context)
    if not isinstance(threshold, Real) or np.isnan(threshold):
        raise _wrong(component, "threshold", threshold, "must be a number or inf")
    return threshold


def _asked(component: Component, method: str, *arguments: Any) -> Any:
    """What a method gives while a run is planned; where a plugin's breaks, in one line.

    Raises
    ------
    PluginError
        From whatever it raised that is not meant for the user.
    """
    try:
        return getattr(component, method)(*arguments)
    except (FtfkitError, OSError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        if type(component).__module__.startswith("ftfkit."):  # a bug of ours keeps its traceback
            raise
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise _wrong(component, method, "no result", f"raised {told}") from error


def _typed(component: Component, method: str, found: object, kind: type[_P]) -> _P:
    """What a method gave, as the payload that the contract says, with arrays where that holds arrays.

    Raises
    ------
    PluginError
        When it is another type.
    """
    if not isinstance(found, kind):
        raise _wrong(component, method, _kind(found), f"must give {kind.__name__}")
    for name in _ARRAYS.get(kind, ()):
        value = getattr(found, name)
        kinds, rule = ("iu", "integers") if name in _POSITIONS else ("biuf", "numbers")
        if not isinstance(value, np.ndarray) or value.dtype.kind not in kinds:
            raise _wrong(component, name, _kind(value), f"must be an array of {rule}")
    return found


def _kind(found: object) -> str:
    """Type of what a plugin gave, as an error tells it."""
    if isinstance(found, np.ndarray):
        return f"an array of {found.dtype} of shape {found.shape}"
    return "None" if found is None else f"a {type(found).__name__}"


def _wrong(component: Component, name: str, found: object, rule: str) -> PluginError:
    kind = type(component)
    return PluginError(f"{kind.__name__}: {name} == {found}, {rule} ({kind.__module__.partition('.')[0]})")

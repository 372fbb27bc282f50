"""Payloads up to events: assets, bars, markets, features, labels.

Times are int64 nanoseconds since the Unix epoch, UTC. Arrays are never written to after construction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

HOUR_NS = 3_600_000_000_000
PRICES = ("open", "high", "low", "close")
BAR_COLUMNS = (*PRICES, "volume")


class Asset(NamedTuple):
    """One instrument; ``name`` is the asset everywhere a string is wanted (rows, files, keys)."""

    base: str
    quote: str

    @property
    def name(self) -> str:
        return f"{self.base}{self.quote}"


@dataclass(frozen=True)
class Universe:
    """Named list of assets; ``named`` builds the name of an asset outside the list (a leader such as BTC)."""

    name: str
    assets: tuple[Asset, ...]
    quote: str

    def named(self, base: str) -> Asset:
        return Asset(base, self.quote)


@dataclass(frozen=True)
class DataQuality:
    """What the bar schema found in one file set: counts of safe repairs and of gaps left as they are."""

    origin: str  # files or generator, for people; never part of a key
    n_bars: int
    n_sorted: int = 0  # rows that were out of order and were put back
    n_duplicates: int = 0  # identical duplicate rows that were removed
    n_gaps: int = 0  # places where at least one bar is missing
    n_missing: int = 0  # bars missing inside those gaps
    n_zero_volume: int = 0
    n_label_dropped: int = 0  # label bars dropped because a native bar of theirs is missing


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars of one asset at one timeframe, strictly increasing and on the grid of ``bar_hours``.

    Attributes
    ----------
    open_time : ndarray of int64, shape (n,)
        Bar open, ns UTC. Gaps are kept as gaps.
    open, high, low, close, volume : ndarray of float64, shape (n,)
    """

    asset: str
    bar_hours: int
    open_time: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    quality: DataQuality
    synthetic: bool = False

    def __len__(self) -> int:
        return len(self.open_time)

    @property
    def bar_ns(self) -> int:
        return self.bar_hours * HOUR_NS

    @property
    def close_time(self) -> IntArray:
        """End of each bar, ns UTC: the moment from which the bar is known."""
        return self.open_time + self.bar_ns

    @property
    def segment(self) -> IntArray:
        """Number of the gap-free run each bar belongs to, from 0; indicators restart where it changes."""
        if len(self) == 0:
            return np.empty(0, dtype=np.int64)
        return np.concatenate([[0], np.cumsum(np.diff(self.open_time) != self.bar_ns)]).astype(np.int64)

    @property
    def segments(self) -> tuple[slice, ...]:
        """Rows of each gap-free run, in order."""
        cuts = [0, *(np.flatnonzero(np.diff(self.open_time) != self.bar_ns) + 1).tolist(), len(self)]
        return tuple(slice(first, stop) for first, stop in pairwise(cuts) if first < stop)

    def up_to(self, end_ns: int) -> Bars:
        """Bars that are closed at ``end_ns``."""
        return self.take(slice(0, int(np.searchsorted(self.close_time, end_ns, side="right"))))

    def take(self, rows: slice) -> Bars:
        cut = {name: getattr(self, name)[rows] for name in ("open_time", *BAR_COLUMNS)}
        return Bars(self.asset, self.bar_hours, **cut, quality=self.quality, synthetic=self.synthetic)

    def sha256(self) -> str:
        """Hash of the validated values, never of paths or files."""
        digest = hashlib.sha256(f"{self.asset}|{self.bar_hours}".encode())
        for name in ("open_time", *BAR_COLUMNS):
            digest.update(np.ascontiguousarray(getattr(self, name)).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Market:
    """Read-only view handed to feature sets: the asset and the assets its feature set declares.

    ``native`` and ``label`` map asset names to bars; a bar may be used from its ``close_time`` on, which is what
    "as known at the close of bar t" means for bars of another asset or timeframe.
    """

    universe: Universe
    native: Mapping[str, Bars]
    label: Mapping[str, Bars]


@dataclass(frozen=True, eq=False)
class Features:
    """Feature matrix aligned with the label bars of one asset; NaN where a window is not yet full."""

    names: tuple[str, ...]
    values: npt.NDArray[np.float32]  # (n_label_bars, n_features)


@dataclass(frozen=True, eq=False)
class Events:
    """Labelled events of one asset, sorted by ``t0``.

    Attributes
    ----------
    bar, exit_bar : ndarray of int64, shape (n,)
        Index of the label bar at whose close the event starts, and of the one in which it ends.
    t0, t1 : ndarray of int64, shape (n,)
        Label interval, ns UTC, closed.
    y : ndarray of int8, shape (n,)
    entry, exit_price : ndarray of float64, shape (n,)
    dropped : mapping of str to int
        Reason to number of label bars that gave no event.
    tie_share : float
        Share of events whose bar touched both barriers even at the native timeframe.
    """

    bar: IntArray
    exit_bar: IntArray
    t0: IntArray
    t1: IntArray
    y: npt.NDArray[np.int8]
    entry: FloatArray
    exit_price: FloatArray
    dropped: Mapping[str, int] = field(default_factory=dict)
    tie_share: float = 0.0

    def __len__(self) -> int:
        return len(self.t0)


@dataclass(frozen=True, eq=False)
class RawBars:
    """Bars as a source found them: ``frame`` has ``timestamp`` (bar open), open, high, low, close, volume.

    ``timestamp`` is datetime64 or ISO 8601 text, naive ones taken as UTC, or a number of s, ms, us or ns since 1970;
    rows may be unsorted or repeated. A frame of several files has (file, row from 0) as its index, for error messages.
    """

    frame: pd.DataFrame
    origin: str  # file or generator, for error messages
    bar_hours: int = 1

"""For feature sets that extend another one: what is looked up, joined and cleaned, and windows that look back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
from pydantic import field_validator

from ftfkit.components import FeatureSet
from ftfkit.errors import PluginError
from ftfkit.plugins import registry
from ftfkit.types import Asset, Features, FloatArray, Market, Universe

Columns = Mapping[str, FloatArray]  # name -> shape (n_bars,)


class ExtendedFeatureSet(FeatureSet):
    """A base feature set and columns of one's own after it; a subclass writes ``added``.

    Attributes
    ----------
    base : str
        Registered feature set that is extended, with its default parameters.

    Notes
    -----
    The columns of the base come first and unchanged. What is not finite in the others, in float32, is NaN: a ratio
    whose denominator is 0 is not known.
    """

    base: str = "technical"

    @abstractmethod
    def added(self, asset: Asset, market: Market) -> Columns:
        """Columns beside those of the base, at least one, aligned with ``market.label[asset.name]``.

        Notes
        -----
        Causal like all features. Dividing by 0 warns of nothing here.
        """

    @field_validator("base")
    @classmethod
    def _base_is_another_feature_set(cls, base: str) -> str:
        try:
            extended = registry().load("feature_set", base)
        except PluginError as error:
            raise ValueError(f"must be a registered feature set: {error}") from error
        if extended is cls:
            raise ValueError("must be another feature set")
        return base

    def needs(self, asset: Asset, universe: Universe) -> tuple[Asset, ...]:
        return self._extended().needs(asset, universe)

    def compute(self, asset: Asset, market: Market) -> Features:
        base = self._extended().compute(asset, market)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            added = self.added(asset, market)
            values = np.column_stack(list(added.values())).astype(np.float32)
        values[~np.isfinite(values)] = np.nan
        return Features((*base.names, *added), np.concatenate([base.values, values], axis=1))

    def _extended(self) -> FeatureSet:
        features: FeatureSet = registry().load("feature_set", self.base)()
        return features


def trailing(series: FloatArray, n: int) -> FloatArray:
    """The ``n`` latest values at each row, oldest first, NaN before the start; shape (len(series), n).

    Examples
    --------
    >>> trailing(np.array([1.0, 2.0, 3.0]), 2)
    array([[nan,  1.],
           [ 1.,  2.],
           [ 2.,  3.]])
    """
    if not len(series):
        return np.empty((0, n))
    padded = np.concatenate([np.full(n - 1, np.nan), series])
    # A copy lies row by row in memory, so that a row's sum does not depend on how many rows there are.
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(padded, n))

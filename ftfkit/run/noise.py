"""Feature sets that only a null check makes: blocks of noise, and a planted column that sees the label.

Neither is registered, so no config can select them; as components they enter the fit key like any other.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, InstanceOf, field_serializer

from ftfkit.components import FeatureSet, LabelScheme
from ftfkit.run.keys import described
from ftfkit.types import Asset, Bars, Features, IntArray, Market, Universe

BLOCK_BARS = 1024  # drawn at once; part of what a seed means

_Noise = npt.NDArray[np.float64]  # shape (n_bars, n_columns)


@dataclass(frozen=True)
class NoiseDesign:
    """What the arms of a null check get beside the features of the experiment; the words are those of ``WithNoise``.

    The defaults look like a family of useless features: about as many, as much alike over assets and as slow to
    change as the technical ones. ``effect`` plants a column that sees the label in the variant arm; 0 plants nothing.
    """

    n_columns: int = 40
    correlation: float = 0.8
    memory_bars: int = 96
    effect: float = 0.0


class WithNoise(FeatureSet):
    """The columns of another feature set, and beside them a block of normal noise.

    Attributes
    ----------
    base : FeatureSet
    n_columns : int
    seed : int
    correlation : float
        Correlation of a column between any two assets, as features of markets that move together have it.
    memory_bars : int
        Each column is a moving mean over so many label bars, rescaled to unit variance; 1 is white noise.

    Notes
    -----
    The noise of a bar depends on seed, column, asset name and the bar's time, never on prices, on which bars are there
    or on which other assets are asked for.
    """

    base: InstanceOf[FeatureSet]
    n_columns: int = Field(ge=1)
    seed: int = Field(ge=0)
    correlation: float = Field(ge=0, le=1)
    memory_bars: int = Field(ge=1)

    @field_serializer("base")
    def _described(self, component: FeatureSet) -> dict[str, Any]:
        return described(component)

    def needs(self, asset: Asset, universe: Universe) -> tuple[Asset, ...]:
        return self.base.needs(asset, universe)

    def compute(self, asset: Asset, market: Market) -> Features:
        features, bars = self.base.compute(asset, market), market.label[asset.name]
        common, own = (self._stream(owner, bars) for owner in ("market", f"asset {asset.name}"))
        noise = np.sqrt(self.correlation) * common + np.sqrt(1 - self.correlation) * own
        names = tuple(f"noise_{column}" for column in range(self.n_columns))
        return Features((*features.names, *names), np.hstack([features.values, noise.astype(np.float32)]))

    def _stream(self, owner: str, bars: Bars) -> _Noise:
        """Unit variance, a row a bar."""
        slot: IntArray = bars.open_time // bars.bar_ns
        first = (int(slot[0]) - self.memory_bars + 1) // BLOCK_BARS
        steps = np.concatenate([self._block(owner, block) for block in range(first, int(slot[-1]) // BLOCK_BARS + 1)])
        total = np.concatenate([np.zeros((1, self.n_columns)), np.cumsum(steps, axis=0)])
        end = slot - first * BLOCK_BARS + 1
        return np.asarray((total[end] - total[end - self.memory_bars]) / np.sqrt(self.memory_bars))

    def _block(self, owner: str, block: int) -> _Noise:
        digest = hashlib.sha256(f"{self.seed}|{owner}|{block}".encode()).digest()
        return np.random.default_rng(list(digest)).standard_normal((BLOCK_BARS, self.n_columns))


class PlantedOracle(FeatureSet):
    """A leak on purpose: adds the label of each event, which lies in the future, to one column of a noise block.

    What a null check plants to learn its power: both arms then have equally many columns, and ``strength`` 0 is the
    null itself.

    Attributes
    ----------
    base : WithNoise
    label : LabelScheme
    strength : float
        Distance between BUY and other events in the planted column, in standard deviations of its noise.
    """

    base: InstanceOf[WithNoise]
    label: InstanceOf[LabelScheme]
    strength: float = Field(ge=0)

    @field_serializer("base", "label")
    def _described(self, component: WithNoise | LabelScheme) -> dict[str, Any]:
        return described(component)

    def needs(self, asset: Asset, universe: Universe) -> tuple[Asset, ...]:
        return self.base.needs(asset, universe)

    def compute(self, asset: Asset, market: Market) -> Features:
        features = self.base.compute(asset, market)
        events = self.label.events(market.label[asset.name], market.native[asset.name])
        planted, values = len(features.names) - 1, features.values.copy()
        values[events.bar, planted] += np.float32(self.strength) * events.y
        return Features((*features.names[:planted], "planted_oracle"), values)

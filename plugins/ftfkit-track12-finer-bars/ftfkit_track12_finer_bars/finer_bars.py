"""The feature set ``finer_bars``: another feature set, and what went on inside each label bar."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydantic import Field, model_validator

from ftfkit.extending import Columns, ExtendedFeatureSet
from ftfkit.types import Asset, Bars, FloatArray, Market
from ftfkit_track12_finer_bars.inside import Inside, look_inside
from ftfkit_track12_finer_bars.measures import path, realised, variation, volume_profile
from ftfkit_track12_finer_bars.rolling import rolled

AVERAGED = ("path_efficiency", "volume_concentration", "volume_location", "last_volume_share", "signed_volume")


class FinerBarFeatures(ExtendedFeatureSet):
    """A base feature set with features of the native bars inside each label bar.

    Attributes
    ----------
    rolling : bool
        Whether to add 23 columns over windows of label bars to the 14 of the single bar; all begin with ``finer_``.
    short_bars, medium_bars : int
        Windows in label bars; increasing.

    Raises
    ------
    ConfigError
        In ``compute``, when native bars are not finer than label bars.

    Notes
    -----
    The bars inside a label bar are closed when it is, so a row sees nothing later than its own close. A label bar that
    lacks a native bar is NaN; windows restart after a gap and are NaN where they hold one.
    """

    rolling: bool = False
    short_bars: int = Field(default=6, ge=2)
    medium_bars: int = Field(default=24, ge=2)

    @model_validator(mode="after")
    def _windows_increase(self) -> FinerBarFeatures:
        if not self.short_bars < self.medium_bars:
            raise ValueError("windows must increase: short_bars < medium_bars")
        return self

    def added(self, asset: Asset, market: Market) -> Columns:
        label = market.label[asset.name]
        inside = look_inside(label, market.native[asset.name])
        return {f"finer_{name}": column for name, column in self._columns(label, inside)}

    def _columns(self, label: Bars, inside: Inside) -> Iterator[tuple[str, FloatArray]]:
        sums = variation(inside)
        shape = {**path(inside), **volume_profile(inside)}
        yield "volatility", np.sqrt(sums["variance"])
        yield from realised(sums, inside.n_inside).items()
        yield from shape.items()
        if self.rolling:
            yield from self._volatility(label, sums).items()
            for n in (self.short_bars, self.medium_bars):
                total = rolled(label, sums, n, lambda window: window.sum(axis=1))
                averages = rolled(
                    label, {name: shape[name] for name in AVERAGED}, n, lambda window: window.mean(axis=1)
                )
                both = {**realised(total, n * inside.n_inside), **averages}
                yield from ((f"{name}_{n}", column) for name, column in both.items())

    def _volatility(self, label: Bars, sums: Columns) -> Columns:
        """Realised volatility a label bar over both windows, their ratio, how unusual the last bar is, how unsteady."""
        short, medium = self.short_bars, self.medium_bars
        variance = {"variance": sums["variance"]}
        quick, slow = (np.sqrt(rolled(label, variance, n, _mean)["variance"]) for n in (short, medium))
        each = {"volatility": np.sqrt(sums["variance"])}
        unsteady = rolled(label, each, medium, lambda window: window.std(axis=1) / window.mean(axis=1))
        return {
            f"volatility_{short}": quick,
            f"volatility_{medium}": slow,
            f"volatility_ratio_{short}_{medium}": quick / slow,
            f"volatility_surprise_{medium}": each["volatility"] / slow,
            f"volatility_of_volatility_{medium}": unsteady["volatility"],
        }


def _mean(window: FloatArray) -> FloatArray:
    return np.asarray(window.mean(axis=1))

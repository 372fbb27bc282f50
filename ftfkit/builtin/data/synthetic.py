"""A seeded market with a planted drift of known strength."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ftfkit.components import DataSource, RawBars
from ftfkit.types import Asset

_Series = npt.NDArray[np.float64]  # shape (n_hours,)

_HOURLY_VOL = 0.008  # about 75 % a year
_VOL_SPREAD = 0.35  # sd of log volatility
_VOL_MEMORY_HOURS = 96.0
_TAIL_DF = 5.0  # returns given volatility are Student t
_DRIFT_MEMORY_HOURS = 36.0
_DRIFT_SCALE = 0.5  # correlation of drift and hourly return at signal = 1


class SyntheticSource(DataSource):
    """Hourly bars of correlated assets around one market factor, from the seed alone.

    Attributes
    ----------
    start : date
        First day, UTC.
    days : int
        Length; more days extend the same history.
    seed : int
        Of every random draw.
    correlation : float
        Correlation of hourly log returns between any two assets.
    signal : float
        Strength of the planted drift, 0 (nothing to predict) to 1.

    Notes
    -----
    An asset depends on the seed and its base name, never on which other assets are asked for. With volatility
    ``s_t`` (its logarithm an AR(1), shared by all assets) and ``k = signal / 2``, the log return of hour t is
    ``s_t (k d_t + sqrt(1 - k^2) e_t)``. Shocks ``e_t`` are Student t with 5 degrees of freedom, made of a normal whose
    variance ``w_t`` is drawn each hour; drift ``d_t`` is an AR(1) with unit variance and a memory of 36 hours, unknown
    to anybody but visible in the mean of past returns over their volatility. Shocks and drift have the same share,
    ``correlation``, in common. High and low are extremes of the Brownian bridge from open to close, and half the
    variance is taken off the log return: with ``signal: 0`` the price is a continuous martingale, so that no rule
    that sees the past has an edge, and a barrier is touched with the odds of its distance.

    References
    ----------
    Karatzas and Shreve, Brownian Motion and Stochastic Calculus, eq. 4.3.40 (maximum of a bridge).
    """

    start: date = date(2022, 1, 1)
    days: int = Field(default=540, ge=1, le=36_500)
    seed: int = Field(default=7, ge=0)
    correlation: float = Field(default=0.65, ge=0, lt=1)
    signal: float = Field(default=0.3, ge=0, le=1)
    synthetic: ClassVar[bool] = True

    def read(self, asset: Asset) -> RawBars:
        import pandas as pd

        columns = self._columns(f"asset {asset.base}")  # never equal to the market's own streams
        timestamp = pd.date_range(str(self.start), periods=self.days * 24, freq="h", tz="UTC", unit="ns")
        frame = pd.DataFrame({"timestamp": timestamp, **columns})
        return RawBars(frame, f"synthetic market, seed {self.seed}, {asset.name}")

    def _columns(self, asset: str) -> dict[str, _Series]:
        vol = _HOURLY_VOL * self._scale(asset) * np.exp(_VOL_SPREAD * self._ar1("market", "vol", _VOL_MEMORY_HOURS))
        coupling = _DRIFT_SCALE * self.signal
        drift = coupling * self._mixed(self._drift("market"), self._drift(asset))
        share = self.correlation
        w = share * self._tail_variance("market") + (1 - share) * self._tail_variance(asset)
        shock = self._mixed(self._shock("market"), self._shock(asset))
        variance = (1 - coupling**2) * vol**2 * w
        log_close = np.cumsum(vol * (drift + np.sqrt(1 - coupling**2) * shock) - variance / 2)
        log_open = np.concatenate([[0.0], log_close[:-1]])
        high, low = (self._extreme(asset, side, log_open, log_close, variance) for side in (1, -1))
        level = 10 * self._uniform(asset, "level")[0] + 1
        surge = np.abs(shock) + 0.5 * self._normal(asset, "volume")
        volume = 1e5 * np.exp(np.log(vol / _HOURLY_VOL) + 0.5 * surge)
        prices = {"open": log_open, "high": high, "low": low, "close": log_close}
        return {name: level * np.exp(series) for name, series in prices.items()} | {"volume": volume}

    def _extreme(self, asset: str, side: int, start: _Series, end: _Series, variance: _Series) -> _Series:
        """Maximum (``side`` 1) or minimum (-1) of each hour's Brownian bridge."""
        depth = -2 * variance * np.log1p(-self._uniform(asset, f"extreme {side}"))
        extreme = (start + end + side * np.sqrt((end - start) ** 2 + depth)) / 2
        outermost = np.maximum(side * start, side * end)
        return np.asarray(side * np.maximum(side * extreme, outermost))  # rounding may leave the bridge short of it

    def _mixed(self, common: _Series, own: _Series) -> _Series:
        mixed: _Series = np.sqrt(self.correlation) * common + np.sqrt(1 - self.correlation) * own
        return mixed

    def _shock(self, owner: str) -> _Series:
        shock: _Series = np.sqrt(self._tail_variance(owner)) * self._normal(owner, "shock")
        return shock

    def _tail_variance(self, owner: str) -> _Series:
        """Hourly variance with mean 1 that makes a normal shock Student t: inverse gamma."""
        gamma = self._rng(owner, "tail").standard_gamma(_TAIL_DF / 2, self._n_hours)
        return (_TAIL_DF / 2 - 1) / gamma

    def _drift(self, owner: str) -> _Series:
        return self._ar1(owner, "drift", _DRIFT_MEMORY_HOURS)

    def _ar1(self, owner: str, series: str, memory_hours: float) -> _Series:
        """Stationary AR(1) with unit variance; ``memory_hours`` is where its autocorrelation reaches 1/e."""
        import pandas as pd  # its recursion stands in for scipy.signal's, whose import takes a second

        decay = np.exp(-1 / memory_hours)
        step = self._normal(owner, series)
        step[1:] *= np.sqrt(1 - decay**2) / (1 - decay)
        return pd.Series(step).ewm(alpha=1 - decay, adjust=False).mean().to_numpy()

    def _scale(self, asset: str) -> float:
        return float(0.8 + 0.5 * self._uniform(asset, "vol scale")[0])

    def _normal(self, owner: str, series: str) -> _Series:
        return self._rng(owner, series).standard_normal(self._n_hours)

    def _uniform(self, owner: str, series: str) -> _Series:
        return self._rng(owner, series).random(self._n_hours)

    def _rng(self, owner: str, series: str) -> np.random.Generator:
        """One stream a series, so that none depends on how much another has drawn."""
        digest = hashlib.sha256(f"{owner}|{series}".encode()).digest()
        return np.random.default_rng([self.seed, int.from_bytes(digest[:8], "big")])

    @property
    def _n_hours(self) -> int:
        return self.days * 24

from __future__ import annotations

import doctest

import numpy as np
import pytest
from pydantic import ValidationError

from ftfkit import extending
from ftfkit.extending import Columns, ExtendedFeatureSet, trailing
from ftfkit.plugins import registry
from ftfkit.run import keys
from ftfkit.testing import FeatureSetConformance
from ftfkit.testing.markets import OWN, synthetic_market
from ftfkit.types import Asset, Market


class Momentum(ExtendedFeatureSet):
    n: int = 3

    def added(self, asset: Asset, market: Market) -> Columns:
        bars = market.label[asset.name]
        step = np.diff(np.log(bars.close), prepend=np.nan)
        step[[rows.start for rows in bars.segments]] = np.nan
        return {"momentum": np.concatenate([trailing(step[rows], self.n).sum(axis=1) for rows in bars.segments])}


class Unbounded(ExtendedFeatureSet):
    """The first value of each column is no float32 number, the last one is 1."""

    def added(self, asset: Asset, market: Market) -> Columns:
        zero = np.zeros(len(market.label[asset.name]))
        zero[-1] = 1
        return {"ratio": 1 / zero, "undefined": zero / zero, "huge": np.where(zero > 0, 1, 1e300)}


class TestMomentum(FeatureSetConformance):
    components = (Momentum(), Momentum(n=6))


def test_the_base_comes_first_and_unchanged() -> None:
    base = registry().load("feature_set", "technical")()
    market = synthetic_market(base, days=30)
    features, technical = Momentum().compute(OWN, market), base.compute(OWN, market)
    assert features.names == (*technical.names, "momentum")
    np.testing.assert_array_equal(features.values[:, :-1], technical.values)
    assert Momentum().needs(OWN, market.universe) == base.needs(OWN, market.universe)


def test_what_is_not_finite_is_nan() -> None:
    values = Unbounded().compute(OWN, synthetic_market(Unbounded(), days=30)).values[:, -3:]
    assert np.isnan(values[:-1]).all()
    assert (values[-1] == 1).all()


def test_the_base_must_be_registered() -> None:
    with pytest.raises(ValidationError, match=r"must be a registered feature set: .*did you mean 'technical'"):
        Momentum(base="techncal")


def test_windows_hold_the_latest_values_and_start_with_nan() -> None:
    expected = [[np.nan, np.nan, 1], [np.nan, 1, 2], [1, 2, 3], [2, 3, 4]]
    np.testing.assert_array_equal(trailing(np.array([1.0, 2, 3, 4]), 3), expected)
    assert trailing(np.empty(0), 3).shape == (0, 3)
    assert doctest.testmod(extending).failed == 0


@pytest.mark.parametrize("name", ["market_context", "finer_bars"])
def test_what_is_inherited_enters_the_keys(name: str) -> None:
    cls = registry().load("feature_set", name)
    assert issubclass(cls, ExtendedFeatureSet)
    assert "ftfkit.extending" in keys.sources([], [cls])

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydantic import ValidationError

from ftfkit.components import Component, FeatureSet
from ftfkit.config.experiment import compose
from ftfkit.config.schema import Spec
from ftfkit.plugins import registry
from ftfkit.run import keys
from ftfkit.run.noise import BLOCK_BARS, PlantedOracle, WithNoise
from ftfkit.testing import FeatureSetConformance
from ftfkit.testing.markets import OTHER, OWN, UNIVERSE, market_of, synthetic_bars, synthetic_market
from ftfkit.types import Asset, Market

DAYS = 400  # 2,400 label bars: three blocks of noise


def _with_noise(**values: Any) -> WithNoise:
    given = {"base": _technical(), "n_columns": 6, "seed": 1, "correlation": 0.5, "memory_bars": 8}
    return WithNoise(**(given | values))


def _technical() -> FeatureSet:
    made: FeatureSet = registry().load("feature_set", "technical")()
    return made


def _market(*assets: Asset) -> Market:
    bars = {asset.name: synthetic_bars(asset, days=DAYS) for asset in assets or (OWN,)}
    return market_of(bars, 4)


def _noise(features: FeatureSet, asset: Asset = OWN, market: Market | None = None) -> npt.NDArray[np.float32]:
    return features.compute(asset, market or _market(asset)).values[:, -6:]


class TestNoise(FeatureSetConformance):
    components = (pytest.param(_with_noise(), id="noise"),)

    def test_is_made_again_from_its_own_parameters(self, component: Component) -> None:
        """It is not: what is dumped describes the base for keys, and no config may build this."""
        with pytest.raises(ValidationError, match="instance of FeatureSet"):
            type(component).model_validate(component.model_dump(mode="json"))


def test_the_base_columns_are_left_as_they_are() -> None:
    base = _technical().compute(OWN, _market())
    found = _with_noise().compute(OWN, _market())
    assert found.names == (*base.names, *(f"noise_{column}" for column in range(6)))
    np.testing.assert_array_equal(found.values[:, : len(base.names)], base.values)


def test_noise_repeats_and_differs_by_seed_and_asset() -> None:
    first = _noise(_with_noise())
    np.testing.assert_array_equal(first, _noise(_with_noise()))
    others = (_noise(_with_noise(seed=2)), _noise(_with_noise(correlation=0), OTHER))
    for other in others:
        assert np.abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.05
    assert len(np.unique(first)) > 0.99 * first.size


@pytest.mark.parametrize("memory_bars", [1, 24])
def test_noise_is_standard_normal_with_the_memory_it_was_asked_for(memory_bars: int) -> None:
    noise = _noise(_with_noise(memory_bars=memory_bars)).astype(float)
    assert noise.mean() == pytest.approx(0, abs=0.15)
    assert noise.std() == pytest.approx(1, abs=0.1)
    for lag in (1, memory_bars // 2, memory_bars):
        expected = max(0.0, 1 - lag / memory_bars) if lag else 1.0
        assert np.mean(noise[lag:] * noise[: len(noise) - lag]) == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.0])
def test_assets_share_what_they_were_asked_to_share_at_the_same_time(correlation: float) -> None:
    features = _with_noise(correlation=correlation, memory_bars=1)
    market = _market(OWN, OTHER)
    own, other = (_noise(features, asset, market) for asset in (OWN, OTHER))
    assert np.corrcoef(own.ravel(), other.ravel())[0, 1] == pytest.approx(correlation, abs=0.05)


def test_noise_belongs_to_the_bars_time_and_not_to_its_position() -> None:
    """An asset that is listed later has the same shared noise at the same time."""
    features = _with_noise(correlation=1.0)
    native = synthetic_bars(OWN, days=DAYS)
    start = 24 * 250
    late = features.compute(OWN, market_of({OWN.name: native.take(slice(start, None))}, 4)).values[:, -6:]
    full = _noise(features)
    assert len(full) > 2 * BLOCK_BARS
    np.testing.assert_allclose(late, full[-len(late) :], atol=1e-6)


def test_assets_that_the_base_needs_are_needed() -> None:
    class Needy(FeatureSet):
        def needs(self, asset: Asset, universe: Any) -> tuple[Asset, ...]:
            return (OTHER,)

        def compute(self, asset: Asset, market: Market) -> Any:
            raise NotImplementedError

    assert _with_noise(base=Needy()).needs(OWN, UNIVERSE) == (OTHER,)


def _spec(features: FeatureSet) -> Spec:
    return compose(["universe=demo"]).baseline.spec.model_copy(update={"features": features})


def _basis(features: FeatureSet) -> str:
    return keys.fit_basis(_spec(features), registry())


def test_everything_about_the_noise_and_its_base_is_in_the_fit_key() -> None:
    slow = registry().load("feature_set", "technical")(long_bars=192)
    label = compose(["universe=demo"]).baseline.spec.label
    planted = [PlantedOracle(base=_with_noise(), label=label, strength=strength) for strength in (0.0, 1.0)]
    others = [
        _with_noise(**{name: value})
        for name, value in (("seed", 2), ("n_columns", 7), ("correlation", 0.4), ("memory_bars", 9), ("base", slow))
    ]
    bases = [_basis(features) for features in (_technical(), _with_noise(), *others, *planted)]
    assert len(set(bases)) == len(bases)
    assert _basis(_with_noise()) == bases[1]


def test_the_code_of_a_wrapped_component_is_in_the_fit_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before, original = _basis(_with_noise()), keys._source_hash
    changed = "ftfkit.builtin.features"
    monkeypatch.setattr(keys, "_source_hash", lambda name: "changed" if name == changed else original(name))
    assert _basis(_with_noise()) != before


def test_the_planted_column_tells_the_label_and_no_other_does() -> None:
    market = synthetic_market(_with_noise(), bar_hours=4)
    label = compose([]).baseline.spec.label
    plain = _with_noise().compute(OWN, market)
    planted = PlantedOracle(base=_with_noise(), label=label, strength=2.0).compute(OWN, market)
    events = label.events(market.label[OWN.name], market.native[OWN.name])
    assert planted.names == (*plain.names[:-1], "planted_oracle")
    np.testing.assert_array_equal(planted.values[:, :-1], plain.values[:, :-1])
    added = planted.values[:, -1] - plain.values[:, -1]
    np.testing.assert_allclose(added[events.bar], 2.0 * events.y, atol=1e-5)
    assert not np.delete(added, events.bar).any()


def test_strength_0_is_the_null_itself() -> None:
    market = synthetic_market(_with_noise(), bar_hours=4)
    label = compose([]).baseline.spec.label
    planted = PlantedOracle(base=_with_noise(), label=label, strength=0.0).compute(OWN, market)
    np.testing.assert_array_equal(planted.values, _with_noise().compute(OWN, market).values)


def test_no_config_can_select_either() -> None:
    offered = {registration.load() for registration in registry().registrations["feature_set"].values()}
    assert not offered & {WithNoise, PlantedOracle}

"""Finer bars: causal to the last bit, right against plain Python, additions only."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from ftfkit_track12_finer_bars.finer_bars import FinerBarFeatures
from pydantic import ValidationError

from ftfkit.errors import ConfigError
from ftfkit.plugins import registry
from ftfkit.types import BAR_COLUMNS, HOUR_NS, Asset, Bars, Features, Market

OWN = Asset("AAVE", "USDT")
FULL = FinerBarFeatures(rolling=True, short_bars=3, medium_bars=7)

Bar = dict[str, float]
Window = Sequence[Sequence[Bar]]  # native bars of consecutive label bars


@pytest.fixture(scope="module")
def full(gappy_market) -> Features:
    return FULL.compute(OWN, gappy_market)


@pytest.fixture(scope="module")
def check(gappy_market, full) -> Callable[..., None]:
    """Compares one column with an oracle on windows of ``n`` label bars; NaN where one of them is missing."""
    label, native = gappy_market.label[OWN.name], gappy_market.native[OWN.name]
    bar_at = {
        time: {name: float(getattr(native, name)[row]) for name in BAR_COLUMNS}
        for row, time in enumerate(native.open_time.tolist())
    }
    columns = dict(zip(full.names, full.values.T, strict=True))

    def oracle(opened: int, n: int, formula: Callable[[Window], float]) -> float:
        times = [opened + (hour - 4 * (n - 1)) * HOUR_NS for hour in range(4 * n)]
        if any(time not in bar_at for time in times):
            return math.nan
        bars = [bar_at[time] for time in times]
        return formula([bars[first : first + 4] for first in range(0, 4 * n, 4)])

    def compare(name: str, n: int, formula: Callable[[Window], float]) -> None:
        expected = np.array([oracle(opened, n, formula) for opened in label.open_time.tolist()])
        assert np.isnan(expected).sum() < len(expected) / 2
        np.testing.assert_allclose(columns[name], expected, rtol=1e-5, atol=1e-6, err_msg=name)

    return compare


def steps(bars: Sequence[Bar]) -> list[float]:
    levels = [bars[0]["open"], *(bar["close"] for bar in bars)]
    return [math.log(after / before) for before, after in pairwise(levels)]


def all_steps(window: Window) -> list[float]:
    return [step for bars in window for step in steps(bars)]


def variance(window: Window) -> float:
    return sum(step**2 for step in all_steps(window))


def neighbours(window: Window, power: Callable[[float], float]) -> float:
    """Sum of products of neighbouring steps inside each label bar, scaled to four terms a bar."""
    pairs = [power(a) * power(b) for bars in window for a, b in pairwise(steps(bars))]
    return 4 / 3 * sum(pairs)


def shares(bars: Sequence[Bar]) -> list[float]:
    total = sum(bar["volume"] for bar in bars)
    return [bar["volume"] / total for bar in bars]


@pytest.mark.parametrize(("n", "suffix"), [(1, ""), (3, "_3"), (7, "_7")])
def test_variation_equals_plain_python(check, n, suffix):
    check(f"finer_volatility{suffix}", n, lambda window: math.sqrt(variance(window) / n))
    check(
        f"finer_skew{suffix}",
        n,
        lambda window: math.sqrt(4 * n) * sum(step**3 for step in all_steps(window)) / variance(window) ** 1.5,
    )
    check(
        f"finer_downside_share{suffix}",
        n,
        lambda window: sum(step**2 for step in all_steps(window) if step < 0) / variance(window),
    )
    check(
        f"finer_jump_share{suffix}",
        n,
        lambda window: max(1 - math.pi / 2 * neighbours(window, abs) / variance(window), 0),
    )
    check(f"finer_autocorrelation{suffix}", n, lambda window: neighbours(window, float) / variance(window))


@pytest.mark.parametrize(("n", "suffix"), [(1, ""), (7, "_7")])
def test_volume_profile_and_efficiency_equal_plain_python(check, n, suffix):
    def efficiency(bars: Sequence[Bar]) -> float:
        return abs(sum(steps(bars))) / sum(map(abs, steps(bars)))

    def concentration(bars: Sequence[Bar]) -> float:
        return (sum(share**2 for share in shares(bars)) - 1 / 4) / (3 / 4)

    def location(bars: Sequence[Bar]) -> float:
        low, high = min(bar["low"] for bar in bars), max(bar["high"] for bar in bars)
        places = [2 * (bar["close"] - low) / (high - low) - 1 for bar in bars]
        return sum(share * place for share, place in zip(shares(bars), places, strict=True))

    def signed(bars: Sequence[Bar]) -> float:
        return sum(math.copysign(share, step) for share, step in zip(shares(bars), steps(bars), strict=True))

    formulas = {
        "path_efficiency": efficiency,
        "volume_concentration": concentration,
        "volume_location": location,
        "last_volume_share": lambda bars: shares(bars)[-1],
        "signed_volume": signed,
    }
    for name, formula in formulas.items():
        check(f"finer_{name}{suffix}", n, lambda window, formula=formula: statistics.fmean(map(formula, window)))


def test_the_path_inside_a_bar_equals_plain_python(check):
    def levels(window: Window) -> list[float]:
        return [math.log(level) for level in (window[0][0]["open"], *(bar["close"] for bar in window[0]))]

    def worst(signs: float) -> Callable[[Window], float]:
        def fall(window: Window) -> float:
            path = [signs * level for level in levels(window)]
            return max(path[i] - path[j] for i in range(5) for j in range(i, 5))

        return fall

    check("finer_drawdown", 1, worst(1.0))
    check("finer_runup", 1, worst(-1.0))
    check("finer_high_position", 1, lambda w: [bar["high"] for bar in w[0]].index(max(b["high"] for b in w[0])) / 3)
    check("finer_low_position", 1, lambda w: [bar["low"] for bar in w[0]].index(min(b["low"] for b in w[0])) / 3)


def test_volatility_compared_with_its_past_equals_plain_python(check):
    def each(window: Window) -> list[float]:
        return [math.sqrt(variance([bars])) for bars in window]

    def usual(window: Window) -> float:
        return math.sqrt(variance(window) / len(window))

    check("finer_volatility_ratio_3_7", 7, lambda window: usual(window[-3:]) / usual(window))
    check("finer_volatility_surprise_7", 7, lambda window: each(window)[-1] / usual(window))
    check(
        "finer_volatility_of_volatility_7",
        7,
        lambda window: statistics.pstdev(each(window)) / statistics.fmean(each(window)),
    )


def altered(bars: Bars, end_ns: int) -> Bars:
    """Another future: every bar that is not closed yet with other prices and another volume."""
    later = bars.close_time > end_ns
    factor = np.where(later, np.random.default_rng(1).uniform(1.1, 2, len(bars)), 1)
    return replace(bars, **{name: getattr(bars, name) * factor for name in BAR_COLUMNS})


@pytest.mark.parametrize("change", [Bars.up_to, altered])
def test_the_future_changes_no_past_value(gappy_market, full, change):
    label, native = gappy_market.label[OWN.name], gappy_market.native[OWN.name]
    for hour in [*range(396, 404), *np.random.default_rng(3).integers(10, 1600, 12).tolist()]:
        end_ns = hour * HOUR_NS
        seen = FULL.compute(
            OWN, Market(gappy_market.universe, {OWN.name: change(native, end_ns)}, {OWN.name: change(label, end_ns)})
        )
        past = int(np.searchsorted(label.close_time, end_ns, side="right"))
        np.testing.assert_array_equal(seen.values[:past], full.values[:past])


def test_a_row_does_not_need_native_bars_after_its_close(gappy_market, full):
    label, native = gappy_market.label[OWN.name], gappy_market.native[OWN.name]
    end_ns = int(label.close_time[200])
    market = replace(gappy_market, native={OWN.name: native.up_to(end_ns)})
    seen = FULL.compute(OWN, market)
    np.testing.assert_array_equal(seen.values[:201], full.values[:201])
    finer = [name.startswith("finer_") for name in full.names]
    assert np.isnan(seen.values[201:, finer]).all()


def test_no_window_reaches_across_a_gap(gappy_market, full):
    label, native = gappy_market.label[OWN.name], gappy_market.native[OWN.name]
    assert len(label.segments) == 5
    finer = [name.startswith("finer_") for name in full.names]
    for rows in label.segments:
        start, end = int(label.open_time[rows.start]), int(label.close_time[rows.stop - 1])
        inside = slice(*np.searchsorted(native.open_time, [start, end]).tolist())
        alone = replace(gappy_market, native={OWN.name: native.take(inside)}, label={OWN.name: label.take(rows)})
        np.testing.assert_array_equal(FULL.compute(OWN, alone).values[:, finer], full.values[rows][:, finer])
        assert np.isnan(full.values[rows][:2, full.names.index("finer_skew_3")]).all()


def test_the_base_set_comes_first_and_unchanged(gappy_market, full):
    technical = registry().load("feature_set", "technical")().compute(OWN, gappy_market)
    n = len(technical.names)
    assert full.names[:n] == technical.names
    np.testing.assert_array_equal(full.values[:, :n], technical.values)


def test_columns_are_float32_unique_and_counted(gappy_market, full):
    assert full.values.dtype == np.float32
    assert full.values.shape == (len(gappy_market.label[OWN.name]), len(full.names))
    assert len(set(full.names)) == len(full.names)
    assert sum(name.startswith("finer_") for name in full.names) == 14 + 23
    single = FinerBarFeatures().compute(OWN, gappy_market)
    assert sum(name.startswith("finer_") for name in single.names) == 14
    assert single.names == full.names[: len(single.names)]


@pytest.mark.parametrize("n", [0, 1, 4, 11])
def test_short_markets_give_nan_and_never_fail(make_market, n):
    market = make_market(n=16)
    bars, native = market.label[OWN.name], market.native[OWN.name]
    cut = Market(market.universe, {OWN.name: native.take(slice(0, n))}, {OWN.name: bars.up_to(n // 4 * 4 * HOUR_NS)})
    features = FinerBarFeatures(rolling=True).compute(OWN, cut)
    assert features.values.shape == (n // 4, len(features.names))


def test_a_market_that_does_not_move_gives_nan_and_never_infinity(make_market):
    still = dict.fromkeys(BAR_COLUMNS[:4], 7.0) | {"volume": 0.0}
    market = make_market(n=200)

    def frozen(bars: Bars) -> Bars:
        return replace(bars, **{name: np.full(len(bars), value) for name, value in still.items()})

    native, label = frozen(market.native[OWN.name]), frozen(market.label[OWN.name])
    features = FinerBarFeatures(rolling=True).compute(
        OWN, Market(market.universe, {OWN.name: native}, {OWN.name: label})
    )
    column = dict(zip(features.names, features.values.T, strict=True))
    assert not np.isinf(features.values).any()
    assert (column["finer_volatility"] == 0).all()
    assert np.isnan(column["finer_jump_share_6"]).all()
    assert np.isnan(column["finer_last_volume_share"]).all()


def test_a_jump_is_told_from_even_movement(make_market):
    """One native bar takes it all in one market, all bars alike in the other."""
    market = make_market(n=400)
    native = market.native[OWN.name]

    def moving(size: Callable[[int], float]) -> float:
        close = 100 * np.exp(np.cumsum([size(row) for row in range(400)]))
        opened = np.concatenate([[100.0], close[:-1]])
        bars = replace(native, open=opened, high=np.maximum(opened, close), low=np.minimum(opened, close), close=close)
        label = replace(market.label[OWN.name], open=opened[::4], close=close[3::4])
        features = FULL.compute(OWN, Market(market.universe, {OWN.name: bars}, {OWN.name: label}))
        return float(features.values[50, features.names.index("finer_jump_share_7")])

    assert moving(lambda row: 0.02 * (row % 4 == 1) + 1e-5) > 0.95
    assert moving(lambda row: 0.01 * (-1) ** row) == 0


def test_it_needs_what_its_base_needs(gappy_market):
    assert FinerBarFeatures().needs(OWN, gappy_market.universe) == ()


def test_native_bars_must_be_finer(make_market):
    with pytest.raises(
        ConfigError, match=r"label.bar_hours == 1 must be a multiple, 2 or more, of the 1 h native bars"
    ):
        FinerBarFeatures().compute(OWN, make_market(n=200, label_hours=1))


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ({"base": "techncal"}, "did you mean 'technical'"),
        ({"base": "finer_bars"}, "must be another feature set"),
        ({"short_bars": 24}, "must increase"),
        ({"short_bars": 1}, "greater than or equal to 2"),
        ({"window": 3}, "Extra inputs"),
    ],
)
def test_parameters_are_checked(broken, rule):
    with pytest.raises(ValidationError, match=rule):
        FinerBarFeatures.model_validate(broken)

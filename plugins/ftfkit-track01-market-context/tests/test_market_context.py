"""Market context: causal to the last bit whatever clock or gap, right against plain Python, additions only."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from ftfkit_track01_market_context.market_context import MarketContextFeatures
from pydantic import ValidationError

from ftfkit.plugins import registry
from ftfkit.types import BAR_COLUMNS, HOUR_NS, Asset, Bars, Features, Market, Universe

OWN = Asset("AAVE", "USDT")
BAR_NS = 4 * HOUR_NS
FULL = MarketContextFeatures(cross_section=True, short_bars=3, medium_bars=8, long_bars=20)

Closes = Mapping[int, float]  # close time -> close
Oracle = Callable[[int], float]  # own close time -> value


def columns_of(features: Features) -> dict[str, np.ndarray]:
    return dict(zip(features.names, features.values.T, strict=True))


def closes(bars: Bars) -> Closes:
    return dict(zip(bars.close_time.tolist(), bars.close.tolist(), strict=True))


def known_at(closed: Closes, moment: int) -> int | None:
    """Close time of the latest bar closed by ``moment`` and at most one bar old."""
    latest = max((time for time in closed if time <= moment), default=None)
    return None if latest is None or moment - latest > BAR_NS else latest


def log_return(closed: Closes, moment: int | None, n: int) -> float:
    if moment is None or any(moment - lag * BAR_NS not in closed for lag in range(n + 1)):
        return math.nan
    return math.log(closed[moment] / closed[moment - n * BAR_NS])


def paired(own: Closes, other: Closes, moment: int, n: int) -> tuple[list[float], list[float]] | None:
    """Returns of both assets at the last ``n`` own bars, or None where a bar of either is missing."""
    ours, theirs = [], []
    for lag in range(n):
        now, before = moment - lag * BAR_NS, moment - (lag + 1) * BAR_NS
        theirs_now, theirs_before = known_at(other, now), known_at(other, before)
        if now not in own or before not in own or theirs_now is None or theirs_before != theirs_now - BAR_NS:
            return None
        ours.append(math.log(own[now] / own[before]))
        theirs.append(math.log(other[theirs_now] / other[theirs_before]))
    return ours, theirs


def moments(x: list[float], y: list[float]) -> tuple[float, float, float]:
    """Population variance of x, of y, and their covariance."""
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return (
        sum((a - mean_x) ** 2 for a in x) / len(x),
        sum((b - mean_y) ** 2 for b in y) / len(y),
        sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / len(x),
    )


def pair_correlation(own: Closes, other: Closes, moment: int, n: int) -> float:
    pair = paired(own, other, moment, n)
    if pair is None:
        return math.nan
    var_x, var_y, cov = moments(*pair)
    return cov / math.sqrt(var_x * var_y)


@pytest.fixture(scope="module")
def full(ragged_market) -> Features:
    return FULL.compute(OWN, ragged_market)


@pytest.fixture(scope="module")
def check(ragged_market, full) -> Callable[[str, Oracle], None]:
    """Compares one column with an oracle at every row; the oracle must be defined somewhere and missing somewhere."""
    own = ragged_market.label[OWN.name]
    columns = columns_of(full)

    def compare(name: str, oracle: Oracle) -> None:
        expected = np.array([oracle(moment) for moment in own.close_time.tolist()])
        assert 0 < np.isnan(expected).sum() < len(expected) / 2
        np.testing.assert_allclose(columns[name], expected, rtol=1e-4, atol=1e-7, err_msg=name)

    return compare


@pytest.mark.parametrize("leader", ["BTC", "ETH"])
def test_leader_columns_equal_plain_python(ragged_market, check, leader):
    own, other = closes(ragged_market.label[OWN.name]), closes(ragged_market.label[f"{leader}USDT"])
    prefix = leader.lower()

    def relative(moment: int) -> float:
        pair = paired(own, other, moment, 8)
        return math.nan if pair is None else sum(pair[0]) - sum(pair[1])

    def beta(moment: int) -> float:
        pair = paired(own, other, moment, 20)
        if pair is None:
            return math.nan
        _, var_leader, cov = moments(*pair)
        return cov / var_leader

    def residual(moment: int) -> float:
        pair = paired(own, other, moment, 20)
        return math.nan if pair is None else sum(pair[0][:3]) - beta(moment) * sum(pair[1][:3])

    def lead(moment: int) -> float:
        pair, last = paired(own, other, moment - BAR_NS, 20), log_return(own, moment, 1)
        if pair is None or math.isnan(last):
            return math.nan
        var_own, var_leader, cov = moments([last, *pair[0][:-1]], pair[1])
        return cov / math.sqrt(var_own * var_leader)

    check(f"{prefix}_return_1", lambda moment: log_return(other, known_at(other, moment), 1))
    check(f"{prefix}_return_8", lambda moment: log_return(other, known_at(other, moment), 8))
    check(f"{prefix}_relative_return_8", relative)
    check(f"{prefix}_correlation_20", lambda moment: pair_correlation(own, other, moment, 20))
    check(f"{prefix}_beta_20", beta)
    check(f"{prefix}_residual_return_3", residual)
    check(f"{prefix}_lead_correlation_20", lead)


def test_a_leaders_range_and_volume_equal_plain_python(ragged_market, check):
    bars = ragged_market.label["BTCUSDT"]
    row_of = {time: row for row, time in enumerate(bars.close_time.tolist())}
    closed = closes(bars)

    def window(moment: int, n: int) -> slice | None:
        known = known_at(closed, moment)
        if known is None or any(known - lag * BAR_NS not in row_of for lag in range(n)):
            return None
        return slice(row_of[known] - n + 1, row_of[known] + 1)

    def drawdown(moment: int) -> float:
        rows = window(moment, 20)
        return math.nan if rows is None else math.log(bars.close[rows][-1] / max(bars.high[rows]))

    def volume(moment: int) -> float:
        rows = window(moment, 8)
        return math.nan if rows is None else math.log(bars.volume[rows][-1] / (sum(bars.volume[rows]) / 8))

    check("btc_drawdown_20", drawdown)
    check("btc_volume_ratio_8", volume)


def test_cross_section_equals_plain_python(ragged_market, check):
    others = [closes(ragged_market.label[asset.name]) for asset in ragged_market.universe.assets if asset != OWN]
    own = closes(ragged_market.label[OWN.name])

    def returns(moment: int) -> tuple[float, list[float]]:
        theirs = [log_return(other, known_at(other, moment), 8) for other in others]
        return log_return(own, moment, 8), [value for value in theirs if not math.isnan(value)]

    def standing(formula: Callable[[float, list[float]], float]) -> Oracle:
        def value(moment: int) -> float:
            mine, theirs = returns(moment)
            return math.nan if math.isnan(mine) or not theirs else formula(mine, theirs)

        return value

    def dispersion(mine: float, theirs: list[float]) -> float:
        return math.sqrt(moments([mine, *theirs], [mine, *theirs])[0])

    def mean_correlation(moment: int) -> float:
        pairs = [pair_correlation(own, other, moment, 8) for other in others]
        known = [value for value in pairs if not math.isnan(value)]
        return sum(known) / len(known) if known else math.nan

    check("cross_rank_8", standing(lambda mine, theirs: sum(mine > other for other in theirs) / len(theirs)))
    check("cross_relative_return_8", standing(lambda mine, theirs: mine - sum(theirs) / len(theirs)))
    check("cross_return_8", standing(lambda mine, theirs: sum(theirs) / len(theirs)))
    check("cross_dispersion_8", standing(dispersion))
    check("cross_breadth_8", standing(lambda mine, theirs: sum(r > 0 for r in [mine, *theirs]) / (len(theirs) + 1)))
    check("cross_correlation_8", mean_correlation)


def test_ties_count_half(make_bars):
    same = replace(make_bars("AAVEUSDT"), asset="UNIUSDT")
    universe = Universe("pair", (OWN, Asset("UNI", "USDT")), "USDT")
    market = Market(universe, {}, {OWN.name: make_bars("AAVEUSDT"), "UNIUSDT": same})
    rank = columns_of(MarketContextFeatures(leaders=(), cross_section=True).compute(OWN, market))["cross_rank_6"]
    assert set(rank[6:]) == {0.5}


def cut(bars: Bars, end_ns: int) -> Bars:
    return bars.up_to(end_ns)


def altered(bars: Bars, end_ns: int) -> Bars:
    """Another future: the prices of every bar that is not closed yet doubled, its volume trebled."""
    later = bars.close_time > end_ns
    columns = {name: np.where(later, getattr(bars, name) * 2, getattr(bars, name)) for name in BAR_COLUMNS[:4]}
    return replace(bars, **columns, volume=np.where(later, bars.volume * 3, bars.volume))


@pytest.mark.parametrize("change", [cut, altered])
@pytest.mark.parametrize("base", ["AAVE", "ARB", "LDO", "OP", "UNI", "BTC", "ETH"])
def test_the_future_of_no_asset_changes_a_past_value(ragged_market, full, base, change):
    own = ragged_market.label[OWN.name]
    for hour in np.random.default_rng(3).integers(10, 4 * 400, 12).tolist():
        end_ns = hour * HOUR_NS
        label = {**ragged_market.label, f"{base}USDT": change(ragged_market.label[f"{base}USDT"], end_ns)}
        past = int(np.searchsorted(own.close_time, end_ns, side="right"))
        seen = FULL.compute(OWN, replace(ragged_market, label=label))
        np.testing.assert_array_equal(seen.values[:past], full.values[:past])


@pytest.mark.parametrize("base", ["AAVE", "BTC", "ETH", "ARB"])
def test_no_window_reaches_across_a_gap(ragged_market, full, base):
    own, gappy = ragged_market.label[OWN.name], ragged_market.label[f"{base}USDT"]
    assert len(gappy.segments) > 1
    for rows in gappy.segments[1:]:
        before = np.arange(len(gappy)) < rows.start
        columns = {name: np.where(before, getattr(gappy, name) * 1.5, getattr(gappy, name)) for name in BAR_COLUMNS}
        label = {**ragged_market.label, gappy.asset: replace(gappy, **columns)}
        seen = FULL.compute(OWN, replace(ragged_market, label=label))
        after = own.close_time >= gappy.close_time[rows.start]
        np.testing.assert_array_equal(seen.values[after], full.values[after])


def test_the_base_set_comes_first_and_unchanged(ragged_market, full):
    technical = registry().load("feature_set", "technical")().compute(OWN, ragged_market)
    n = len(technical.names)
    assert full.names[:n] == technical.names
    np.testing.assert_array_equal(full.values[:, :n], technical.values)


def test_columns_are_float32_unique_and_without_infinity(ragged_market, full):
    assert full.values.dtype == np.float32
    assert full.values.shape == (len(ragged_market.label[OWN.name]), len(full.names))
    assert len(set(full.names)) == len(full.names)
    assert not np.isinf(full.values).any()
    for prefix, n_columns in (("btc_", 18), ("eth_", 18), ("cross_", 22)):
        assert sum(name.startswith(prefix) for name in full.names) == n_columns


def test_all_columns_are_known_once_windows_are_full(make_bars):
    universe = Universe("pair", (OWN, Asset("UNI", "USDT")), "USDT")
    label = {name: make_bars(name, n=300) for name in ("AAVEUSDT", "UNIUSDT", "BTCUSDT", "ETHUSDT")}
    features = MarketContextFeatures(cross_section=True).compute(OWN, Market(universe, {}, label))
    assert np.isfinite(features.values[97:]).all()


@pytest.mark.parametrize("n", [0, 1, 5])
def test_short_markets_give_nan_and_never_fail(make_bars, n):
    label = {name: make_bars(name, n=n) for name in ("AAVEUSDT", "BTCUSDT", "ETHUSDT")}
    features = MarketContextFeatures(cross_section=True).compute(
        OWN, Market(Universe("one", (OWN,), "USDT"), {}, label)
    )
    assert features.values.shape == (n, len(features.names))
    cross = [name.startswith("cross_") for name in features.names]
    assert np.isnan(features.values[:, cross]).all()


@pytest.mark.parametrize("volume", [0.0, 5.0])
def test_a_dead_leader_gives_no_infinity(make_bars, volume):
    n = np.arange(400)
    still = dict.fromkeys(BAR_COLUMNS[:4], np.full(400, 7.0)) | {"volume": np.where(n < 200, volume, 0.0)}
    label = {OWN.name: make_bars("AAVEUSDT"), "BTCUSDT": replace(make_bars("BTCUSDT"), **still)}
    market = Market(Universe("one", (OWN,), "USDT"), {}, label)
    values = MarketContextFeatures(leaders=("BTC",)).compute(OWN, market).values
    assert not np.isinf(values).any()


def test_a_leader_in_the_universe_is_compared_with_itself(make_bars):
    btc = Asset("BTC", "USDT")
    label = {"BTCUSDT": make_bars("BTCUSDT"), "ETHUSDT": make_bars("ETHUSDT")}
    columns = columns_of(MarketContextFeatures().compute(btc, Market(Universe("one", (btc,), "USDT"), {}, label)))
    np.testing.assert_allclose(columns["btc_beta_96"][96:], 1, rtol=1e-5)
    assert set(columns["btc_relative_return_6"][6:]) == {0.0}


def test_it_needs_leaders_and_for_the_cross_section_the_universe(ragged_market):
    universe = ragged_market.universe
    assert [asset.base for asset in MarketContextFeatures().needs(OWN, universe)] == ["BTC", "ETH"]
    both = MarketContextFeatures(cross_section=True, leaders=("BTC", "UNI"))
    assert [asset.base for asset in both.needs(OWN, universe)] == ["BTC", "UNI", "ARB", "LDO", "OP"]
    assert {asset.quote for asset in FULL.needs(OWN, universe)} == {"USDT"}


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ({"base": "techncal"}, "did you mean 'technical'"),
        ({"base": "market_context"}, "must be another feature set"),
        ({"leaders": ["BTC", "BTC"]}, "must not repeat"),
        ({"leaders": []}, "must name an asset"),
        ({"short_bars": 24}, "must increase"),
        ({"max_age_bars": -1}, "greater than or equal to 0"),
        ({"min_assets": 1}, "greater than or equal to 2"),
        ({"leader": "BTC"}, "Extra inputs"),
    ],
)
def test_parameters_are_checked(broken, rule):
    with pytest.raises(ValidationError, match=rule):
        MarketContextFeatures.model_validate(broken)

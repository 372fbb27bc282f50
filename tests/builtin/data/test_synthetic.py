from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy import stats

from ftfkit.builtin.data.synthetic import SyntheticSource
from ftfkit.run.market import native_bars, resample
from ftfkit.types import BAR_COLUMNS, Asset, Bars

ASSETS = tuple(Asset(base, "USDC") for base in ("AAVE", "ARB", "LDO", "OP", "UNI"))
KNOWN_CLOSE = 8.6367855255198  # last close of two days of AAVE, seed 1


def log_returns(bars: Bars) -> np.ndarray:
    return np.diff(np.log(bars.close))


@pytest.mark.parametrize("correlation", [0.0, 0.65, 0.9])
def test_returns_have_the_declared_correlation(correlation: float) -> None:
    source = SyntheticSource(correlation=correlation)
    returns = np.array([log_returns(native_bars(source, asset)) for asset in ASSETS])
    pairs = np.corrcoef(returns)[np.triu_indices(len(ASSETS), k=1)]
    assert np.abs(pairs - correlation).max() < 0.05


def test_correlation_stays_where_the_drift_is_strong() -> None:
    source = SyntheticSource(signal=1.0)
    first, second = (log_returns(native_bars(source, asset)) for asset in ASSETS[:2])
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.65, abs=0.07)


def test_returns_have_fat_tails_and_clustered_volatility() -> None:
    returns = log_returns(native_bars(SyntheticSource(signal=0.0), ASSETS[0]))
    size = np.abs(returns)
    assert stats.kurtosis(returns) > 1.5
    assert np.corrcoef(size[:-24], size[24:])[0, 1] > 0.05


def test_bars_pass_the_schema_without_a_repair() -> None:
    bars = native_bars(SyntheticSource(days=100), ASSETS[0])
    quality = bars.quality
    assert bars.synthetic
    assert (quality.n_bars, quality.n_gaps, quality.n_sorted, quality.n_duplicates) == (2400, 0, 0, 0)
    np.testing.assert_array_equal(bars.open[1:], bars.close[:-1])
    assert (bars.high > bars.low).all()


def test_same_parameters_give_the_same_bytes() -> None:
    first, second = (native_bars(SyntheticSource(days=30), ASSETS[0]) for _ in range(2))
    assert first.sha256() == second.sha256()


def test_generator_gives_the_recorded_price() -> None:
    frame = SyntheticSource(days=2, seed=1).read(Asset("AAVE", "USDC")).frame
    assert frame["close"].iloc[-1] == pytest.approx(KNOWN_CLOSE, rel=1e-9)


def test_seed_and_base_change_the_bars_and_the_quote_does_not() -> None:
    def close(seed: int, base: str, quote: str) -> np.ndarray:
        return native_bars(SyntheticSource(days=10, seed=seed), Asset(base, quote)).close

    reference = close(1, "AAVE", "USDC")
    assert not np.allclose(reference, close(2, "AAVE", "USDC"))
    assert not np.allclose(reference, close(1, "UNI", "USDC"))
    np.testing.assert_array_equal(reference, close(1, "AAVE", "USDT"))


def test_an_asset_does_not_depend_on_what_was_asked_before() -> None:
    source = SyntheticSource(days=10)
    alone = native_bars(SyntheticSource(days=10), ASSETS[3])
    after_others = [native_bars(source, asset) for asset in ASSETS][3]
    assert alone.sha256() == after_others.sha256()


def test_an_asset_named_market_is_not_the_market() -> None:
    source = SyntheticSource(days=200, correlation=0.65)
    first, second = (log_returns(native_bars(source, Asset(base, "USDC"))) for base in ("market", "AAVE"))
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.65, abs=0.05)


def test_more_days_extend_the_same_history() -> None:
    short, long = (native_bars(SyntheticSource(days=days), ASSETS[0]) for days in (20, 40))
    for name in ("open_time", *BAR_COLUMNS):
        np.testing.assert_array_equal(getattr(short, name), getattr(long, name)[: len(short)])


def test_start_moves_the_clock_only() -> None:
    first, second = (
        native_bars(SyntheticSource(days=5, start=start), ASSETS[0]) for start in (date(2020, 1, 1), date(2022, 1, 1))
    )
    assert np.datetime64(int(second.open_time[0]), "ns") == np.datetime64("2022-01-01")
    np.testing.assert_array_equal(first.close, second.close)


def standardised(source: SyntheticSource, asset: Asset) -> np.ndarray:
    """4h returns over their trailing volatility: what a feature of past returns can know."""
    returns = log_returns(resample(native_bars(source, asset), 4))
    size = np.sqrt(np.convolve(returns**2, np.full(30, 1 / 30), mode="valid"))
    return returns[30:] / size[:-1]


def momentum_correlation(source: SyntheticSource, asset: Asset, n_bars: int = 9) -> float:
    """Correlation of the mean of the last ``n_bars`` 4h returns with the next one."""
    returns = standardised(source, asset)
    past = np.convolve(returns, np.full(n_bars, 1 / n_bars), mode="valid")
    return float(np.corrcoef(past[:-1], returns[n_bars:])[0, 1])


@pytest.mark.parametrize("asset", ASSETS, ids=lambda asset: asset.base)
def test_no_signal_leaves_nothing_to_predict(asset: Asset) -> None:
    source = SyntheticSource(signal=0.0, days=2000)
    returns = standardised(source, asset)
    noise = 1 / np.sqrt(len(returns))
    lags = [np.corrcoef(returns[:-lag], returns[lag:])[0, 1] for lag in range(1, 13)]
    assert np.abs(lags).max() < 3.5 * noise
    assert abs(momentum_correlation(source, asset)) < 3.5 * noise
    assert abs(returns.mean()) < 3.5 * noise


def test_past_returns_predict_the_next_in_proportion_to_the_signal() -> None:
    strengths = [
        np.mean([momentum_correlation(SyntheticSource(signal=signal, days=2000), asset) for asset in ASSETS])
        for signal in (0.0, 0.3, 0.6, 1.0)
    ]
    assert strengths == sorted(strengths)
    assert strengths[1] > 0.05
    assert strengths[3] > 0.3


def test_signal_changes_the_drift_and_not_the_luck() -> None:
    calm, driven = (native_bars(SyntheticSource(signal=signal, days=50), ASSETS[0]) for signal in (0.0, 0.3))
    assert np.corrcoef(log_returns(calm), log_returns(driven))[0, 1] > 0.95


def test_barriers_are_touched_with_the_odds_of_their_distance_without_signal() -> None:
    """Optional stopping: from the middle of [-1, 3] a martingale leaves at the top in one case of four."""
    hits = [first_exit(native_bars(SyntheticSource(signal=0.0, days=2000), asset)) for asset in ASSETS]
    assert np.mean(hits) == pytest.approx(0.25, abs=0.02)


def first_exit(bars: Bars, stop: float = 0.02, every_bars: int = 48) -> float:
    """Share of entries, 48 h apart, whose price gains ``3 stop`` before it loses ``stop``."""
    wins = []
    for entry in range(0, len(bars) - 2000, every_bars):
        after = slice(entry + 1, entry + 2000)
        price = bars.close[entry]
        won, lost = bars.high[after] >= price * (1 + 3 * stop), bars.low[after] <= price * (1 - stop)
        wins.append(int(won.argmax()) < int(lost.argmax()) if won.any() and lost.any() else bool(won.any()))
    return float(np.mean(wins))


@pytest.mark.parametrize(
    ("field", "value"), [("days", 0), ("correlation", 1.0), ("signal", -0.1), ("seed", -1), ("signl", 0.3)]
)
def test_parameters_out_of_range_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        SyntheticSource(**{field: value})

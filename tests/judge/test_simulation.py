"""What the tests and the lock rules do under no effect at all, with assets that move together.

Worlds of 5 assets x 5 folds, delta sd .05, no true lift. ``assets``: the assets of one fold correlate .8, folds are
independent. ``assets and folds``: every two folds correlate .2 on top, as overlapping training sets make them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from ftfkit.judge.dependence import fold_t, nadeau_bengio
from ftfkit.judge.paired import benjamini_hochberg, bootstrap_means

N_REPLICATES, N_VARIANTS, N_ASSETS, N_FOLDS = 6000, 4, 5, 5
SD, LIFT, ALPHA = 0.05, 0.015, 0.05
WORLDS = {"assets": 0.0, "assets and folds": 0.2}
ASSET_CORRELATION = 0.8

Figures = dict[str, float]


def null_deltas(fold_correlation: float, seed: int) -> npt.NDArray[np.float64]:
    """Deltas of shape (replicates, variants, assets, folds): correlations multiply, as assets (x) folds."""
    rng = np.random.default_rng(seed)
    roots = [
        np.linalg.cholesky((1 - rho) * np.eye(n) + rho)
        for n, rho in ((N_ASSETS, ASSET_CORRELATION), (N_FOLDS, fold_correlation))
    ]
    noise = rng.standard_normal((N_REPLICATES, N_VARIANTS, N_ASSETS, N_FOLDS))
    return SD * np.einsum("ai,fj,rvij->rvaf", *roots, noise)


def published_low(deltas: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Lower bootstrap bounds of the published rule, by the linearity of the resampled mean."""
    n = deltas.shape[1]
    weights = np.stack([bootstrap_means(unit, 10_000, 42) for unit in np.eye(n)], axis=1)
    batches = np.array_split(deltas, max(1, len(deltas) // 500))
    return np.concatenate([np.quantile(weights @ batch.T, 0.025, axis=0) for batch in batches])


@pytest.fixture(scope="module", params=WORLDS)
def figures(request: pytest.FixtureRequest) -> tuple[str, Figures]:
    deltas = null_deltas(WORLDS[request.param], seed=20260429)
    means = deltas.mean(axis=2)
    tests = {"fold_t": fold_t, "nadeau_bengio": nadeau_bengio}
    p = {name: np.array([[test(v, 0.95).p for v in r] for r in means]) for name, test in tests.items()}
    mean, low = (
        deltas.mean(axis=(2, 3)),
        published_low(deltas.reshape(-1, N_ASSETS * N_FOLDS)).reshape(p["fold_t"].shape),
    )
    published = (mean >= LIFT) & (low > 0)
    found = {f"size {name}": (values < ALPHA).mean() for name, values in p.items()} | {"published": published.mean()}
    for name, values in p.items():
        adjusted = np.array([benjamini_hochberg(row) for row in values.tolist()])
        found[f"lock {name}"] = (published & (values < ALPHA)).mean()
        found[f"family lock {name}"] = (published & (adjusted < ALPHA)).any(axis=1).mean()
    print(request.param, {name: round(float(value), 4) for name, value in found.items()})
    return request.param, found


@pytest.mark.slow
def test_sizes_and_false_locks_under_no_effect(figures: tuple[str, Figures]) -> None:
    world, found = figures
    if world == "assets":
        assert 0.035 <= found["size fold_t"] <= 0.065
    assert found["size nadeau_bengio"] <= 0.065
    assert found["lock nadeau_bengio"] <= 0.03
    assert found["family lock nadeau_bengio"] <= 0.05
    assert found["published"] >= 0.15


def test_bounds_by_linearity_are_the_defined_ones() -> None:
    deltas = np.random.default_rng(0).normal(0, SD, (3, 25))
    expected = [np.quantile(bootstrap_means(row, 10_000, 42), 0.025) for row in deltas]
    np.testing.assert_allclose(published_low(deltas), expected, atol=1e-15)


def test_worlds_correlate_as_they_say() -> None:
    flat = null_deltas(0.2, seed=1).reshape(-1, N_ASSETS * N_FOLDS)
    correlation = np.corrcoef(flat, rowvar=False)
    assert correlation[0, N_FOLDS] == pytest.approx(0.8, abs=0.02)  # two assets, one fold
    assert correlation[0, 1] == pytest.approx(0.2, abs=0.02)  # one asset, two folds
    assert flat.std() == pytest.approx(SD, rel=0.02)

"""Label uniqueness against the book's loops."""

from __future__ import annotations

import numpy as np
import pytest

from ftfkit.errors import DataError
from ftfkit.types import HOUR_NS
from ftfkit.uniqueness import uniqueness


def oracle(t0: list[int], t1: list[int]) -> list[float]:
    """Lopez de Prado, snippets 4.1 and 4.2, on a grid of whole numbers."""
    concurrency: dict[int, int] = {}
    for start, end in zip(t0, t1, strict=True):
        for close in range(start, end + 1):
            concurrency[close] = concurrency.get(close, 0) + 1
    return [
        sum(1 / concurrency[close] for close in range(start, end + 1)) / (end - start + 1)
        for start, end in zip(t0, t1, strict=True)
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("bar_hours", [1, 4])
def test_equals_the_oracle_in_any_order(seed, bar_hours):
    rng = np.random.default_rng(seed)
    t0 = rng.integers(0, 500, 300)
    t1 = t0 + rng.integers(0, 25, 300)
    bar_ns = bar_hours * HOUR_NS
    origin = 1_700_000_000_000_000_123
    got = uniqueness(origin + t0 * bar_ns, origin + t1 * bar_ns, bar_ns)
    np.testing.assert_allclose(got, oracle(t0.tolist(), t1.tolist()), rtol=1e-12)


def test_lone_events_weigh_one_and_twins_a_half():
    time = np.array([0, 0, 10], dtype=np.int64)
    np.testing.assert_allclose(uniqueness(time, time + 3, 1), [0.5, 0.5, 1.0])


def test_no_events_have_no_weights():
    empty = np.empty(0, dtype=np.int64)
    assert uniqueness(empty, empty, HOUR_NS).shape == (0,)


@pytest.mark.parametrize(("t0", "t1"), [([0, 3], [2, 5]), ([4], [2]), ([0, 2], [3, 4])])
def test_intervals_off_the_grid_or_reversed_are_refused(t0, t1):
    with pytest.raises(DataError, match="t1 >= t0 and lie whole bars of 2 ns apart"):
        uniqueness(np.array(t0), np.array(t1), 2)

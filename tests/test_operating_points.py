from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score

from ftfkit.operating_points import average_precision, best_f1, operating_curve

scored = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.1, 0.2, 0.25, 0.5, 0.7, 0.9])), min_size=2, max_size=30
)


@given(scored)
def test_best_f1_is_the_highest_threshold_of_best_f1_over_all_midpoints(rows: list[tuple[int, float]]) -> None:
    y, proba = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    values = np.unique(proba)
    candidates = (values[:-1] + values[1:]) / 2 if len(values) > 1 else values
    f1 = [float(f1_score(y, proba >= cut, zero_division=0)) for cut in candidates]
    found = best_f1(y, proba)
    assert found.f1 == pytest.approx(max(f1), abs=1e-12)
    ties = [cut for cut, value in zip(candidates, f1, strict=True) if value == pytest.approx(max(f1), abs=1e-12)]
    assert found.threshold == pytest.approx(max(ties), abs=1e-12)


@given(scored)
def test_average_precision_equals_scikit_learn_with_ties(rows: list[tuple[int, float]]) -> None:
    y, proba = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    expected = float(average_precision_score(y, proba)) if y.any() else 0.0
    assert average_precision(y, proba) == pytest.approx(expected, abs=1e-12)


def test_threshold_between_neighbouring_floats_separates_them() -> None:
    low = np.float64(0.3)
    high = np.nextafter(low, 1)
    curve = operating_curve(np.array([1, 0]), np.array([high, low]))
    assert low < curve.threshold(0) <= high


def test_curve_counts_buys_and_hits_from_the_top() -> None:
    curve = operating_curve(np.array([0, 1, 1, 0, 1]), np.array([0.2, 0.9, 0.4, 0.4, 0.1]))
    np.testing.assert_array_equal(curve.proba, [0.9, 0.4, 0.2, 0.1])
    np.testing.assert_array_equal(curve.n_buys, [1, 3, 4, 5])
    np.testing.assert_array_equal(curve.n_hits, [1, 2, 2, 3])

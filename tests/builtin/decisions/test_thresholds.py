from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ftfkit.builtin.decisions.fixed import FixedThreshold
from ftfkit.builtin.decisions.matched_rate import MatchedRate
from ftfkit.builtin.decisions.tuned import TunedThreshold
from ftfkit.components import DecisionContext
from ftfkit.errors import ConfigError


def evidence(proba: list[float], y: list[int], baseline_buys: int | None = None) -> DecisionContext:
    return DecisionContext(np.array(proba), np.array(y, dtype=np.int8), baseline_buys)


def test_fixed_buys_at_its_threshold_whatever_the_evidence() -> None:
    assert FixedThreshold().threshold(evidence([0.1, 0.9], [1, 0])) == 0.5
    assert FixedThreshold(threshold=0.3).threshold(evidence([0.1, 0.9], [1, 0])) == 0.3
    assert FixedThreshold.f1_rule == "at_half"


def test_fixed_is_dumped_as_it_is_written_in_yaml() -> None:
    assert FixedThreshold(threshold=0.3).model_dump() == {"threshold": 0.3}
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        FixedThreshold(threshold=1.5)


def test_tuned_takes_the_highest_of_equally_good_midpoints() -> None:
    # F1 is 2/3 above 0.5 (1 hit of 1 BUY) and above 0.15 (2 hits of 4 BUYs): the higher one wins
    context = evidence([0.9, 0.4, 0.3, 0.2, 0.1], [1, 0, 0, 1, 0])
    assert TunedThreshold().threshold(context) == pytest.approx(0.65)
    assert TunedThreshold.f1_rule == "best"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40, unique=True), st.data())
def test_matched_rate_reproduces_the_count(proba: list[float], data: st.DataObject) -> None:
    wanted = data.draw(st.integers(0, len(proba)))
    threshold = MatchedRate().threshold(evidence(proba, [0] * len(proba), wanted))
    assert np.count_nonzero(np.array(proba) >= threshold) == wanted


def test_matched_rate_takes_the_nearest_count_that_ties_allow() -> None:
    context = evidence([0.9, 0.5, 0.5, 0.5, 0.1], [0] * 5, 2)
    assert np.count_nonzero(context.oof_proba >= MatchedRate().threshold(context)) == 1


def test_matched_rate_of_zero_never_buys() -> None:
    assert MatchedRate().threshold(evidence([0.2, 0.8], [0, 1], 0)) == math.inf


@pytest.mark.parametrize("wanted", [None, 3])
def test_matched_rate_needs_a_count_of_the_same_events(wanted: int | None) -> None:
    with pytest.raises(ConfigError, match="BUY count on the same 2 out-of-fold events"):
        MatchedRate().threshold(evidence([0.2, 0.8], [0, 1], wanted))

"""Conformance of decision rules: a usable threshold from any out-of-fold evidence."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest

from ftfkit.components import DecisionContext, DecisionRule
from ftfkit.testing.conformance import Conformance, read_only
from ftfkit.testing.fits import planted_sample
from ftfkit.types import F1Rule

EVIDENCE = ("planted", "tied", "constant", "no positives", "all positives", "one event")


class DecisionRuleConformance(Conformance):
    """The threshold is a number or infinity, never NaN, and comes from the out-of-fold evidence alone."""

    @pytest.mark.parametrize("evidence", EVIDENCE)
    def test_threshold_is_a_number(self, component: DecisionRule, evidence: str) -> None:
        threshold = component.threshold(decision_context(evidence))
        assert isinstance(threshold, float)
        assert not math.isnan(threshold)
        assert threshold > -math.inf

    @pytest.mark.parametrize("evidence", EVIDENCE)
    def test_is_deterministic_and_leaves_its_input_alone(self, component: DecisionRule, evidence: str) -> None:
        context = decision_context(evidence)
        read_only((context.oof_proba, context.oof_y))
        assert component.threshold(context) == component.threshold(decision_context(evidence))

    def test_order_of_events_has_no_say(self, component: DecisionRule) -> None:
        context = decision_context("planted")
        order = np.random.default_rng(4).permutation(len(context.oof_y))
        shuffled = DecisionContext(context.oof_proba[order], context.oof_y[order], context.baseline_oof_buys)
        assert component.threshold(context) == component.threshold(shuffled)

    def test_says_how_a_trial_is_scored(self, component: DecisionRule) -> None:
        assert component.f1_rule in get_args(F1Rule)
        assert isinstance(component.needs_baseline, bool)

    def test_does_without_the_baseline_unless_it_declares_it(self, component: DecisionRule) -> None:
        if component.needs_baseline:
            pytest.skip("needs the baseline")
        context = decision_context("planted")
        alone = DecisionContext(context.oof_proba, context.oof_y, None)
        assert component.threshold(alone) == component.threshold(context)


def decision_context(evidence: str) -> DecisionContext:
    """Out-of-fold evidence: well calibrated on a planted sample, or degenerate in the way that its name says."""
    planted = planted_sample(300)
    proba, y = planted.truth, planted.sample.y_hard
    changed: dict[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.int8]]] = {
        "planted": (proba, y),
        "tied": (np.round(proba, 1), y),
        "constant": (np.full(len(y), 0.4), y),
        "no positives": (proba, np.zeros_like(y)),
        "all positives": (proba, np.ones_like(y)),
        "one event": (proba[:1], y[:1]),
    }
    chosen = changed[evidence]
    return DecisionContext(chosen[0].copy(), chosen[1].copy(), baseline_oof_buys=len(chosen[1]) // 3)

"""Bounds on what remaining rows can make of a variant, and verdicts of rows that were skipped under them."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest

from ftfkit.judge import Grid, Readiness, judge_rows, verdict_from_dict, verdict_to_dict
from ftfkit.judge.dependence import fold_means, fold_t
from ftfkit.judge.futility import MAX_VERTEX_FOLDS, certain, highest_bound
from ftfkit.types import Futility, VariantVerdict

RNG = np.random.default_rng(11)
FUTILE = {"f1_buy": 0.05}  # against .40: a lift is ruled out once four of five assets are known
FUTILE_HIGH = -0.2 + 0.04 * 2.7764451051977987  # at best four fold means of -.16 and one of -.36


def upper(own: np.ndarray, baseline: np.ndarray) -> float:
    """Upper bound of the fold-t interval of complete rows, as the comparison has it."""
    delta = own - baseline
    fold = np.broadcast_to(np.arange(delta.shape[1]), delta.shape)
    high = fold_t(fold_means(delta.ravel(), fold.ravel()), 0.95).ci[1]
    assert high is not None
    return high


def partly_known(n_assets: int, n_folds: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    own, baseline = RNG.random((2, n_assets, n_folds))
    own[RNG.random(own.shape) < share] = np.nan
    return own, baseline


@pytest.mark.parametrize("trial", range(40))
def test_the_bound_is_reached_and_never_passed(trial: int) -> None:
    own, baseline = partly_known(RNG.integers(1, 5), RNG.integers(2, 6), RNG.random())
    bound = highest_bound(own, baseline, "f1_buy", 0.95)
    free = np.isnan(own)
    folds = np.flatnonzero(free.any(axis=0))
    reached = -np.inf
    for ends in itertools.product((0.0, 1.0), repeat=len(folds)):
        values = np.zeros(own.shape[1])
        values[folds] = ends
        reached = max(reached, upper(np.where(free, values, own), baseline))
    assert reached == pytest.approx(bound, abs=1e-12)
    for draw in range(50):
        drawn = RNG.random(own.shape) if draw % 2 else RNG.integers(0, 2, own.shape).astype(float)
        assert upper(np.where(free, drawn, own), baseline) <= bound + 1e-12


def test_complete_rows_have_their_own_bound() -> None:
    own, baseline = partly_known(3, 4, 0.0)
    assert highest_bound(own, baseline, "f1_buy", 0.95) == pytest.approx(upper(own, baseline), abs=1e-12)


def test_further_rows_never_raise_the_bound() -> None:
    own, baseline = partly_known(4, 5, 0.0)
    seen, bounds = np.full(own.shape, np.nan), []
    for place in RNG.permutation(own.size):
        seen.flat[place] = own.flat[place]
        bounds.append(highest_bound(seen, baseline, "f1_buy", 0.95))
    assert (np.diff(bounds) <= 1e-12).all()


def test_beyond_enumeration_the_bound_is_looser_and_safe() -> None:
    own, baseline = partly_known(2, MAX_VERTEX_FOLDS + 8, 0.5)
    bound, free = highest_bound(own, baseline, "f1_buy", 0.95), np.isnan(own)
    assert np.flatnonzero(free.any(axis=0)).size > MAX_VERTEX_FOLDS
    for n_high in range(own.shape[1] + 1):
        for _ in range(20):
            ends = np.zeros(own.shape[1])
            ends[RNG.permutation(len(ends))[:n_high]] = 1.0
            assert upper(np.where(free, ends, own), baseline) <= bound
    assert bound < 2


def test_a_narrower_metric_is_bounded_by_its_own_range() -> None:
    own, baseline = np.full((1, 2), np.nan), np.full((1, 2), 0.5)
    assert highest_bound(own, baseline, "average_precision", 0.95) is not None
    assert highest_bound(own, baseline, "sortino", 0.95) is None
    assert highest_bound(own, baseline, "n_trades", 0.95) is None


def test_nothing_is_said_without_a_whole_baseline_or_a_second_fold() -> None:
    own, baseline = partly_known(2, 2, 0.0)
    assert highest_bound(own[:, :1], baseline[:, :1], "f1_buy", 0.95) is None
    baseline[0, 0] = np.nan
    assert highest_bound(own, baseline, "f1_buy", 0.95) is None


def test_a_bound_at_the_required_lift_is_not_certain() -> None:
    assert certain(0.0149, 0.015)
    assert not certain(0.015, 0.015)
    assert not certain(np.nextafter(0.015, 0), 0.015)
    assert not certain(None, 0.015)


# verdicts of skipped rows


def skipped(rows: pd.DataFrame, n: int) -> pd.DataFrame:
    """Rows whose last ``n`` were skipped."""
    last = rows.index[len(rows) - n :]
    numbers = [name for name in rows if name != "fold" and rows[name].dtype.kind == "f"]
    rows.loc[last, ["status", *numbers]] = ["skipped", *[np.nan] * len(numbers)]
    return rows


def judged(rows: pd.DataFrame, criteria, **more: object) -> VariantVerdict:
    return judge_rows(rows, baseline="none", criteria=criteria, **more).variants["better"]


def test_a_certain_variant_is_abandoned_and_its_bound_recorded(panel, strict) -> None:
    verdict = judge_rows(skipped(panel(**FUTILE), 5), baseline="none", criteria=strict)
    one = verdict.variants["better"]
    assert one.verdict == "ABANDON"
    assert one.futility == Futility(5, pytest.approx(FUTILE_HIGH), 0.015)
    assert one.reasons == (
        "5 rows were skipped as futile: whatever they hold, the upper bound of the fold-t CI95 is at most -0.0889, "
        "below 0.015",
    )
    assert one.comparison.n_pairs == 20
    assert verdict_from_dict(json.loads(json.dumps(verdict_to_dict(verdict)))) == verdict


def test_a_bound_that_is_not_low_enough_leaves_it_incomplete(panel, strict) -> None:
    one = judged(skipped(panel(f1_buy=0.35), 5), strict)
    assert (one.verdict, one.futility) == ("INCOMPLETE", None)
    assert one.reasons == (
        "5 rows were skipped as futile, yet ABANDON is not certain: the upper bound of the fold-t CI95 can still be "
        "+0.1511",
    )


def test_the_values_of_a_skipped_row_are_not_read(panel, strict) -> None:
    rows = skipped(panel(**FUTILE), 5)
    rows.loc[rows.index[-5:], "f1_buy"] = 1.0
    assert judged(rows, strict).futility == Futility(5, pytest.approx(FUTILE_HIGH), 0.015)


def test_a_baseline_row_cannot_be_skipped(panel, strict) -> None:
    rows = skipped(panel(**FUTILE), 5)
    rows.loc[3, "status"] = "skipped"
    one = judged(rows, strict)
    assert (one.verdict, one.reasons) == ("INCOMPLETE", ("status skipped: none, A0, fold 3",))


@pytest.mark.parametrize(("status", "reason"), [("error", "status error"), (None, "row missing")])
def test_a_fault_of_another_row_comes_first(panel, strict, status: str | None, reason: str) -> None:
    rows = skipped(panel(**FUTILE), 5)
    rows = rows.drop(index=30) if status is None else rows.assign(status=rows["status"].where(rows.index != 30, status))
    one = judged(rows, strict)
    assert (one.verdict, one.reasons) == ("INCOMPLETE", (f"{reason}: better, A1, fold 0",))


def test_a_gate_that_would_err_leaves_it_incomplete(panel, strict) -> None:
    rows = skipped(panel(**FUTILE), 5)
    one = judged(rows, strict, readiness=Readiness(None, expected=True))
    assert (one.verdict, one.reasons) == ("INCOMPLETE", ("mlops_readiness ERROR: the readiness document is missing",))
    assert judged(rows.drop(columns="ap_chance"), strict).verdict == "INCOMPLETE"


def test_gates_that_lack_folds_for_now_are_no_fault(panel, strict) -> None:
    one = judged(skipped(panel(n_folds=3, base_f1_buy=0.95, **FUTILE), 2), strict)
    assert one.gates["stability"].reason == "A4 has one fold, a variance needs two"
    assert one.verdict == "ABANDON"


def test_a_doubted_baseline_leaves_it_incomplete(panel, strict) -> None:
    one = judged(skipped(panel(base_buy_rate=0.95, **FUTILE), 5), strict)
    assert one.verdict == "INCOMPLETE"
    assert one.reasons[:2] == (
        "5 rows were skipped as futile, yet ABANDON is not certain",
        "the baseline buys 95.0% of all events",
    )


def test_a_set_without_f1_lift_is_never_certain(panel, criteria) -> None:
    without = criteria("f1_buy_boost_strict", without="f1_lift")
    assert judged(panel(**FUTILE), without).verdict == "ABANDON"
    assert judged(skipped(panel(**FUTILE), 5), without).verdict == "INCOMPLETE"


def test_a_skipped_row_must_be_about_the_events_of_the_baseline(panel, strict) -> None:
    rows = skipped(panel(**FUTILE).assign(test_events="hash"), 5)
    assert judged(rows, strict).verdict == "ABANDON"
    rows.loc[rows.index[-1], "test_events"] = "another"
    one = judged(rows, strict)
    assert one.verdict == "INCOMPLETE"
    assert "not comparable" in one.reasons[1]
    assert judged(rows.assign(test_events=rows["test_events"].where(rows["status"] == "ok")), strict).verdict == (
        "INCOMPLETE"
    )


def beside(panel, t: float) -> pd.DataFrame:
    """A variant with the given Nadeau-Bengio t beside a futile one with skipped rows."""
    line = np.array([-2, -1, 0, 1, 2]) / np.sqrt(2.5)
    lift = 0.05 + np.broadcast_to(line, (5, 5)) * 0.05 / (t * np.sqrt(1 / 5 + 1 / 4))
    futile = skipped(panel(variants=("futile",), **FUTILE), 5)
    better = panel(f1_buy=0.40 + lift)
    return pd.concat([better, futile[futile["variant"] == "futile"]], ignore_index=True)


@pytest.mark.parametrize(("t", "verdict"), [(12.0, "LOCK"), (2.5, "INCONCLUSIVE")])
def test_a_verdict_that_skipped_rows_cannot_turn_stands(panel, strict, t: float, verdict: str) -> None:
    judgement = judge_rows(beside(panel, t), baseline="none", criteria=strict)
    assert {name: one.verdict for name, one in judgement.variants.items()} == {"better": verdict, "futile": "ABANDON"}


def test_a_verdict_that_turns_on_skipped_rows_is_incomplete(panel, strict) -> None:
    rows = beside(panel, 3.0)  # p .04: significant beside another significant variant, not beside one that is not
    one = judged(rows, strict)
    assert one.verdict == "INCOMPLETE"
    assert one.reasons == ("LOCK or INCONCLUSIVE: it turns on rows of other variants, which were skipped as futile",)
    assert one.comparison.nadeau_bengio.p_bh == pytest.approx(2 * one.comparison.nadeau_bengio.p)


def test_planned_variants_apart_a_grid_may_hold_more_than_the_rows(panel, strict) -> None:
    rows = skipped(panel(**FUTILE), 5)
    grid = Grid(("better",), tuple(f"A{i}" for i in range(5)), tuple(range(6)))
    one = judged(rows, strict, grid=grid)
    assert one.verdict == "INCOMPLETE"
    assert "row missing: none, A0, fold 5" in one.reasons

"""A cell: one row, the same whatever ran before, beside or elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ftfkit_track06_focal_loss.focal import FocalLoss

from ftfkit.builtin.cv.purged_kfold import PurgedKFold
from ftfkit.builtin.cv.walk_forward import WalkForward
from ftfkit.builtin.data.synthetic import SyntheticSource
from ftfkit.builtin.decisions.fixed import FixedThreshold
from ftfkit.builtin.decisions.matched_rate import MatchedRate
from ftfkit.builtin.labels.atr_barrier import AtrBarrier
from ftfkit.components import Metric
from ftfkit.config.sections import CalibrationConfig, HpoConfig
from ftfkit.run.cell import CellResult, run_cell
from ftfkit.types import Scored


@pytest.fixture(scope="module")
def reference(make_spec: Any, cell: Any) -> CellResult:
    return cell(make_spec())


def as_bytes(result: CellResult) -> str:
    return json.dumps(asdict(result.row), sort_keys=True, default=dict)


def test_a_row_is_complete_and_finite(make_spec, asset_data_of, reference) -> None:
    row = asdict(reference.row)
    assert row["status"] == "ok"
    assert [name for name, value in row.items() if value is None] == ["error"]
    assert np.isfinite([value for value in row.values() if isinstance(value, (int, float))]).all()
    assert row["f1_buy"] == row["f1_buy_tuned"]
    assert row["n_trials"] == 3
    assert row["n_test"] + row["n_train"] + row["n_purged"] == len(asset_data_of(make_spec()).events)
    assert set(reference.seconds) == {"data", "search", "out_of_fold", "refit", "row"}


def test_rows_are_the_same_bytes_in_another_process(reference) -> None:
    code = (
        "import runpy, sys; own, conf = map(runpy.run_path, sys.argv[1:]);"
        "print(own['as_bytes'](conf['_cell'](conf['_make_spec']())))"
    )
    files = __file__, Path(__file__).with_name("conftest.py")
    other = subprocess.run([sys.executable, "-c", code, *files], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == as_bytes(reference)


def test_an_earlier_cell_of_other_data_changes_nothing(make_spec, cell, reference) -> None:
    before = as_bytes(reference)
    cell(make_spec(data=SyntheticSource(days=150, seed=8), loss=FocalLoss(gamma=2, alpha=0.25)), fold=0)
    assert as_bytes(cell(make_spec())) == before


def test_paired_arms_share_splits_and_seeds(make_spec, cell, reference) -> None:
    focal = cell(make_spec(loss=FocalLoss(gamma=2, alpha=0.25)))
    assert focal.row.seed == reference.row.seed
    assert focal.row.test_events == reference.row.test_events
    assert focal.row.average_precision != reference.row.average_precision


def test_another_label_scheme_has_other_test_events_even_where_all_start_alike(
    make_spec, cell, asset_data_of, reference
) -> None:
    plain, wider = make_spec(), make_spec(label=AtrBarrier(bar_hours=4, stop_atr=1, target_atr=2))
    np.testing.assert_array_equal(asset_data_of(plain).events.t0, asset_data_of(wider).events.t0)
    assert cell(wider).row.test_events != reference.row.test_events


def test_a_loss_equal_to_logistic_gives_the_same_cell(make_spec, cell, reference) -> None:
    focal = cell(make_spec(loss=FocalLoss(gamma=0, alpha=0.5)))
    assert focal.row.params == reference.row.params
    assert focal.row.f1_buy == pytest.approx(reference.row.f1_buy, abs=0.02)
    np.testing.assert_allclose(focal.predictions.test_proba, reference.predictions.test_proba, atol=1e-5)


def test_known_predictions_lead_to_the_same_row_without_a_fit(make_spec, cell, reference) -> None:
    whole = reference
    again = cell(make_spec(), predictions=whole.predictions)
    assert as_bytes(again) == as_bytes(whole)
    assert set(again.seconds) == {"data", "row"}


def test_predictions_of_another_fold_are_refused(make_spec, make_task, reference) -> None:
    result = run_cell(make_task(make_spec(), fold=2, predictions=reference.predictions))
    assert result.row.status == "error"
    assert "other events than fold 2" in result.row.error


def test_fixed_decision_is_f1_at_half_and_matched_rate_follows_the_baseline(make_spec, cell, reference) -> None:
    plain, platt = CalibrationConfig(), CalibrationConfig(method="platt")
    for calibration in (plain, platt):
        fixed = cell(make_spec(decision=FixedThreshold(), hpo=HpoConfig(n_trials=0), calibration=calibration))
        assert fixed.row.f1_buy == fixed.row.f1_buy_fixed
        assert fixed.row.threshold == 0.5
    tuned = reference
    matched = cell(
        make_spec(decision=MatchedRate()), predictions=tuned.predictions, baseline_oof_buys=tuned.row.oof_buys_tuned
    )
    assert (matched.row.f1_buy, matched.row.threshold) == (tuned.row.f1_buy, tuned.row.threshold)


def test_never_buying_is_a_row_without_trades_and_without_infinity(make_spec, cell, reference) -> None:
    never = cell(make_spec(decision=MatchedRate()), predictions=reference.predictions, baseline_oof_buys=0)
    assert never.row.no_trade
    assert never.row.threshold is None
    assert (never.row.f1_buy, never.row.expectancy_bps, never.row.sortino, never.row.max_drawdown_pct) == (0, 0, 0, 0)
    json.dumps(asdict(never.row), allow_nan=False, default=dict)


def test_calibration_comes_before_the_decision(make_spec, cell, reference) -> None:
    platt = cell(make_spec(calibration=CalibrationConfig(method="platt")), predictions=reference.predictions)
    raw = reference.row
    assert raw.brier_calibrated == raw.brier == platt.row.brier != platt.row.brier_calibrated
    assert platt.row.threshold != raw.threshold
    # a monotone map moves the threshold along and leaves the BUYs where they are, up to the midpoint
    assert platt.row.oof_buys_tuned == raw.oof_buys_tuned
    assert platt.row.buy_rate == pytest.approx(raw.buy_rate, abs=0.01)


def test_repeats_average_over_model_seeds(make_spec, cell) -> None:
    once, thrice = (cell(make_spec(cv=PurgedKFold(n_folds=3, repeats=repeats))) for repeats in (1, 3))
    assert once.row.params == thrice.row.params
    assert (once.predictions.test_proba != thrice.predictions.test_proba).any()
    assert (once.predictions.oof_proba != thrice.predictions.oof_proba).any()


def test_walk_forward_trades_its_own_block(make_spec, make_task, cell, asset_data_of) -> None:
    spec = make_spec(cv=WalkForward(n_folds=2))
    task = make_task(spec, fold=0)
    found = cell(spec, fold=0).predictions
    t0 = asset_data_of(spec).events.t0
    assert t0[found.oof_index].max() < t0[found.test_index].min()
    assert task.edges[1] <= t0[found.test_index].min()
    assert t0[found.test_index].max() < task.edges[2]


class Overwriting(Metric):
    """Would make every later row of these predictions perfect."""

    array: str

    def compute(self, scored: Scored) -> Mapping[str, float]:
        found = getattr(scored, self.array, None)
        (scored.trades.returns if found is None else found)[:] = 1
        return {"mine": 1.0}


@pytest.mark.parametrize("array", ["proba", "calibrated", "y", "buy", "t0", "trades.returns"])
def test_a_metric_cannot_change_what_it_is_given(make_spec, make_task, reference, array: str) -> None:
    whole = reference
    before = whole.predictions.test_proba.copy()
    result = run_cell(make_task(make_spec(metrics={"mine": Overwriting(array=array)}), predictions=whole.predictions))
    assert "read-only" in result.row.error
    np.testing.assert_array_equal(whole.predictions.test_proba, before)

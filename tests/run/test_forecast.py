from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import pandas as pd
import pytest

from ftfkit.config.experiment import compose
from ftfkit.judge.power import folds_needed, mde80, mde_factor, power
from ftfkit.run.forecast import Forecast, forecast
from ftfkit.run.plan import Plan, make_plan
from ftfkit.run.store import Store, store_url

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def forecast_of(desk, *overrides: str) -> Forecast:
    return _forecast(make_plan(desk.compose(*overrides), NOW), desk)


def _forecast(plan: Plan, desk) -> Forecast:
    with Store(store_url(None, desk.output)) as store:
        return forecast(plan, store, desk.output)


def test_an_empty_output_folder_knows_no_time_and_takes_the_configured_sd(tmp_path) -> None:
    plan = make_plan(compose(["loss=focal/standard", "data.days=200", "universe=demo"]), NOW)
    with Store(store_url(None, tmp_path)) as store:
        found = forecast(plan, store, tmp_path)
    assert (found.n_cells, found.n_reused, found.n_to_run, found.seconds, found.n_timed) == (20, 0, 20, None, 0)
    assert (found.power.sd_fold, found.power.test) == (0.045, "nadeau_bengio")
    assert found.power.sd_source.startswith("stats.planning_sd_fold; no comparison of f1_buy ")
    assert found.power.mde80 == mde80(0.045, 5)
    assert found.power.power == power(0.015, 0.045, 5)
    needed = folds_needed(0.015, 0.045)
    assert needed is not None
    assert found.power.folds_needed == needed
    assert found.power.history_days == pytest.approx(40 * needed, rel=1e-12)


def test_stored_cells_are_reused_and_stored_comparisons_give_the_sd(finished_desk) -> None:
    found = forecast_of(finished_desk)
    assert (found.n_cells, found.n_reused, found.n_to_run, found.seconds) == (8, 8, 0, 0.0)
    (comparison,) = json.loads((finished_desk.run / "comparisons.json").read_text()).values()
    assert found.power.sd_fold == pytest.approx(comparison["mde80"] / mde_factor(2), rel=1e-12)
    assert found.power.sd_source.startswith("1 stored comparisons of f1_buy in 1 runs")


@pytest.mark.parametrize(
    ("name", "text"),
    [("plan.json", '{"label": "ATR'), ("plan.json", "{}"), ("comparisons.json", "[]"), ("timings.parquet", "PAR1")],
)
def test_a_damaged_run_tells_nothing_and_does_not_hide_the_others(desk, name: str, text: str) -> None:
    plan = make_plan(desk.compose("seed=1"), NOW)
    whole = _forecast(plan, desk)
    shutil.copytree(desk.run, desk.run.with_name("damaged"))
    assert _forecast(plan, desk).n_timed == 2 * whole.n_timed
    (desk.run.with_name("damaged") / name).write_text(text)
    assert _forecast(plan, desk) == whole


@pytest.mark.parametrize(
    "override", ["cv.n_folds=3", "label=ATR1.0_2.0_H4", "universe.assets=[AAVE]", "stats.metric=average_precision"]
)
def test_comparisons_of_another_question_give_no_sd(finished_desk, override: str) -> None:
    assert forecast_of(finished_desk, override).power.sd_source.startswith("stats.planning_sd_fold")


def test_time_is_the_median_of_like_cells(finished_desk) -> None:
    found = forecast_of(finished_desk, "seed=1", "executor.workers=2")
    timings = pd.read_parquet(finished_desk.run / "timings.parquet").groupby("row_key")["seconds"].sum()
    assert (found.n_reused, found.n_to_run, found.n_timed, found.workers) == (0, 8, 8, 2)
    assert found.seconds == pytest.approx(timings.median() * 8 / 2, rel=1e-9)


def test_cells_of_another_search_are_not_alike(finished_desk) -> None:
    assert forecast_of(finished_desk, "hpo=quick").seconds is None


def test_walk_forward_needs_its_first_block_too(finished_desk) -> None:
    found = forecast_of(finished_desk, "cv=walk_forward_5", "gates.required_lift=0.05").power
    assert found.folds_needed is not None
    assert found.history_days == pytest.approx(130 / 3 * (found.folds_needed + 1), rel=1e-9)


def test_the_fold_t_test_of_the_gates_is_planned_with(finished_desk) -> None:
    lift = ("gates=f1_buy_boost_strict", "gates.checks.dependence.test=fold_t", "gates.checks.dependence.alpha=0.01")
    found = forecast_of(finished_desk, *lift, "cv.n_folds=3").power
    assert (found.test, found.alpha) == ("fold_t", 0.01)
    assert found.mde80 == mde80(0.045, 3, "fold_t", 0.01)

"""The hold-out is read once, by nobody else, and nothing before it knows of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ftfkit.components import FeatureSet
from ftfkit.config.compose import composer
from ftfkit.config.experiment import compose
from ftfkit.config.schema import Experiment
from ftfkit.errors import DataError, PlanError
from ftfkit.run.asset import asset_data
from ftfkit.run.bars import utc_ns
from ftfkit.run.cell import run_cell
from ftfkit.run.holdout import HoldoutSplit, _confirmation, _open, _task, confirm
from ftfkit.run.ledger import Ledger
from ftfkit.run.plan import Plan, make_plan
from ftfkit.run.prepare import prepared
from ftfkit.run.progress import NoProgress
from ftfkit.run.reads import enter_read, refuse_read
from ftfkit.run.records import list_runs
from ftfkit.run.sweep import run_sweep
from ftfkit.types import HOUR_NS, Asset, Features, IntArray, Market, Row

READER = r"was read by the plan, run or null check of ledger line \d+"
BOUNDARY = utc_ns(datetime(2022, 5, 11, tzinfo=UTC))


@dataclass(frozen=True)
class Case:
    plan: Plan
    document: dict[str, Any]
    output: Path


@pytest.fixture
def case(desk) -> Case:
    experiment = compose([f"plan={desk.plan_file}", f"output.dir={desk.output}"])
    plan = make_plan(experiment, datetime.now(UTC))
    return Case(plan, json.loads((desk.run / "plan.json").read_text()), desk.output)


def edges_of(case: Case) -> IntArray:
    return np.array([case.plan.survey.period[0], BOUNDARY, BOUNDARY + 30 * 24 * HOUR_NS], dtype=np.int64)


def test_events_that_touch_the_hold_out_do_not_train() -> None:
    split = HoldoutSplit(fold=3, train_until_ns=30)
    t0 = np.array([0, 10, 20, 30, 40, 50, 60], dtype=np.int64)
    t1 = np.array([5, 50, 49, 49, 60, 70, 80], dtype=np.int64)
    (found,) = split.folds(t0, t1, np.array([0, 45, 100], dtype=np.int64))
    assert (found.fold, found.train.tolist(), found.test.tolist(), found.n_purged) == (3, [0, 2, 3], [5, 6], 1)


def test_a_task_trains_on_what_the_plan_had_and_tests_all_that_is_new(case: Case) -> None:
    spec, asset = case.plan.spec("standard"), Asset("AAVE", "USDC")
    task = _task(case.plan, spec, asset, edges_of(case))
    planned = asset_data(spec, asset, case.plan.survey.period).events
    whole = asset_data(task.spec, asset, task.period).events
    (split,) = task.spec.cv.folds(whole.t0, whole.t1, task.edges)
    assert split.fold == task.fold not in case.plan.folds
    assert set(whole.t0[split.train]) <= set(planned.t0)
    assert len(split.train) + split.n_purged == len(planned)
    assert whole.t1[split.train].max() < BOUNDARY <= whole.t0[split.test].min()
    left_out = whole.t0[(whole.t0 < BOUNDARY) & ~np.isin(whole.t0, planned.t0)]
    assert len(left_out) == 23  # closes before the boundary whose windows cross it: known to neither side
    row = run_cell(task).row
    assert (row.status, row.n_train, row.n_test) == ("ok", len(split.train), len(split.test))


class Peeking(FeatureSet):
    """Knows the last close of all."""

    def compute(self, asset: Asset, market: Market) -> Features:
        close = market.label[asset.name].close
        return Features(("last",), np.full((len(close), 1), close[-1], dtype=np.float32))


def test_features_that_know_the_hold_out_are_refused(case: Case) -> None:
    spec = case.plan.spec("standard").model_copy(update={"features": Peeking()})
    with pytest.raises(DataError, match=r"AAVEUSDC: features before the hold-out changes once .* looks ahead"):
        _task(case.plan, spec, Asset("AAVE", "USDC"), edges_of(case))


def test_a_hold_out_without_a_finished_event_is_refused(case: Case) -> None:
    short = np.array([case.plan.survey.period[0], BOUNDARY, BOUNDARY + 23 * 4 * HOUR_NS], dtype=np.int64)
    with pytest.raises(DataError, match=r"AAVEUSDC: the hold-out from 2022-05-11T\S+ holds no event yet"):
        _task(case.plan, case.plan.spec("standard"), Asset("AAVE", "USDC"), short)


def test_the_open_setting_differs_in_nothing_else(case: Case) -> None:
    spec = case.plan.spec("standard")
    assert _open(spec).data.holdout_from is None
    assert _open(spec).model_copy(update={"data": spec.data}) == spec


def test_a_confirmation_is_recorded_and_spends_the_hold_out(case: Case) -> None:
    found = confirm(case.plan, case.document, "standard", case.output)
    assert set(found.deltas) == {"AAVEUSDC", "ARBUSDC"}
    opened, confirmed = Ledger(case.output).entries()[-2:]
    assert (opened.kind, confirmed.kind) == ("opened", "confirmed")
    assert opened.facts["holdout_utc"] == ["2022-05-11T00:00:00+00:00", "2022-06-10T00:00:00+00:00"]
    assert confirmed.facts["deltas"] == dict(found.deltas)
    assert confirmed.facts["passed"] == found.passed == (min(found.deltas.values()) >= 0.001)
    with pytest.raises(PlanError, match=r"the hold-out was used for .* standard \(ledger line 5\), and counts once"):
        confirm(case.plan, case.document, "standard", case.output)


def _entered(case: Case, kind: Any, **facts: Any) -> None:
    times = {"holdout_utc": ["2022-06-01T00:00:00+00:00", "2022-07-01T00:00:00+00:00"], "assets": ["ARBUSDC"]}
    Ledger(case.output).append(kind, {"run_id": "r0", "variant": "other", **times, **facts})


def test_a_hold_out_that_overlaps_one_used_before_is_refused(case: Case) -> None:
    _entered(case, "opened")
    with pytest.raises(PlanError, match="the hold-out was used for r0 other"):
        confirm(case.plan, case.document, "standard", case.output)


def test_other_assets_and_other_times_do_not_matter(case: Case) -> None:
    _entered(case, "opened", assets=["UNIUSDC"])
    _entered(case, "opened", holdout_utc=["2022-06-10T00:00:00+00:00", "2022-07-01T00:00:00+00:00"])
    assert confirm(case.plan, case.document, "standard", case.output).deltas


def test_an_attempt_that_broke_off_may_be_repeated(case: Case) -> None:
    _entered(case, "opened", run_id=case.document["run_id"], variant="standard")
    assert confirm(case.plan, case.document, "standard", case.output).deltas


@pytest.mark.parametrize("known_to", ["ledger", "folder"])
def test_a_hold_out_that_a_run_has_read_is_refused(case: Case, known_to: str) -> None:
    late = "2022-05-12T00:00:00+00:00"
    if known_to == "ledger":
        Ledger(case.output).append("judged", {"run_id": "r0", "assets": ["ARBUSDC"], "edges_utc": [late]})
    else:
        folder = case.output / "runs" / "r0"
        folder.mkdir()
        plan = {"universe": {"assets": ["ARBUSDC"]}, "period": {"end_utc": late}}
        (folder / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(PlanError, match="was read by run r0, which goes to 2022-05-12"):
        confirm(case.plan, case.document, "standard", case.output)
    assert "opened" not in [entry.kind for entry in Ledger(case.output).entries()]


@pytest.mark.parametrize("damaged", ['{"universe": {"ass', "{}", "[]", '{"universe": {"assets": []}, "period": []}'])
def test_a_run_whose_plan_is_damaged_may_have_read_the_hold_out(case: Case, damaged: str) -> None:
    file = case.output / "runs" / "r0" / "plan.json"
    file.parent.mkdir()
    file.write_text(damaged)
    with pytest.raises(PlanError, match=rf"{file}: cannot be read \(\w+: .*\), must be a plan: the run may have"):
        confirm(case.plan, case.document, "standard", case.output)
    assert "opened" not in [entry.kind for entry in Ledger(case.output).entries()]


def test_a_hold_out_that_a_null_check_has_read_is_refused(case: Case) -> None:
    facts = {"assets": ["ARBUSDC"], "end_utc": "2022-05-12T00:00:00+00:00"}
    Ledger(case.output).append("read", facts)
    with pytest.raises(PlanError, match=rf"{READER}, which goes to 2022-05-12"):
        confirm(case.plan, case.document, "standard", case.output)


def _without_hold_out(case: Case, desk, *more: str) -> Experiment:
    settings = [one for one in desk.overrides if not one.startswith("data.holdout_from=")]
    return compose([*settings, f"output.dir={case.output}", *more], composer([desk.conf]))


def test_a_plan_without_the_hold_out_has_read_it(case: Case, desk) -> None:
    prepared(_without_hold_out(case, desk), datetime.now(UTC))
    with pytest.raises(PlanError, match=rf"{READER}, .* 2022-06-10"):
        confirm(case.plan, case.document, "standard", case.output)


def test_a_run_has_read_the_hold_out_though_its_folder_is_gone(case: Case, desk) -> None:
    class Stopped(NoProgress):
        def start(self, n_cells: int, n_reused: int) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(_without_hold_out(case, desk), progress=Stopped())
    shutil.rmtree(list_runs(case.output)[0].folder)
    with pytest.raises(PlanError, match=rf"{READER}, .* 2022-06-10"):
        confirm(case.plan, case.document, "standard", case.output)


def test_whoever_read_a_leader_past_the_boundary_has_read_the_hold_out(case: Case) -> None:
    led = {**case.document, "market": {"BTCUSDC": "ab"}}
    facts = {"assets": ["UNIUSDC", "BTCUSDC"], "end_utc": "2022-05-12T00:00:00+00:00"}
    Ledger(case.output).append("read", facts)
    refuse_read(Ledger(case.output).entries(), case.output, case.document, "standard", (BOUNDARY, BOUNDARY + 1))
    with pytest.raises(PlanError, match="which goes to 2022-05-12"):
        refuse_read(Ledger(case.output).entries(), case.output, led, "standard", (BOUNDARY, BOUNDARY + 1))


def test_what_a_plan_reads_is_entered_once_with_its_leaders(case: Case) -> None:
    reads = [entry.facts for entry in Ledger(case.output).entries() if entry.kind == "read"]
    assert reads == [{"assets": ["AAVEUSDC", "ARBUSDC"], "end_utc": "2022-05-11T00:00:00+00:00"}]
    for _ in range(2):
        enter_read(Ledger(case.output), {**case.document, "market": {"BTCUSDC": "ab"}})
    (last,) = [entry.facts for entry in Ledger(case.output).entries() if entry.kind == "read"][1:]
    assert last["assets"] == ["AAVEUSDC", "ARBUSDC", "BTCUSDC"]


def test_without_a_reserved_hold_out_there_is_nothing_to_confirm_on(case: Case) -> None:
    document = {**case.document, "period": {**case.document["period"], "holdout_from": None}}
    with pytest.raises(PlanError, match=r"data\.holdout_from == null"):
        confirm(case.plan, document, "standard", case.output)


@pytest.mark.parametrize(
    ("deltas", "needed", "passed"),
    [
        ((0.015, 0.02, 0.02, 0.03, -0.5), 4, True),
        ((0.015, 0.02, 0.02, 0.0149, -0.5), 4, False),
        ((0.0149, 0.1), 2, False),
        ((0.015, 0.1), 2, True),
        ((0.1, 0.1, 0.0), 3, False),
    ],
)
def test_enough_assets_must_reach_the_required_lift(deltas: tuple[float, ...], needed: int, passed: bool) -> None:
    base = {f"A{n}": Row("", "", f"A{n}", 0, "ok", f1_buy=0.3) for n in range(len(deltas))}
    own = {f"A{n}": Row("", "", f"A{n}", 0, "ok", f1_buy=0.3 + delta) for n, delta in enumerate(deltas)}
    found = _confirmation(base, own, 0.015)
    assert (found.needed, found.passed) == (needed, passed)


def test_an_asset_that_misses_the_lift_by_rounding_alone_counts_as_reached() -> None:
    base, own = ({"A": Row("", "", "A", 0, "ok", f1_buy=f1)} for f1 in (0.4, 0.415))
    found = _confirmation(base, own, 0.015)
    assert found.deltas["A"] < 0.015
    assert (found.reached, found.passed) == (1, True)


def test_rows_of_other_events_do_not_compare() -> None:
    base, own = ({"A": Row("", "", "A", 0, "ok", f1_buy=0.3, test_events=name)} for name in ("x", "y"))
    with pytest.raises(PlanError, match="A: scored on other events"):
        _confirmation(base, own, 0.015)

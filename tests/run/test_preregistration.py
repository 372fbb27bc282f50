"""A plan is written before its run, holds the run to it, and tells what was known beforehand."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ftfkit.config.experiment import compose
from ftfkit.errors import ConfigError, LedgerError, PlanError
from ftfkit.run.differences import differences
from ftfkit.run.ledger import Ledger
from ftfkit.run.plan import make_plan, plan_document
from ftfkit.run.plan_json import plan_hash
from ftfkit.run.prepare import prepared
from ftfkit.run.preregistration import check_planned, preregistered, read_plan, register, write_plan
from ftfkit.run.sweep import run_sweep
from ftfkit.run.trials import known_before, trial_facts, trial_id

NOW = datetime(2026, 1, 2, tzinfo=UTC)
TINY = ("universe=demo", "hpo=fixed", "data.days=100", "cv.n_folds=2", "executor=serial", "stats.n_resamples=100")


def document_of(*overrides: str) -> dict[str, Any]:
    return plan_document(make_plan(compose([*TINY, *overrides]), NOW))


@pytest.fixture(scope="module")
def planned() -> dict[str, Any]:
    return document_of("loss=focal/standard")


def test_a_plan_holds_everything_that_decides(planned: dict[str, Any]) -> None:
    assert (planned["baseline"], list(planned["variants"]), planned["family_size"]) == ("none", ["none", "standard"], 1)
    assert planned["decision_rule"]["order"] == ["INCOMPLETE", "LOCK", "INCONCLUSIVE", "ABANDON"]
    assert {"ftfkit.judge", "ftfkit.builtin.gates"} <= set(planned["decision_rule"]["sources"])
    assert planned["gates"]["required_lift"] == 0.015
    assert all(len(one["sha256"]) == 64 for one in planned["data"].values())
    assert planned["registration"] is None
    assert planned["plan_hash"] == plan_hash(planned)


def test_time_paths_and_executor_do_not_change_the_hash(planned: dict[str, Any], tmp_path: Path) -> None:
    later = plan_document(
        make_plan(compose([*TINY, "loss=focal/standard", f"output.dir={tmp_path}", "executor=loky"]), datetime.now(UTC))
    )
    assert later["created_utc"] != planned["created_utc"]
    assert later["plan_hash"] == planned["plan_hash"]


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["loss=focal/mild_focus"], "variants: planned none, standard, found none, mild_focus"),
        (["loss=focal/standard", "balancing=balanced,none"], "baseline: planned none, found balanced+none"),
        (["loss=focal/standard", "loss.gamma=3"], "variants: planned none, standard, found none, standard[gamma=3]"),
        (["loss=focal/standard", "gates=f1_buy_boost"], "gates.checks.dependence: planned {"),
        (["loss=focal/standard", "gates.required_lift=0.02"], "gates.required_lift: planned 0.015, found 0.02"),
        (["loss=focal/standard", "stats.seed=1"], "stats.seed: planned 42, found 1"),
        (["loss=focal/standard", "seed=1"], "seed: planned 0, found 1"),
        (["loss=focal/standard", "decision=fixed"], "variants.none.config.decision.name: planned tuned, found fixed"),
        (["loss=focal/standard", "cv.embargo_bars=0"], "cv.embargo_bars: planned 24, found 0"),
        (["loss=focal/standard", "cv.n_folds=3"], "folds: planned [0,1], found [0,1,2]"),
        (["loss=focal/standard", "universe.assets=[AAVE,UNI]"], "universe.assets.1: planned ARBUSDC, found UNIUSDC"),
        (["loss=focal/standard", "data.seed=8"], "data.AAVEUSDC."),
        (["loss=focal/standard", "data.days=101"], "period.edges_utc.1: planned 2022-02-20"),
        (["loss=focal/standard", "trade.fee_bps=11"], "variants.none.config.trade.fee_bps: planned 10.0, found 11.0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_first_difference_is_named(planned: dict[str, Any], overrides: list[str], told: str) -> None:
    with pytest.raises(PlanError) as error:
        check_planned(planned, document_of(*overrides), "plans/p.json")
    assert str(error.value).startswith(f"plans/p.json: {told}"), error.value
    assert len(str(error.value).splitlines()) == 1
    assert error.value.exit_code == 1


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("versions", {"xgboost": "9.9"}, "versions.xgboost: planned 3.2.0, found 9.9"),
        ("decision_rule", {"sources": {"ftfkit.judge": "0"}}, "decision_rule.sources.ftfkit.judge: planned"),
        ("cells", [{"fit_key": "0"}], "cells.0.fit_key: planned"),
    ],
)
def test_other_libraries_or_code_are_refused_too(planned: dict[str, Any], key: str, value: Any, told: str) -> None:
    found = copy.deepcopy(planned)
    _merge(found, {key: value})
    found["plan_hash"] = plan_hash(found)
    with pytest.raises(PlanError, match=f"p.json: {told}") as error:
        check_planned(planned, found, "p.json")
    assert ("the code or the libraries behind the cells" in str(error.value)) == (key == "cells")


def _merge(into: Any, values: Any) -> None:
    pairs = values.items() if isinstance(values, dict) else enumerate(values)
    for key, value in pairs:
        if isinstance(value, dict | list):
            _merge(into[key], value)
        else:
            into[key] = value


def test_differences_of_json_documents() -> None:
    before, after = {"a": 1, "b": [1, {"c": 2.0}], "d": "x"}, {"a": 1.0, "b": [1, {"c": 3.0}], "e": None}
    assert list(differences(before, after)) == [
        ("a", "1", "1.0"),
        ("b.1.c", "2.0", "3.0"),
        ("d", "x", "nothing"),
        ("e", "nothing", "null"),
    ]
    assert list(differences(before, copy.deepcopy(before))) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1}', "not JSON"])
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(PlanError, match=r"p.json: is not a plan"):
        read_plan(tmp_path / "p.json")


def test_a_plan_of_another_schema_or_changed_after_it_was_written_is_refused(
    planned: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "p.json"
    file.write_text(json.dumps({**planned, "schema": 2}))
    with pytest.raises(PlanError, match="schema == 2 must be 1"):
        read_plan(file)
    file.write_text(json.dumps(planned).replace('"required_lift": 0.015', '"required_lift": 0.005'))
    with pytest.raises(PlanError, match="changed after it was written"):
        read_plan(file)


def test_a_plan_file_is_never_overwritten_by_another_plan(planned: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "plans" / "p.json"
    write_plan(planned, file)
    written = file.read_bytes()
    write_plan({**planned, "created_utc": "later"}, file)
    assert file.read_bytes() == written
    with pytest.raises(PlanError, match="a plan is never overwritten"):
        write_plan(document_of("loss=focal/mild_focus"), file)


def test_a_plan_is_registered_once(planned: dict[str, Any], tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    first = register(planned, "p.json", ledger)
    again = register(planned, "elsewhere.json", ledger)
    assert again.ledger_line == first.ledger_line == 1
    assert len(ledger.entries()) == 1
    assert first.known == {}


def test_a_plan_from_another_machine_is_registered_when_its_run_starts(planned: dict[str, Any], tmp_path: Path) -> None:
    write_plan(planned, tmp_path / "p.json")
    found = preregistered(planned, str(tmp_path / "p.json"), Ledger(tmp_path))
    assert (found.ledger_line, found.known) == (1, {})


def test_what_was_judged_before_the_plan_is_known_and_what_came_after_is_not(
    planned: dict[str, Any], tmp_path: Path
) -> None:
    ledger, trial = Ledger(tmp_path), trial_id(planned, "standard")
    shown = {"run_id": "r1", "plan_hash": "other", "variants": {"renamed": {"trial": trial}}}
    ledger.append("judged", {**shown, "variants": {"none": {"trial": trial_id(planned, "none")}}})
    assert known_before(ledger.entries(), planned) == {}  # the baseline's results are no secret
    ledger.append("looked", shown)
    assert register(planned, "p.json", ledger).known == {"standard": "r1"}
    late = document_of("loss=focal/mild_focus")
    register(late, "q.json", ledger)
    ledger.append("judged", {**shown, "variants": {"mild_focus": {"trial": trial_id(late, "mild_focus")}}})
    assert register(late, "q.json", ledger).known == {}


def test_a_trial_is_its_settings_and_bars(planned: dict[str, Any]) -> None:
    own = trial_id(planned, "standard")
    assert own != trial_id(planned, "none")
    assert own == trial_id(document_of("loss=focal/standard", "gates.required_lift=0.02"), "standard")
    assert own == trial_id(document_of("loss=none,focal/standard,focal/mild_focus"), "standard")
    assert own != trial_id(document_of("loss=focal/standard", "seed=1"), "standard")
    assert own != trial_id(document_of("loss=focal/standard", "data.seed=8"), "standard")


def _seen(ledger: Ledger, document: dict[str, Any], name: str) -> None:
    shown = {"run_id": "r1", "plan_hash": document["plan_hash"], "variants": {name: trial_facts(document)[name]}}
    ledger.append("judged", shown)


def test_costs_that_hardly_differ_make_no_new_trial(planned: dict[str, Any], tmp_path: Path) -> None:
    ledger, dearer = Ledger(tmp_path), document_of("loss=focal/standard", "trade.fee_bps=10.000001")
    _seen(ledger, planned, "standard")
    assert trial_id(dearer, "standard") != trial_id(planned, "standard")
    assert known_before(ledger.entries(), dearer) == {"standard": "r1"}
    assert known_before(ledger.entries(), document_of("loss=focal/mild_focus", "trade.fee_bps=10.000001")) == {}


def test_a_variant_with_its_baselines_fits_is_known_by_its_factor_too(tmp_path: Path) -> None:
    ledger, document = Ledger(tmp_path), document_of("decision=tuned,matched_rate")
    _seen(ledger, document, document["baseline"])
    assert known_before(ledger.entries(), document) == {}
    dearer = document_of("decision=tuned,matched_rate", "trade.fee_bps=10.000001")
    assert known_before(ledger.entries(), dearer) == {}
    _seen(ledger, document, "matched_rate")
    assert known_before(ledger.entries(), dearer) == {"matched_rate": "r1"}


def test_a_planned_line_holds_market_and_trials(planned: dict[str, Any], tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    register(planned, "p.json", ledger)
    facts = ledger.entries()[0].facts
    assert facts["variants"] == trial_facts(planned)
    assert (facts["baseline"], facts["label"]) == ("none", planned["label"])
    assert facts["assets"] == sorted(planned["universe"]["assets"])
    assert facts["edges_utc"] == planned["period"]["edges_utc"]


# plan=FILE among the overrides


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    experiment = compose([*TINY, "loss=focal/standard", f"output.dir={tmp_path}/out"])
    return prepared(experiment, NOW).file


def test_a_plan_brings_its_own_overrides(plan_file: Path) -> None:
    experiment = compose([f"plan={plan_file}"])
    assert [variant.name for variant in experiment.variants] == ["standard"]
    assert experiment.baseline.spec.cv.n_folds == 2
    assert experiment.plan == str(plan_file)
    assert compose([f"plan={plan_file}", "executor=loky"]).executor.name == "loky"
    assert compose(["plan=null"]).plan is None


@pytest.mark.parametrize("text", [None, "not JSON", "{}"])
def test_a_plan_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "p.json").write_text(text)
    with pytest.raises(ConfigError, match=r"^command line: plan == .*p.json must be a plan as") as error:
        compose([f"plan={tmp_path}/p.json"])
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("own", "given", "said"),
    [
        ("loss=gone", (), "{plan}: loss == gone is no option of this group"),
        ("hpo.n_trials=-1", (), "{plan}: hpo.n_trials == -1 must be >= 0"),
        ("hpo.n_trails=1", (), "{plan}: hpo.n_trails=1: no such key"),
        ("hpo.n_trials=-1", ("hpo.n_trials=-2",), "command line: hpo.n_trials == -2 must be >= 0"),
        ("loss=focal/standard", ("hpo.n_trails=1",), "command line: hpo.n_trails=1: no such key"),
        ("loss=focal/standard", ("loss=gone",), "command line: loss == gone is no option of this group"),
        ("loss=gone", ("seed=3",), "{plan}: loss == gone is no option of this group"),
    ],
)
def test_what_a_plan_brings_and_is_refused_names_the_plan(
    tmp_path: Path, own: str, given: tuple[str, ...], said: str
) -> None:
    plan = tmp_path / "p.json"
    plan.write_text(json.dumps({"overrides": [own]}))
    with pytest.raises(ConfigError) as error:
        compose([f"plan={plan}", *given])
    assert str(error.value).startswith(said.format(plan=plan))


def test_a_folder_of_options_that_is_gone_is_named_with_what_it_had(tmp_path: Path) -> None:
    plan = tmp_path / "p.json"
    document = {"overrides": ["loss=mine"], "config_dirs": [str(tmp_path / "gone")]}
    plan.write_text(json.dumps(document))
    said = rf"^{plan}: loss == mine is no option .*; the plan's --config-dir {tmp_path}/gone is not there"
    with pytest.raises(ConfigError, match=said):
        compose([f"plan={plan}"])
    plan.write_text(json.dumps({**document, "overrides": ["loss=none"]}))
    assert not compose([f"plan={plan}"]).variants


def test_a_run_that_differs_starts_nothing(plan_file: Path) -> None:
    output = plan_file.parents[1]
    with pytest.raises(PlanError, match=r"gates\.required_lift: planned 0\.015, found 0\.02"):
        run_sweep(compose([f"plan={plan_file}", "gates.required_lift=0.02"]))
    assert not (output / "runs").exists()


def test_no_run_starts_on_a_damaged_ledger(plan_file: Path) -> None:
    output = plan_file.parents[1]
    file = output / "ledger.jsonl"
    file.write_text(file.read_text().replace('"kind":"planned"', '"kind":"judged"'))
    with pytest.raises(LedgerError, match=r"ledger.jsonl:1: hash"):
        run_sweep(compose([*TINY, f"output.dir={output}"]))
    assert not (output / "runs").exists()


def test_a_planned_run_says_so_and_one_without_a_plan_does_not(desk) -> None:
    document = json.loads((desk.run / "plan.json").read_text())
    registration = document["registration"]
    assert (registration["ledger_line"], registration["known"]) == (1, {})
    assert registration["planned_utc"] == Ledger(desk.output).entries()[0].utc
    assert Path(registration["file"]).name == desk.plan_file.name
    assert "**Registration**: pre-registered " in (desk.run / "dossier.md").read_text()
    again = run_sweep(desk.compose())
    assert again.n_reused == 8
    assert json.loads((again.folder / "plan.json").read_text())["registration"] is None
    assert json.loads((again.folder / "plan.json").read_text())["plan_hash"] == document["plan_hash"]


def test_planning_what_was_already_judged_is_told(desk) -> None:
    found = prepared(desk.compose("gates.required_lift=0.002"), NOW)
    assert found.registration.known == {"standard": desk.run_id}
    assert (found.forecast.n_reused, found.forecast.n_to_run) == (8, 0)
    rerun = run_sweep(compose([f"plan={found.file}", f"output.dir={desk.output}"]))
    registration = json.loads((rerun.folder / "plan.json").read_text())["registration"]
    assert registration["known"] == {"standard": desk.run_id}

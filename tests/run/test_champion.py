"""Each reason against a lock by itself, and none for a run that has earned it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ftfkit.config.champion import read_locks
from ftfkit.config.experiment import compose
from ftfkit.config.schema import Experiment
from ftfkit.errors import ConfigError, FtfkitError
from ftfkit.run.champion import lock, obstacles, prepare_change, undo
from ftfkit.run.ledger import Entry, Ledger
from ftfkit.run.records import RunRecord
from ftfkit.run.trials import trial_facts
from ftfkit.types import GateResult, Verdict

Case = dict[str, Any]


@pytest.fixture(scope="module")
def earned(finished_desk) -> Case:
    run = RunRecord(finished_desk.run, "completed")
    experiment = compose([f"plan={finished_desk.plan_file}"])
    entries = Ledger(finished_desk.output).entries()
    return {"document": run.plan, "verdict": run.verdict, "entries": entries, "experiment": experiment}


def reasons(case: Case, variant: str = "standard") -> list[str]:
    return obstacles(case["document"], variant, case["verdict"], case["entries"], case["experiment"])


def test_a_planned_lock_on_real_bars_has_no_obstacle(earned: Case) -> None:
    assert earned["verdict"].variants["standard"].verdict == "LOCK"
    assert reasons(earned) == []


def _planned(**changes: Any) -> Callable[[Case], None]:
    def change(case: Case) -> None:
        case["document"] = {**copy.deepcopy(case["document"]), **changes}

    return change


def _judged(**changes: Any) -> Callable[[Case], None]:
    def change(case: Case) -> None:
        verdict: Verdict = case["verdict"]
        one = replace(verdict.variants["standard"], **changes)
        case["verdict"] = replace(verdict, variants={"standard": one})

    return change


def _post_hoc(case: Case) -> None:
    case["verdict"] = replace(case["verdict"], post_hoc=True)


def _open_gate(case: Case) -> None:
    _judged(gates={"mlops_readiness": GateResult("NOT_APPLICABLE")})(case)


def _known(case: Case) -> None:
    registration = {**case["document"]["registration"], "known": {"standard": "r0"}}
    _planned(registration=registration)(case)


def _locked_since(case: Case) -> None:
    experiment: Experiment = case["experiment"]
    case["experiment"] = experiment.model_copy(update={"locked": "r9 other"})


def _not_confirmed(case: Case) -> None:
    facts = {"run_id": case["document"]["run_id"], "variant": "standard", "passed": False}
    case["entries"] = (*case["entries"], Entry(3, "", "confirmed", facts, "", ""))


def _entered(case: Case, kind: Any, **facts: Any) -> None:
    case["entries"] = (*case["entries"], Entry(3, "", kind, facts, "", ""))


def _own(case: Case) -> dict[str, str]:
    return trial_facts(case["document"])["standard"]


def _not_confirmed_in_another_run(case: Case) -> None:
    _entered(case, "confirmed", run_id="r1", variant="renamed", passed=False, trial=_own(case)["trial"])


def _not_confirmed_at_other_costs(case: Case) -> None:
    own = {"trial": "other", "fits": _own(case)["fits"]}
    _entered(case, "confirmed", run_id="r1", variant="standard", passed=False, **own)


def _opened(case: Case) -> None:
    _entered(case, "opened", run_id="r1", variant="standard", **_own(case))


def _judged_by_another_plan(case: Case) -> None:
    variants = {"none": {"trial": "x", "verdict": None}, "renamed": {**_own(case), "verdict": "ABANDON"}}
    _entered(case, "judged", run_id="r1", plan_hash="other", variants=variants)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_judged(verdict="INCONCLUSIVE"), "the verdict on standard is INCONCLUSIVE, must be LOCK"),
        (_open_gate, "mlops_readiness was not applicable, must PASS"),
        (_planned(synthetic=True), "the data is synthetic"),
        (_post_hoc, "the verdict is post hoc"),
        (_planned(registration=None), "the run was not pre-registered: "),
        (_known, "its results were known before they were planned, from run r0"),
        (
            _locked_since,
            "the champion has changed since: the run compared with the configured one, today's is r9 other",
        ),
        (_not_confirmed, "its hold-out did not confirm it"),
        (_not_confirmed_in_another_run, "its hold-out did not confirm it"),
        (_not_confirmed_at_other_costs, "its hold-out did not confirm it"),
        (_opened, "its hold-out was opened (ledger line 3) without an outcome: lock it with --confirm"),
        (_judged_by_another_plan, "another plan judged it ABANDON (run r1, ledger line 3)"),
    ],
)
def test_each_reason_alone_is_told_in_one_line(earned: Case, change: Callable[[Case], None], reason: str) -> None:
    case = dict(earned)
    change(case)
    (told,) = reasons(case)
    assert told.startswith(reason)
    assert "\n" not in told


def test_what_says_nothing_against_a_trial_is_no_obstacle(earned: Case) -> None:
    case = dict(earned)
    _entered(case, "confirmed", run_id="r1", variant="standard", passed=True, **_own(case))
    _entered(case, "confirmed", run_id="r1", variant="standard", passed=False, trial="other", fits="other")
    locked = {"standard": {**_own(case), "verdict": "LOCK"}}
    _entered(case, "judged", run_id="r1", plan_hash="other", variants=locked)
    own = {"standard": {**_own(case), "verdict": "INCOMPLETE"}}
    _entered(case, "judged", run_id="r1", plan_hash=case["document"]["plan_hash"], variants=own)
    assert reasons(case) == []


def test_a_confirmation_that_broke_off_may_go_on(earned: Case) -> None:
    case = dict(earned)
    _opened(case)
    document, verdict, entries, experiment = (case[key] for key in ("document", "verdict", "entries", "experiment"))
    assert obstacles(document, "standard", verdict, entries, experiment, confirm=True) == []


@pytest.mark.parametrize("variant", ["none", "absent"])
def test_only_variants_of_the_run_can_be_locked(earned: Case, variant: str) -> None:
    assert reasons(earned, variant) == [f"{variant} is no variant of this run; known: standard"]


def test_a_baseline_alone_has_nothing_to_lock(earned: Case) -> None:
    assert reasons({**earned, "verdict": None}) == ["standard is no variant of this run; known: none"]


@pytest.fixture
def experiment(desk) -> Experiment:
    return compose([f"plan={desk.plan_file}", f"output.dir={desk.output}"])


def test_a_lock_writes_env_file_champion_and_ledger_and_is_taken_back(desk, experiment: Experiment) -> None:
    document = json.loads((desk.run / "plan.json").read_text())
    env = desk.output / "champion" / "ftf_config.base_env"
    env.parent.mkdir()
    env.write_text("# read by the production job\nCVN_LOSS_FUNCTION=binary:logistic\nOTHER=1\n")
    change = prepare_change(document, "standard", experiment)
    assert change.diff.endswith("-CVN_LOSS_FUNCTION=binary:logistic\n+CVN_LOSS_FUNCTION=focal/standard\n OTHER=1\n")
    assert read_locks(desk.output) == ()
    lock(change, desk.output)
    assert env.read_text() == "# read by the production job\nCVN_LOSS_FUNCTION=focal/standard\nOTHER=1\n"
    (champion,) = read_locks(desk.output)
    assert (champion.run_id, champion.variant, dict(champion.options)) == (
        desk.run_id,
        "standard",
        {"loss": "focal/standard"},
    )
    entry = Ledger(desk.output).entries()[-1]
    assert (entry.kind, entry.facts["variant"]) == ("locked", "standard")
    assert desk.compose("loss=none").baseline.name == "standard"
    back = undo(desk.output, env)
    assert back.diff.endswith("-CVN_LOSS_FUNCTION=focal/standard\n+CVN_LOSS_FUNCTION=binary:logistic\n OTHER=1\n")
    assert env.read_text().splitlines()[1] == "CVN_LOSS_FUNCTION=binary:logistic"
    assert read_locks(desk.output) == ()
    assert Ledger(desk.output).entries()[-1].kind == "unlocked"


def test_a_lock_is_undone_in_the_file_that_it_changed(desk, experiment: Experiment) -> None:
    config = experiment.champion.model_copy(update={"base_env": f"{desk.folder}/job/prod.env"})
    elsewhere = experiment.model_copy(update={"champion": config})
    change = prepare_change(json.loads((desk.run / "plan.json").read_text()), "standard", elsewhere)
    lock(change, desk.output)
    assert (desk.folder / "job" / "prod.env").is_file()
    assert undo(desk.output, desk.output / experiment.champion.base_env).base_env == desk.folder / "job" / "prod.env"
    assert not (desk.folder / "job" / "prod.env").exists()


def test_a_lock_and_its_undoing_keep_the_line_ends(desk, experiment: Experiment) -> None:
    env = desk.output / "champion" / "ftf_config.base_env"
    env.parent.mkdir(exist_ok=True)
    env.write_bytes(b"CVN_LOSS_FUNCTION=old\r\nOTHER=1\r\n")
    lock(prepare_change(RunRecord(desk.run, "completed").plan, "standard", experiment), desk.output)
    assert env.read_bytes() == b"CVN_LOSS_FUNCTION=focal/standard\r\nOTHER=1\r\n"
    undo(desk.output, env)
    assert env.read_bytes() == b"CVN_LOSS_FUNCTION=old\r\nOTHER=1\r\n"


@pytest.mark.parametrize("content", [b"NAME=\xe9\n", None])
def test_an_env_file_that_is_no_text_is_refused(desk, experiment: Experiment, content: bytes | None) -> None:
    env = desk.output / "champion" / "ftf_config.base_env"
    env.parent.mkdir(exist_ok=True)
    env.mkdir() if content is None else env.write_bytes(content)
    with pytest.raises(
        FtfkitError, match=r"ftf_config\.base_env: must be a text file in UTF-8: \w+Error: .* \(ftfkit\)$"
    ):
        prepare_change(RunRecord(desk.run, "completed").plan, "standard", experiment)


def test_a_lock_of_an_older_version_is_undone_in_the_configured_file(desk, experiment: Experiment) -> None:
    change = prepare_change(json.loads((desk.run / "plan.json").read_text()), "standard", experiment)
    lock(change, desk.output)
    file = desk.output / "champion" / "champion.json"
    content = json.loads(file.read_text())
    del content["locks"][0]["base_env"]
    file.write_text(json.dumps(content))
    undo(desk.output, change.base_env)
    assert not change.base_env.exists()


def test_the_first_lock_is_undone_to_no_file(desk, experiment: Experiment) -> None:
    change = prepare_change(json.loads((desk.run / "plan.json").read_text()), "standard", experiment)
    lock(change, desk.output)
    assert change.base_env.read_text() == "CVN_LOSS_FUNCTION=focal/standard\n"
    undo(desk.output, change.base_env)
    assert not change.base_env.exists()
    with pytest.raises(FtfkitError, match="holds no lock"):
        undo(desk.output, change.base_env)


def test_an_env_file_that_was_edited_since_is_not_undone(desk, experiment: Experiment) -> None:
    change = prepare_change(json.loads((desk.run / "plan.json").read_text()), "standard", experiment)
    lock(change, desk.output)
    change.base_env.write_text("CVN_LOSS_FUNCTION=mine\n")
    with pytest.raises(FtfkitError, match="was edited since"):
        undo(desk.output, change.base_env)
    assert change.base_env.read_text() == "CVN_LOSS_FUNCTION=mine\n"
    assert len(read_locks(desk.output)) == 1


def test_an_env_file_that_was_edited_meanwhile_is_not_written_over(desk, experiment: Experiment) -> None:
    change = prepare_change(RunRecord(desk.run, "completed").plan, "standard", experiment)
    change.base_env.parent.mkdir(parents=True, exist_ok=True)
    change.base_env.write_text("# somebody was faster\n")
    with pytest.raises(FtfkitError, match=r"was edited while standard was being locked"):
        lock(change, desk.output)
    assert change.base_env.read_text() == "# somebody was faster\n"
    assert read_locks(desk.output) == ()


def test_locks_add_up_and_are_undone_one_by_one(desk, experiment: Experiment) -> None:
    document = json.loads((desk.run / "plan.json").read_text())
    lock(prepare_change(document, "standard", experiment), desk.output)
    second = copy.deepcopy(document)
    config = second["variants"]["standard"]["config"]
    second["variants"]["joint"] = {
        "options": {"balancing": "none"},
        "values": ["balancing.uniqueness=true"],
        "config": config,
    }
    rule = r"must name {uniqueness}, which balancing\.uniqueness=true has changed"
    with pytest.raises(ConfigError, match=rf"^\S+config\.yaml:\d+: champion\.variables\.balancing == none {rule}"):
        prepare_change(second, "joint", experiment)
    second["variants"]["joint"]["values"] = []
    change = prepare_change(second, "joint", experiment)
    lock(change, desk.output)
    assert change.base_env.read_text() == "CVN_LOSS_FUNCTION=focal/standard\nCVN_BALANCING=none\n"
    assert dict(read_locks(desk.output)[-1].options) == {"loss": "focal/standard", "balancing": "none"}
    undo(desk.output, change.base_env)
    assert change.base_env.read_text() == "CVN_LOSS_FUNCTION=focal/standard\n"
    assert dict(read_locks(desk.output)[-1].options) == {"loss": "focal/standard"}

import json

import pytest

from ftfkit.dossier import decisions, overview
from ftfkit.dossier.results import read_results

LOCKED = {"none": 0.0, "good": 0.05, "it's": 0.05, "bad": -0.05}


@pytest.fixture
def results(make_run, make_rows):
    return lambda lifts=LOCKED, **changes: read_results(make_run(make_rows(lifts), **changes))


def test_only_locked_variants_get_a_command(results):
    run = "python -m ftfkit lock ftf_20260429_121011_282ec7_ATR0.5_1.5_H4"
    assert decisions.lock_commands(results()) == [f"{run} good", f"""{run} 'it'"'"'s'"""]
    assert "Lock at most one" in " ".join(decisions.lock_lines(results()))


@pytest.mark.parametrize(
    ("changes", "obstacle"),
    [({"synthetic": True}, "synthetic data"), ({"post_hoc": True}, "post hoc"), ({"track": None}, "mlops_readiness")],
)
def test_what_lock_would_refuse_gets_no_command(results, changes, obstacle):
    found = results(**changes)
    assert overview.by_verdict(found)["LOCK"] == ["good", "it's"]
    assert decisions.lock_commands(found) == []
    assert obstacle in " ".join(decisions.lock_lines(found))


def test_no_lock_keeps_the_baseline(results):
    found = results({"none": 0.0, "bad": -0.05})
    assert decisions.lock_lines(found) == ["No lock. Keep none; no change of the champion."]


def test_rows_of_other_versions_are_shown(make_run, make_rows):
    rows = make_rows({"none": 0.0, "a": 0.05})
    assert decisions.versions(read_results(make_run(rows))).columns == ("Distribution", "version")
    rows.loc[0, "versions"] = json.dumps({"xgboost": "3.1.0"})
    table = decisions.versions(read_results(make_run(rows)))
    assert ("xgboost", "3.2.0", "3.1.0, 3.2.0") in table.rows


def test_plugins_and_reproduction(results):
    found = results()
    assert decisions.plugins(found).rows == (("track06", "ftfkit-track06-focal-loss", "1.0"),)
    assert decisions.reproduction(found) == [
        "python -m ftfkit track=06_focal_loss",
        "python -m ftfkit verify ftf_20260429_121011_282ec7_ATR0.5_1.5_H4",
        "python -m ftfkit judge ftf_20260429_121011_282ec7_ATR0.5_1.5_H4",
    ]


@pytest.mark.parametrize("sign", ["", "+", "++"])
def test_commands_name_an_output_folder_of_the_runs_own(results, sign):
    word = f"{sign}output.dir='my runs'"
    found = results(command=f"python -m ftfkit {word}", overrides=[word])
    assert {line.partition(" --output ")[2] for line in decisions.reproduction(found)[1:]} == {"'my runs'"}
    assert decisions.lock_commands(found)[0].endswith(" good --output 'my runs'")


def test_judging_by_other_gates_than_planned_is_said(make_run, make_rows):
    folder = make_run(make_rows(LOCKED), post_hoc=True)
    verdict = json.loads((folder / "verdict.json").read_text())
    (folder / "verdict.json").write_text(json.dumps({**verdict, "gates": "lenient"}))
    header = dict(overview.header(read_results(folder)))
    assert header["Gates"] == "lenient; the plan has f1_buy_boost"

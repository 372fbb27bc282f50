from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ftfkit.__main__ import main
from ftfkit.cli.plan import _power
from ftfkit.run.forecast import Power
from ftfkit.run.ledger import Ledger

Capture = pytest.CaptureFixture[str]
TINY = ("universe=demo", "hpo=fixed", "data.days=100", "cv.n_folds=2", "executor=serial", "stats.n_resamples=100")


def test_a_plan_is_told_written_and_registered(tmp_path: Path, capsys: Capture) -> None:
    words = ["plan", "loss=focal/standard", *TINY, f"output.dir={tmp_path}", "-m"]
    assert main(words) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    (file,) = (tmp_path / "plans").iterdir()
    document = json.loads(file.read_text())
    assert lines["variants"] == "standard (family of 1) against none"
    assert lines["cells"] == "8: 0 reused, 8 to run"
    assert lines["time"].startswith("unknown: ")
    assert lines["fold"].startswith("sd    0.0450, from stats.planning_sd_fold")
    assert lines["detectable"] == "0.9002 at 80 % power"
    assert lines["warning"].startswith("power is below 80 %: a lift may be there and stay INCONCLUSIVE")
    assert lines["needed"].startswith("144 folds of this length, 7200 days of history")
    assert lines["confound"].startswith("loss.alpha and loss.gamma move together")
    assert lines["plan"] == f"hash  {document['plan_hash']}"
    assert lines["registered"].endswith("in line 1 of the ledger")
    assert lines["run"] == f"it     python -m ftfkit plan={file}"
    assert document["forecast"]["power"]["folds_needed"] == 144
    assert document["lint"][0]["rule"] == "moved together"
    assert main(words) == 0
    assert [entry.kind for entry in Ledger(tmp_path).entries()] == ["planned", "read"]
    assert not (tmp_path / "runs").exists()


def test_the_plan_document_can_be_had_as_json_and_elsewhere(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "mine" / "p.json"
    words = ["plan", "loss=focal/standard", *TINY, f"output.dir={tmp_path}", "--out", str(out), "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(out.read_text())
    assert main([*words, "seed=1"]) == 1
    assert "a plan is never overwritten" in capsys.readouterr().err


def test_a_planned_run_needs_no_other_argument_and_refuses_what_differs(desk, capsys: Capture) -> None:
    file = str(desk.plan_file)
    assert main([f"plan={file}", "seed=1"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"{file}: seed: planned 0, found 1 (pre-registered plan)"
    assert main([f"plan={file}", f"output.dir={desk.output}"]) == 0
    assert "8 reused, 0 failed" in capsys.readouterr().out


def test_options_of_the_users_own_folder_are_planned_with_it(desk, tmp_path: Path, capsys: Capture) -> None:
    words = [*desk.overrides, f"output.dir={tmp_path}/new", "gates.required_lift=0.5"]
    assert main(["plan", *words, "--config-dir", str(desk.conf)]) == 0
    (file,) = (tmp_path / "new" / "plans").iterdir()
    assert json.loads(file.read_text())["config_dirs"] == [str(desk.conf.resolve())]
    capsys.readouterr()
    assert main(["plan", f"plan={file}"]) == 0
    assert "gates      easy, required lift 0.5" in capsys.readouterr().out


def test_a_mistake_is_one_line(tmp_path: Path, capsys: Capture) -> None:
    assert main(["plan", "loss=nne", f"output.dir={tmp_path}"]) == 1
    assert "did you mean 'none'?" in capsys.readouterr().err
    assert main([f"plan={tmp_path}/absent.json"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"command line: plan == {tmp_path}/absent.json must be a plan as")


def test_a_plan_with_power_is_told_without_warning() -> None:
    power = Power(
        sd_fold=0.01,
        sd_source="stats.planning_sd_fold",
        required_lift=0.015,
        test="nadeau_bengio",
        alpha=0.05,
        n_folds=5,
        power=0.8,
        mde80=0.015,
        folds_needed=5,
        history_days=None,
    )
    assert [line for line in _power(power) if "below" in line] == []
    assert [line for line in _power(replace(power, power=0.79)) if "below" in line] != []

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ftfkit.__main__ import main
from ftfkit.cli import COMMANDS
from ftfkit.config.folders import conf_dir

HEAVY = (
    "numpy",
    "xgboost",
    "sklearn",
    "scipy",
    "pandas",
    "optuna",
    "matplotlib",
    "sqlalchemy",
    "pyarrow",
    "talib",
    "loky",
)
NO_FOLDER = "command line: data.path == /nonexistent must be a folder with bars (plugin ftfkit)"


def ftfkit(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ftfkit", *arguments], capture_output=True, text=True, cwd=cwd, check=False, timeout=240
    )


def test_help_names_every_command_and_group(tmp_path: Path) -> None:
    done = ftfkit("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in COMMANDS:
        assert command in done.stdout, command
    for group in (entry.name for entry in conf_dir().iterdir() if entry.is_dir() and entry.name != "hydra"):
        assert re.search(rf"^  {group} ", done.stdout, re.MULTILINE), group
    assert "focal/standard" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_cfg_job_prints_the_composed_config_and_writes_nothing(tmp_path: Path) -> None:
    done = ftfkit("loss=focal/standard", "--cfg", "job", cwd=tmp_path)
    assert done.returncode == 0
    assert "gamma: 2" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["--help"], ["plugins"], ["--version"]])
def test_light_commands_import_nothing_heavy(command: list[str]) -> None:
    code = (
        "import sys\nfrom ftfkit.__main__ import main\n"
        f"try:\n    main({command!r})\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("HEAVY []"), done.stdout[-300:]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("track", "track: not set; track=OPTION sets it\n"),
        ("track", "\n  plan_document: str | None, default None; Path of the written plan, for the dossier.\n"),
        ("track.hypothesis", "meaning   What is expected, and why.\n"),
        ("gates.checks.dependence.test", "rule      'nadeau_bengio' | 'fold_t', default 'nadeau_bengio'\n"),
        ("balancing", "\n  class_weight = 'balanced': 'balanced' | None, default None; "),
    ],
)
def test_explain_tells_values_choices_and_what_is_not_set(
    key: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", key]) == 0
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--config-dir", "/nonexistent"], 2, "is not a folder"),
        (["loss=none", "--multi"], 2, "command line: --multi is not a flag; did you mean --multirun?"),
        (
            ["--config-name=x"],
            2,
            "command line: --config-name is not supported; add options of your own with --config-dir",
        ),
        (["-m", "--cfg", "job", "loss=none"], 2, "command line: -m and --cfg exclude each other"),
        (["universe.assets=[A,A]"], 1, "command line: universe.assets == ['A', 'A'] must not repeat an asset"),
        (["data=parquet", "data.path=2024"], 1, "data.path == 2024 must be text, not a number: ./2024 is a folder"),
        (["judge"], 2, "required: rows; --help"),
        (["hydra.mode=RUN"], 2, "command line: hydra.mode is not supported; every run is one plan"),
        (["universe=demo", "--config-dir"], 2, "command line: --config-dir needs a folder"),
        (["plan=x.json", "-cd="], 2, "command line: -cd needs a folder"),
        (
            ["explain", "cv", "--config-dir", "/nonexistent"],
            2,
            "command line: --config-dir /nonexistent is not a folder",
        ),
        (["validate", "--config-dir", "/nonexistent"], 2, "command line: --config-dir /nonexistent is not"),
        (["judge", "/etc/passwd"], 2, "command line: /etc/passwd must be rows (FILE.csv, FILE.parquet), or a run"),
        (["loss.foo=3"], 1, "loss.foo=3: no such key; known in loss: name (ftfkit)"),
        (["+loss.foo=3"], 1, "loss.foo == 3 is not a parameter here: there are none (plugin ftfkit)"),
        (["foo=3"], 1, "trade, universe (ftfkit)"),
        (["+foo=3"], 1, "foo == 3 is not a section; known: balancing, baseline, calibration, champion, cv, data"),
        (["model.params.foo=3"], 1, "+model.params.foo=VALUE adds one"),
        (["cv.bar_hours=4"], 1, "cv.bar_hours=4: no such key yet; +cv.bar_hours=VALUE adds it (ftfkit)"),
        (["universe.assets=[../../etc]"], 1, "universe.assets.0 == ../../etc must match ^[A-Za-z0-9]+"),
        (["universe.assets=AAVE"], 1, "universe.assets == AAVE must be a list (ftfkit)"),
        (["universe.assets=[]"], 1, "universe.assets == [] must have 1 or more entries (ftfkit)"),
        (["hpo.n_trials=1.5"], 1, "hpo.n_trials == 1.5 must be a valid integer (ftfkit)"),
        (["--config-path", "/tmp"], 2, "add options of your own with --config-dir"),
        (["label.stop_atr=-1"], 1, "command line: label.stop_atr == -1 must be > 0 (plugin ftfkit)"),
        (["loss=nne"], 1, "did you mean 'none'?"),
        (["output.dir="], 1, "command line: output.dir == "),
        (["model.space.gamma.low=9"], 1, "low must be <= high == 5"),
        (["model.space.gamma.low=9"], 1, "command line: model.space.gamma == "),
        (["universe.quot=USDT"], 1, "did you mean 'quote'?"),
        (["loss=focal/standard", "loss.gama=1"], 1, "known in loss: alpha, gamma, name; did you mean 'gamma'?"),
        (["output.dir=/dev/null/x"], 1, "output.dir == /dev/null/x cannot be made: Not a directory"),
        (["loss=glob(nothing/*)", "-m"], 1, "matches no option"),
        (["data=parquet"], 1, "data.path == ??? must be given"),
        (["data=parquet", "data.path=/nonexistent"], 1, NO_FOLDER),
        (["data", "data=parquet", "data.path=/nonexistent"], 1, NO_FOLDER),
        (["judge", "/nonexistent.csv"], 1, "/nonexistent.csv"),
        (["judge", "/dev/null/x.csv"], 1, "/dev/null/x.csv"),
        (["report", "no_such_run"], 2, "no_such_run"),
        (["runs", "output.dir=x"], 2, "unrecognized arguments: output.dir=x"),
        (["new-plugin", "acme-tilt", "--kind", "los"], 2, "invalid choice: 'los'"),
        (
            ["new-plugin", "acme-tilt", "--kind", "loss", "--output", "/dev/null"],
            1,
            "/dev/null/acme-tilt: Not a directory",
        ),
        (["track=null"], 1, "track == null names no option of this group; leave it out, or choose among: 01_market"),
        (["-sc", "install=tcsh"], 2, "-sc takes install=SHELL, SHELL one of bash, fish, zsh, not install=tcsh"),
        ([""], 2, "an empty argument is no override"),
        (["-sc", "query=bash"], 2, "-sc install=bash"),
        (["trak=06_focal_loss"], 1, "did you mean 'track'?"),
        (["verify", "--output", "nowhere"], 2, "--output nowhere holds no run and no ledger"),
        (["explain"], 2, "required: key"),
        (["explain", "label.stop_at"], 2, "did you mean 'stop_atr'?"),
        (["explain", "track.hypothsis"], 2, "track.hypothsis: no such key; known here: factor, hypothesis, id"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_is_one_line_and_the_right_exit_code(
    arguments: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["validat"], 2, "did you mean 'validate'?"),
        (["hydra.verbose=true", "label.stop_atr=-1"], 1, "command line: label.stop_atr == -1 must be > 0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_so_it_is_in_a_process(arguments: list[str], code: int, message: str, tmp_path: Path) -> None:
    """An exit status that the shell sees, and no word of Python's or Hydra's own on the way out."""
    done = ftfkit(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_plan_takes_values_of_the_options_it_chose(
    desk: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``data.path`` is no key of the default data option: Hydra must know the plan's ``data=parquet`` before it."""
    bars = next(one for one in desk.overrides if one.startswith("data.path=")).partition("=")[2]
    shutil.copytree(bars, tmp_path / "elsewhere")
    words = [f"data.path={tmp_path / 'elsewhere'}", f"plan={desk.plan_file}", f"output.dir={desk.output}"]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "8 reused, 0 failed" in told
    assert "[not pre-registered]" not in told
    for flags in (["--cfg", "job"], ["--help"]):
        assert main([*words, *flags]) == 0
        assert f"path: {tmp_path}/elsewhere" in capsys.readouterr().out
    assert main([*words, "data.pth=x"]) == 1
    assert "did you mean 'path'?" in capsys.readouterr().err


def test_a_command_leaves_loggers_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = logging.getLogger("ftfkit")
    # Refused by us, and only after Hydra has set up its logging.
    assert main(["hydra.verbose=false", "universe=demo", "data.days=1"]) == 1
    assert not own.disabled


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("ftfkit 0.")


def test_data_reports_each_asset(shared: Path, tmp_path: Path) -> None:
    done = ftfkit("data", "data=parquet", f"data.path={shared}/data/spot_1h_2024", "universe.quote=USDT", cwd=tmp_path)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 5
    assert "6002 bars" in done.stdout


@pytest.mark.parametrize(
    ("line", "choices"),
    [
        ("ftfkit loss=focal/", {"loss=focal/standard"}),
        ("ftfkit plan loss=focal/", {"loss=focal/standard"}),
        ("ftfkit va", {"validate"}),
        ("ftfkit runs ", set()),
    ],
)
def test_shell_completion_knows_commands_and_nested_options(
    line: str, choices: set[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_POINT", str(len(line)))
    assert main(["-sc", "query=bash"]) == 0
    told = capsys.readouterr()
    found = set(told.out.split())
    assert choices <= found
    assert all(one.startswith(line.rsplit(maxsplit=1)[-1]) for one in found)
    assert bool(choices) == bool(found)
    assert told.err == ""


def test_a_damaged_ledger_refuses_a_run_and_fails_verification(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ledger.jsonl").write_text("{}\n")
    assert main(["universe=demo", "hpo=fixed", "data.days=60", f"output.dir={tmp_path}"]) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(f"{tmp_path}/ledger.jsonl:1: is not a line of the ledger")
    assert main(["verify", "--output", str(tmp_path)]) == 5
    assert capsys.readouterr().err.strip() == line

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ftfkit.cli.smoke import _sweeps, failures_of
from ftfkit.cli.validate import main
from ftfkit.config.compose import composer
from ftfkit.config.folders import CORE, ConfFolder, conf_dir
from ftfkit.plugins import BLOCK_VARIABLE, registry


def put(folder: Path, option: str, text: str) -> None:
    file = folder / f"{option}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_every_broken_option_is_named_in_one_line_and_the_others_are_still_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plugins are left out, whose options take longest to compose."""
    others = {plugin.distribution for plugin in registry().plugins} - {"ftfkit"}
    monkeypatch.setenv(BLOCK_VARIABLE, ",".join(others))
    put(tmp_path, "trade/dear", "fee_bps: -1\nslippage_bps: 2\n")
    put(tmp_path, "hpo/typo", "n_trial: 5\n")
    put(tmp_path, "trade/cheap", "fee_bps: 1\nslippage_bps: 1\n")
    assert main(["--config-dir", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    typo, dear = sorted(line.removeprefix(f"{tmp_path}/") for line in err.strip().splitlines())
    assert typo.startswith("hpo/typo.yaml:1: hpo.n_trial == 5 is not a parameter here")
    assert "did you mean 'n_trials'?" in typo
    assert dear == "trade/dear.yaml:1: trade.fee_bps == -1 must be >= 0 (ftfkit)"
    core = ConfFolder(CORE, conf_dir())
    n_core = sum(len(core.options(group)) for group in core.groups())
    assert re.search(rf"^{n_core + 3} options in \d+ groups checked, 2 refused$", out, re.MULTILINE)


@pytest.mark.timeout(900)
def test_smoke_runs_every_option_of_every_group(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ftfkit", "validate", "--smoke"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=870,
    )
    assert done.returncode == 0, done.stderr
    assert " 0 failed" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_of_options_that_are_run_together_the_one_that_fails_is_named(tmp_path: Path) -> None:
    put(tmp_path, "cv/patient", "name: purged_kfold\nembargo_bars: 600\n")
    using = composer([tmp_path])
    failures = failures_of(using, ["calibration=platt", "cv=patient", "hpo=fixed"], tmp_path / "out")
    assert list(failures) == ["cv=patient"]
    assert "embargo" in failures["cv=patient"]
    assert failures_of(using, ["calibration=platt", "cv=purged_kfold_5", "hpo=fixed"], tmp_path / "out") == {}


def test_every_option_is_in_one_sweep() -> None:
    options = {
        "loss": ["none", "focal/standard"],
        "cv": ["a", "b", "c"],
        "gates": ["x"],
        "track": ["t", "u"],
        "hpo": [],
    }
    sweeps = list(_sweeps(options))
    assert sweeps[0] == ["loss=none,focal/standard"]
    assert sorted(sweeps[1:]) == [["cv=a", "gates=x"], ["cv=b"], ["cv=c"], ["track=t"], ["track=u"]]

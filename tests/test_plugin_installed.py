"""A generated plugin as a stranger meets it: two wheels in a fresh environment, run, taken out again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from ftfkit.cli.new_plugin import write_plugin

ROOT = Path(__file__).resolve().parents[1]
TINY = ("universe=demo", "hpo=fixed", "data.days=150", "cv.n_folds=2", "stats.n_resamples=100", "executor=serial")


class Machine:
    """A virtual environment with nothing of the checkout in it, and an empty folder to work in."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self.work.mkdir()
        self._wheels, self._python = folder / "wheels", folder / "venv" / "bin" / "python"
        self._environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH"}}
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)

    def install(self, project: Path) -> None:
        """Build a project's wheel with this environment's tools, and install it in the fresh one."""
        build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(self._wheels), str(project)]
        subprocess.run([sys.executable, *build], check=True, capture_output=True)
        wheel = max(self._wheels.glob("*.whl"), key=lambda file: file.stat().st_mtime_ns)
        self._pip("install", "--constraint", str(ROOT / "constraints.txt"), str(wheel))

    def uninstall(self, distribution: str) -> None:
        self._pip("uninstall", "--yes", distribution)

    def ftfkit(self, *arguments: str, **environment: str) -> str:
        """stdout of a command that must succeed."""
        done = subprocess.run(
            [str(self._python), "-m", "ftfkit", *arguments],
            cwd=self.work,
            env=self._environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def _pip(self, *arguments: str) -> None:
        command: Sequence[str] = (str(self._python), "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments)
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_generated_plugin_comes_as_a_wheel_and_leaves_no_trace(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.install(ROOT)
    machine.install(write_plugin("acme-tilt", "loss", tmp_path))

    assert "acme_tilt" in machine.ftfkit("plugins")
    assert "acme/tilt" in machine.ftfkit("--help")
    assert "loss=acme/tilt" in machine.ftfkit("-sc", "query=bash", COMP_LINE="ftfkit loss=ac", COMP_POINT="14")
    assert "0 refused" in machine.ftfkit("validate")
    machine.ftfkit("loss=glob(acme/*)", *TINY, "-m")
    (run,) = (machine.work / "outputs" / "runs").iterdir()
    first = (run / "dossier.md").read_text(encoding="utf-8")
    assert "acme-tilt" in first  # the distribution, in the list of those that took part

    machine.uninstall("acme-tilt")
    assert "acme_tilt" not in machine.ftfkit("plugins")
    assert "acme/tilt" not in machine.ftfkit("--help")
    assert "0 refused" in machine.ftfkit("validate")
    assert run.name in machine.ftfkit("runs")
    machine.ftfkit("report", run.name)
    assert (run / "dossier.md").read_text(encoding="utf-8") == first
    assert "1 of 1" not in machine.ftfkit("verify", run.name)
    assert "rows" in machine.ftfkit("loss=none", *TINY)

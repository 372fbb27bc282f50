"""Fixtures shared by all tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ftfkit.config.compose import composer
from ftfkit.config.experiment import compose
from ftfkit.config.schema import Experiment


def pytest_configure() -> None:
    """Hear Ctrl-C even where a shell started the tests in the background, and so with SIGINT ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with the shared market data and reference figures; skips where it is absent."""
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("FTFKIT_SHARED", default))
    if not (folder / "data").is_dir():
        pytest.skip(f"shared data not found at {folder}; set FTFKIT_SHARED")
    return folder


@dataclass(frozen=True)
class Site:
    """A folder of installed distributions, and ``python -m ftfkit`` with that folder on its path."""

    folder: Path
    warm: subprocess.Popen[str]

    def install(
        self,
        name: str,
        files: Mapping[str, str],
        *,
        version: str = "1.0",
        requires: Sequence[str] = (),
        plugin: str | None = None,
    ) -> None:
        """Install a distribution whose entry point ``plugin`` names the module called like the distribution."""
        module = name.replace("-", "_")
        for path, text in files.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        info = self.folder / f"{module}-{version}.dist-info"
        info.mkdir(parents=True)
        needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        (info / "entry_points.txt").write_text(f"[ftfkit]\n{plugin or module} = {module}\n")
        (info / "RECORD").write_text("")

    def ftfkit(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command line; nothing is written but below the folder that this one is in."""
        out, err = (self.folder / f".{name}" for name in ("stdout", "stderr"))
        request = {
            "arguments": arguments,
            "cwd": str(self.folder.parent),
            "environment": {**os.environ, "PYTHONPATH": str(self.folder), **environment},
            "stdout": str(out),
            "stderr": str(err),
        }
        assert self.warm.stdin is not None
        assert self.warm.stdout is not None
        print(json.dumps(request), file=self.warm.stdin, flush=True)
        answers = (line.rstrip("\n").partition(" ") for line in self.warm.stdout)
        code = next(code for code, _, file in answers if file == str(out))  # passes over one of a test that timed out
        return subprocess.CompletedProcess(arguments, int(code), out.read_text(), err.read_text())


@pytest.fixture(scope="session")
def warm() -> Iterator[subprocess.Popen[str]]:
    """The process that ``Site`` has its command lines forked from."""
    command = [sys.executable, str(Path(__file__).with_name("warm.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def site(tmp_path: Path, warm: subprocess.Popen[str]) -> Site:
    """An empty folder to install distributions into, one level below ``tmp_path``."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder, warm)


SECTIONS = ("Model card", "Data lineage", "Reproducibility", "Monitoring", "Rollback", "Ownership")
EASY_GATES = """
name: easy
required_lift: 0.001
checks:
  sample_size: {min_trades: 1}
  mlops_readiness: {}
"""


@dataclass(frozen=True)
class Desk:
    """A pre-registered run on bars from files that every gate passed, and the folders around it."""

    folder: Path
    overrides: tuple[str, ...]  # of the experiment; ``output.dir`` apart
    run_id: str = ""

    @property
    def output(self) -> Path:
        return self.folder / "outputs"

    @property
    def conf(self) -> Path:
        return self.folder / "conf"

    @property
    def run(self) -> Path:
        return self.output / "runs" / self.run_id

    @property
    def plan_file(self) -> Path:
        return next((self.output / "plans").iterdir())

    def compose(self, *overrides: str) -> Experiment:
        """An experiment on the desk's bars, with its gates and track."""
        return compose([*self.overrides, f"output.dir={self.output}", *overrides], composer([self.conf]))


def _set_up(folder: Path) -> Desk:
    """Bars of two assets as files, gates that are easily passed, a track with a complete readiness document."""
    bars = folder / "bars"
    bars.mkdir(parents=True)
    market = compose(["universe=demo", "data.days=160"])
    for asset in market.universe.assets:
        market.baseline.spec.data.read(asset).frame.to_parquet(bars / f"{asset.name}_1h.parquet")
    for group, name, text in (("gates", "easy", EASY_GATES), ("track", "t99", _track(folder / "readiness.md"))):
        (folder / "conf" / group).mkdir(parents=True)
        (folder / "conf" / group / f"{name}.yaml").write_text(text)
    (folder / "readiness.md").write_text("".join(f"## {name}\n\nSaid in full.\n\n" for name in SECTIONS))
    settings = ("track=t99", "universe=demo", "hpo=fixed", "cv.n_folds=2", "stats.n_resamples=100", "executor=serial")
    return Desk(folder, (*settings, "data=parquet", f"data.path={bars}", "data.holdout_from=2022-05-11"))


def _track(readiness: Path) -> str:
    return f"""# @package _global_
defaults:
  - override /gates: easy
track: {{id: t99, title: A test, factor: loss, variants: {{loss: [focal/standard]}}, readiness: "{readiness}"}}
"""


@pytest.fixture(scope="session")
def finished_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Never to be changed; tests that change something take ``desk``."""
    from ftfkit.api import run_experiment
    from ftfkit.run.prepare import prepared

    made = _set_up(tmp_path_factory.mktemp("desk"))
    file = prepared(made.compose(), datetime.now(UTC)).file
    return replace(made, run_id=run_experiment(compose([f"plan={file}"])).run_id)


@pytest.fixture
def desk(finished_desk: Desk, tmp_path: Path) -> Desk:
    """A copy of the finished desk's outputs; bars, conf and readiness document stay where they are."""
    shutil.copytree(finished_desk.output, tmp_path / "outputs")
    (tmp_path / "conf").symlink_to(finished_desk.conf)
    return replace(finished_desk, folder=tmp_path)

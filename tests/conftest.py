"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest


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

    def ftfkit(self, *arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command line; nothing is written but below ``cwd``."""
        return subprocess.run(
            [sys.executable, "-m", "ftfkit", *arguments],
            cwd=cwd or self.folder.parent,
            env={**os.environ, "PYTHONPATH": str(self.folder), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty folder to install distributions into, one level below ``tmp_path``."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder)

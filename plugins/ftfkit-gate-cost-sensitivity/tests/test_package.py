"""What the wheel brings."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from ftfkit.plugins import registry

PROJECT = Path(__file__).resolve().parents[1]
MODULE = "ftfkit_gate_cost_sensitivity"


def test_an_installed_wheel_finds_its_own_conf(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(PROJECT)]
    subprocess.run(build, check=True, capture_output=True)
    wheel = zipfile.ZipFile(next(tmp_path.glob("*.whl")))
    assert {f"{MODULE}/py.typed", f"{MODULE}/conf/gates/f1_buy_boost_costs.yaml"} <= set(wheel.namelist())
    assert not [name for name in wheel.namelist() if "tests" in name]
    wheel.extractall(tmp_path)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {MODULE}; print({MODULE}.conf_dir())"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    assert Path(found) == (tmp_path / MODULE / "conf").resolve()


def test_offers_a_gate_a_metric_and_a_section() -> None:
    kinds = {"gate_check": "cost_sensitivity", "metric": "turnover", "dossier_section": "cost_sensitivity"}
    assert {registry().find(kind, name).distribution for kind, name in kinds.items()} == {
        "ftfkit-gate-cost-sensitivity"
    }

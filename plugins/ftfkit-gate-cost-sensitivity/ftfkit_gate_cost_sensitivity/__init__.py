"""Cost sensitivity: a gate, a dossier section and a turnover metric, as an ftfkit plugin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ftfkit import hookimpl

ftfkit_api_version = 1


def conf_dir() -> Path:
    """Folder with this package's conf groups: inside the module in a wheel, above it in a checkout."""
    module = Path(__file__).resolve().parent
    installed = module / "conf"
    return installed if installed.is_dir() else module.parent / "conf"


@hookimpl
def ftfkit_gate_checks() -> Mapping[str, str]:
    return {"cost_sensitivity": "ftfkit_gate_cost_sensitivity.gate:CostSensitivity"}


@hookimpl
def ftfkit_metrics() -> Mapping[str, str]:
    return {"turnover": "ftfkit_gate_cost_sensitivity.turnover:Turnover"}


@hookimpl
def ftfkit_dossier_sections() -> Mapping[str, str]:
    return {"cost_sensitivity": "ftfkit_gate_cost_sensitivity.section:CostSection"}


@hookimpl
def ftfkit_conf_folders() -> tuple[Path, ...]:
    return (conf_dir(),)

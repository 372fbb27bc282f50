"""Who set a value of a composed experiment: the command line, or a file of a conf folder."""

from __future__ import annotations

from pathlib import Path

from ftfkit.config.compose import Composed
from ftfkit.config.folders import conf_folders
from ftfkit.config.schema import Experiment


def place_of(experiment: Experiment, dotted: str) -> str:
    """File and line that set ``dotted`` (``store.url``), or ``command line``."""
    folders = conf_folders(extra=tuple(map(Path, experiment.config_dirs)))
    return Composed({}, experiment.baseline.spec.options, experiment.overrides, folders).where(dotted)

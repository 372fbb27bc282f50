"""Track 6: focal loss for BUY events, as an ftfkit plugin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ftfkit import hookimpl

ftfkit_api_version = 1


def package_file(name: str) -> Path:
    """A file or folder shipped with this package: beside the module in a wheel, above it in a checkout."""
    beside = Path(__file__).parent / name
    return beside if beside.exists() else Path(__file__).parent.parent / name


def conf_dir() -> Path:
    """Folder with this package's conf groups, laid out like ftfkit's own ``conf/``."""
    return package_file("conf")


@hookimpl
def ftfkit_losses() -> Mapping[str, str]:
    return {"focal": "ftfkit_track06_focal_loss.focal:FocalLoss"}


@hookimpl
def ftfkit_conf_folders() -> tuple[Path, ...]:
    return (conf_dir(),)

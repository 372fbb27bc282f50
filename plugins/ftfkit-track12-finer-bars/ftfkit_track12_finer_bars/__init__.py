"""Track 12: features of the native bars inside each label bar, as an ftfkit plugin."""

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
def ftfkit_feature_sets() -> Mapping[str, str]:
    return {"finer_bars": "ftfkit_track12_finer_bars.finer_bars:FinerBarFeatures"}


@hookimpl
def ftfkit_conf_folders() -> tuple[Path, ...]:
    return (conf_dir(),)

"""Track 5: smoothed and cleaned training labels, as an ftfkit plugin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ftfkit import hookimpl

ftfkit_api_version = 1


def conf_dir() -> Path:
    """Folder with this package's conf groups: beside the module in a wheel, above it in a checkout."""
    beside = Path(__file__).parent / "conf"
    return beside if beside.is_dir() else Path(__file__).parent.parent / "conf"


@hookimpl
def ftfkit_target_transforms() -> Mapping[str, str]:
    return {
        "label_smoothing": "ftfkit_track05_label_noise.smoothing:LabelSmoothing",
        "cleanlab": "ftfkit_track05_label_noise.cleaning:CleanlabTarget",
    }


@hookimpl
def ftfkit_conf_folders() -> tuple[Path, ...]:
    return (conf_dir(),)

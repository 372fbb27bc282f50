"""Track 5 x 6: smoothed labels and focal loss, alone and together, as an ftfkit plugin without code of its own."""

from __future__ import annotations

from pathlib import Path

from ftfkit import hookimpl

ftfkit_api_version = 1


def conf_dir() -> Path:
    """Folder with this package's conf groups: beside the module in a wheel, above it in a checkout."""
    beside = Path(__file__).parent / "conf"
    return beside if beside.is_dir() else Path(__file__).parent.parent / "conf"


@hookimpl
def ftfkit_conf_folders() -> tuple[Path, ...]:
    return (conf_dir(),)

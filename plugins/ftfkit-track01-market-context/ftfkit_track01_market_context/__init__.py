"""Track 1: features of leader assets and of the cross-section, as an ftfkit plugin."""

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
    return {"market_context": "ftfkit_track01_market_context.market_context:MarketContextFeatures"}


@hookimpl
def ftfkit_conf_folders() -> tuple[Path, ...]:
    return (conf_dir(),)

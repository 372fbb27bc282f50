"""Fixtures shared by all tests."""

from __future__ import annotations

import os
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

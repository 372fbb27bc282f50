"""ftfkit: declared, paired, gated experiments that decide whether an idea improves a trading model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ftfkit.hookspecs import hookimpl

if TYPE_CHECKING:
    from ftfkit.api import compose, judge, run

__version__ = "0.1.0"
__all__ = ["__version__", "compose", "hookimpl", "judge", "run"]


def __getattr__(name: str) -> Any:
    """Load the Python interface on first use, so that importing a plugin stays cheap."""
    if name in {"compose", "run", "judge"}:
        from ftfkit import api

        return getattr(api, name)
    raise AttributeError(f"module 'ftfkit' has no attribute {name!r}")

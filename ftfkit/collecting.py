"""How often Python looks for cycles among its objects."""

from __future__ import annotations

import gc

# A command and a worker import and compose much and throw little away: at Python's own thresholds a tenth of an import
# goes into looking for cycles among objects that stay.
_THRESHOLDS = (50_000, 20, 100)


def collect_seldom() -> None:
    """Raise the thresholds of this process."""
    gc.set_threshold(*_THRESHOLDS)

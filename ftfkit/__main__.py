"""``python -m ftfkit``: subcommands by their first word, everything else an experiment for Hydra to compose."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from ftfkit.cli import COMMANDS, dispatch

# A command imports and composes much and throws little away: at Python's thresholds a tenth of its time goes into
# looking for cycles among objects that stay.
GC_THRESHOLDS = (50_000, 20, 100)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    gc.set_threshold(*GC_THRESHOLDS)
    return dispatch(list(sys.argv[1:] if arguments is None else arguments))


__all__ = ["COMMANDS", "main"]

if __name__ == "__main__":
    sys.exit(main())

"""``python -m ftfkit``: subcommands by their first word, everything else an experiment for Hydra to compose."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ftfkit.cli import COMMANDS, dispatch
from ftfkit.collecting import collect_seldom


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    collect_seldom()
    return dispatch(list(sys.argv[1:] if arguments is None else arguments))


__all__ = ["COMMANDS", "main"]

if __name__ == "__main__":
    sys.exit(main())

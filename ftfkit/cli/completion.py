"""What the shell is told while it completes a line: our commands, then what Hydra knows of overrides."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ftfkit.cli import COMMANDS
from ftfkit.errors import UsageError

FLAGS = frozenset({"-sc", "--shell-completion"})
SHELLS = ("bash", "fish", "zsh")
_WITHOUT_OVERRIDES = frozenset({"plugins", "new-plugin", "runs", "readiness", "report", "verify"})


def is_left_to_hydra(arguments: Sequence[str]) -> bool:
    """Whether Hydra has more to say to a line with ``-sc``; commands among the choices are printed here.

    Hydra knows no commands: the one that stands on the line to be completed is taken out of ``COMP_LINE``.

    Raises
    ------
    UsageError
        For a shell that Hydra does not know, and for a query that no shell makes.
    """
    told = [word.partition("=") for word in arguments if word.startswith(("install=", "query=", "uninstall="))]
    if not told or told[0][2] not in SHELLS:
        given = "".join(told[0]) if told else "nothing"
        raise UsageError(f"command line: -sc takes install=SHELL, SHELL one of {', '.join(SHELLS)}, not {given}")
    if told[0][0] != "query":
        return True
    if "COMP_LINE" not in os.environ:
        setup = 'eval "$(python -m ftfkit -sc install=bash)"'
        raise UsageError(f"command line: the shell asks for completions once it is set up: {setup}")
    return _is_left(os.environ["COMP_LINE"])


def _is_left(line: str) -> bool:
    script, *words = line.split(" ")
    if len(words) == 1:
        print("\n".join(name for name in COMMANDS if name.startswith(words[0])))
    elif words and words[0] in COMMANDS:
        os.environ["COMP_LINE"] = " ".join([script, *words[1:]])
        os.environ["COMP_POINT"] = str(len(os.environ["COMP_LINE"]))
        return words[0] not in _WITHOUT_OVERRIDES
    return True

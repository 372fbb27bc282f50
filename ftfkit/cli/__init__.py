"""The command line. Nothing heavy is imported before it is known which command is wanted."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Mapping
from typing import Protocol, cast

from ftfkit.errors import FtfkitError, UsageError

COMMANDS: Mapping[str, tuple[str, str]] = {  # command -> (module, one line of help)
    "judge": ("ftfkit.cli.judge", "verdict on rows from anywhere (CSV, Parquet)"),
    "validate": ("ftfkit.cli.validate", "compose and check every option of every group, plugins' included"),
    "plugins": ("ftfkit.cli.plugins", "what is registered, and by whom"),
    "doctor": ("ftfkit.cli.doctor", "is everything importable, reachable and writable, here and in the workers"),
    "new-plugin": ("ftfkit.cli.new_plugin", "write the package of a new plugin"),
    "runs": ("ftfkit.cli.runs", "list the runs of the output folder"),
    "explain": ("ftfkit.cli.explain", "what a configuration key means, its rule, its value and who set it"),
    "data": ("ftfkit.cli.data", "load and check the bars of an experiment without running it"),
    "null-check": ("ftfkit.cli.null_check", "how often an experiment locks noise, or finds a planted effect"),
    "plan": ("ftfkit.cli.plan", "what would run, cost and be found; writes the pre-registration"),
    "readiness": ("ftfkit.cli.readiness", "write or check the readiness document of a track"),
    "report": ("ftfkit.cli.report", "write the dossier of a run anew"),
    "lock": ("ftfkit.cli.lock", "make a verified, planned LOCK the champion, or take that back"),
    "verify": ("ftfkit.cli.verify", "recompute every number and verdict of a run, or check the ledger"),
}


class Command(Protocol):
    """A command module: ``main`` takes the words after the command and returns the exit code."""

    def main(self, arguments: list[str]) -> int: ...


def dispatch(arguments: list[str]) -> int:
    """Run one command; a user's mistake is one line on stderr, a traceback only ever means a bug of ours."""
    try:
        return _run(arguments)
    except FtfkitError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:  # a folder that cannot be written, a full disk
        print(f"{error.filename or 'ftfkit'}: {error.strerror or error}", file=sys.stderr)
        return 1


def _run(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first == "--version":
        from ftfkit import __version__

        print(f"ftfkit {__version__}")
        return 0
    if first in COMMANDS:
        module = cast(Command, importlib.import_module(COMMANDS[first][0]))
        return module.main(arguments[1:])
    if first and "=" not in first and not first.startswith(("-", "+", "~")):
        near = difflib.get_close_matches(first, COMMANDS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(
            f"command line: {first!r} is neither a command ({', '.join(COMMANDS)}) nor an override (group=option){hint}"
        )
    from ftfkit.cli.run import run

    return run(arguments)

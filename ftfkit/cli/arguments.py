"""Command lines of the subcommands."""

from __future__ import annotations

import argparse
from typing import NoReturn

from ftfkit.errors import UsageError


class ArgumentParser(argparse.ArgumentParser):
    """Parser that refuses a wrong command line in one line, as everything else is refused."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}; --help shows what it takes")

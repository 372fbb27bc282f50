"""Command lines of the subcommands."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from ftfkit.errors import UsageError


class ArgumentParser(argparse.ArgumentParser):
    """Parser that refuses a wrong command line in one line, as everything else is refused."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}; --help shows what it takes")

    def add_config_dir(self) -> None:
        """Take ``--config-dir DIR``, as the run itself does."""
        self.add_argument(
            "--config-dir", action="append", default=[], type=_folder, help="folder with options of your own"
        )


def _folder(text: str) -> Path:
    if not text or not Path(text).is_dir():
        raise UsageError(f"command line: --config-dir {text} is not a folder")
    return Path(text)

"""``--help``: what can be run, which options each group has, and the config that the line composes."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ftfkit.cli import COMMANDS

if TYPE_CHECKING:
    from ftfkit.config.compose import Composer

FLAGS = frozenset({"--help", "-h"})
_WIDEST = 120
_INTRODUCTION = """\
ftfkit decides whether an idea improves a trading model: variant x asset x purged fold, paired with the champion,
judged by pre-registered gates, written up as a dossier.

usage: python -m ftfkit [group=option] [key=value] [-m]   run an experiment (sweep with commas or glob)
       python -m ftfkit COMMAND [--help]                  one of the commands below"""
_END = """\
examples:
  python -m ftfkit loss=focal/standard universe=defi_top5 -m
  python -m ftfkit -m 'loss=glob(focal/*)' hpo=quick
  python -m ftfkit plan loss=focal/standard        (then: python -m ftfkit plan=FILE)
  python -m ftfkit track=06_focal_loss data=parquet data.path=FOLDER universe.quote=USDT

--cfg job prints the config alone, --config-dir DIR adds options of your own, --hydra-help tells of Hydra's own flags;
shell completion: eval "$(python -m ftfkit -sc install=bash)" """


def print_help(using: Composer, overrides: Sequence[str]) -> None:
    """Print the help of the experiment command, for the options chosen on its line.

    Hydra's own would ask its loader for every group twice, which takes half a second.

    Raises
    ------
    ConfigError
        When the line does not compose.
    """
    import yaml

    config = using.compose(using.expand(overrides)[0]).config
    groups = {group: ", ".join(using.options(group)) for group in using.groups()}
    print(_INTRODUCTION)
    print("\ncommands:", *_entries({name: told for name, (_, told) in COMMANDS.items()}), sep="\n")
    print("\nconfiguration groups and their options (group=option):", *_entries(groups), sep="\n")
    print("\nconfig of this line; override anything (label.stop_atr=0.75):\n")
    print(textwrap.indent(yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True), "  "))
    print(_END.rstrip())


def _entries(told: Mapping[str, str]) -> Iterator[str]:
    """One entry a name, wrapped under its first word."""
    column = max(map(len, told)) + 4
    width = max(min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST), column + 30)
    for name, text in told.items():
        start = f"  {name}".ljust(column)
        yield textwrap.fill(text, width, initial_indent=start, subsequent_indent=" " * column, break_on_hyphens=False)

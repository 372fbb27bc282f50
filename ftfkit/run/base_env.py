"""The env file that a production job reads: which lines an option stands for, and how they change."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ftfkit.config.overrides import inner_key_of
from ftfkit.config.sections import ChampionConfig
from ftfkit.errors import UNPLACED, ConfigError

OTHERS = "*"  # every option that has no entry of its own

_NO_NEWLINE = "\\ No newline at end of file"
_NAME = re.compile(r"\{(\w+)\}")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)=")


def option_variables(
    config: ChampionConfig, group: str, option: str, parameters: Mapping[str, Any], values: Sequence[str] = ()
) -> dict[str, str | None]:
    """Variables that one option of a factor group sets; None for those of other options, which go.

    Parameters
    ----------
    config : ChampionConfig
    group, option : str
    parameters : mapping
        The group's section as validated; fills ``{name}`` in the values.
    values : sequence of str
        Overrides of single values (``loss.gamma=3``); the variables must name each.

    Raises
    ------
    ConfigError
        When the conf says nothing about the group, names an unknown parameter, or leaves an override out.
    """
    known = config.variables.get(group, {})
    chosen = known.get(option, known.get(OTHERS))
    place = f"champion.variables.{group}"
    if chosen is None:
        raise ConfigError(UNPLACED, place, option, f"must have an entry for this option, or {OTHERS!r}")
    filled = {**parameters, "option": option}
    for name in _NAME.findall(" ".join(chosen.values())):
        if name not in filled:
            raise ConfigError(UNPLACED, place, f"{{{name}}}", f"must be one of: {', '.join(sorted(filled))}")
    for value in values:
        name = inner_key_of(value).partition(".")[0]
        if not any(f"{{{name}}}" in text for text in chosen.values()):
            raise ConfigError(UNPLACED, place, option, f"must name {{{name}}}, which {value} has changed")
    cleared: dict[str, str | None] = {name: None for variables in known.values() for name in variables}
    return cleared | {name: _NAME.sub(lambda m: str(filled[m[1]]), text) for name, text in chosen.items()}


def changed_env(text: str | None, variables: Mapping[str, str | None]) -> str:
    """The file's text with some variables set or taken out; every other line, and every line's end, stays as it is.

    Examples
    --------
    >>> changed_env("# job\\nA=1\\n", {"A": "2", "B": "3"})
    '# job\\nA=2\\nB=3\\n'
    """
    found, left = _lines(text), {name: value for name, value in variables.items() if value is not None}
    usual = _end("".join(found[:1])) or "\n"
    lines = []
    for line in found:
        match = _ASSIGNMENT.match(line)
        if match is None or match[1] not in variables:
            lines.append(line if _end(line) else f"{line}{usual}")
        elif match[1] in left:
            lines.append(f"{line[: match.end()]}{left.pop(match[1])}{_end(line) or usual}")
    return "".join([*lines, *(f"{name}={value}{usual}" for name, value in left.items())])


def unified_diff(before: str | None, after: str | None, file: Path) -> str:
    """What changes in a file, as ``diff -u`` prints it; None is no file."""
    lines = difflib.unified_diff(
        _lines(before), _lines(after), fromfile=_named(file, before), tofile=_named(file, after)
    )
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}\n" for line in lines)


def _lines(text: str | None) -> list[str]:
    """Lines with their ends, parted where editors and shells do so and nowhere else."""
    return _LINE.findall(text or "")


def _end(line: str) -> str:
    return "\r\n" if line.endswith("\r\n") else "\n" if line.endswith("\n") else ""


def _named(file: Path, text: str | None) -> str:
    return "/dev/null" if text is None else str(file)

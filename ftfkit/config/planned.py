"""``plan=FILE``: a pre-registered plan brings its own overrides."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftfkit.config.compose import COMMAND_LINE
from ftfkit.config.folders import shown
from ftfkit.config.overrides import key_of, value_of
from ftfkit.errors import ConfigError

_KEY = "plan"


@dataclass(frozen=True)
class Planned:
    """Overrides of a plan file, with those given beside it in place of the plan's own.

    Whether the experiment they declare is the planned one is checked against the whole plan before a run starts.
    """

    file: str
    overrides: tuple[str, ...]
    config_dirs: tuple[Path, ...]

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders of options that the plan was made with, as far as they are still there."""
        return tuple(folder for folder in self.config_dirs if folder.is_dir())


def planned(overrides: Sequence[str]) -> Planned | None:
    """What ``plan=FILE`` among the overrides stands for; None where there is no such override.

    Raises
    ------
    ConfigError
        When the file cannot be read, or is no plan.
    """
    files = [value_of(override) for override in overrides if key_of(override) == _KEY]
    if not files or files[-1] == "null":
        return None
    document = _read(files[-1])
    given = [override for override in overrides if key_of(override) != _KEY]
    replaced = {key_of(override) for override in given}
    own = [override for override in document["overrides"] if key_of(override) not in replaced]
    return Planned(files[-1], (*own, *given), tuple(map(Path, document.get("config_dirs", ()))))


def given_beside(file: str, overrides: Sequence[str]) -> tuple[str, ...]:
    """Those of the overrides that a plan file did not bring."""
    own = set(_read(file)["overrides"])
    return tuple(override for override in overrides if override not in own)


@contextmanager
def brought(plan: Planned) -> Iterator[None]:
    """Name the plan file for what is refused inside while its overrides are composed, where it brought the value."""
    try:
        yield
    except ConfigError as error:
        if error.where != COMMAND_LINE or _is_about(error, given_beside(plan.file, plan.overrides), plan.overrides):
            raise
        gone = [str(folder) for folder in plan.config_dirs if not folder.is_dir()]
        rule = error.rule + (f"; the plan's --config-dir {', '.join(gone)} is not there" if gone else "")
        raise ConfigError(shown(Path(plan.file)), error.key, error.value, rule, error.owner) from error


def _is_about(error: ConfigError, given: Sequence[str], overrides: Sequence[str]) -> bool:
    """Whether what was given beside a plan is refused, and not what the plan brought."""
    if not error.key:  # the rule then begins with the override itself, or is Hydra's own text
        named = [one for one in overrides if error.rule.startswith(f"{one}: ")]
        return any(one in given for one in named) if named else bool(given)
    keys = [key_of(one) for one in given]
    return any(f"{error.key}.".startswith(f"{key}.") or key.startswith(f"{error.key}.") for key in keys)


def _read(file: str) -> dict[str, Any]:
    rule = "must be a plan as `python -m ftfkit plan` writes it"
    try:
        document = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(COMMAND_LINE, _KEY, file, f"{rule}: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("overrides"), list):
        raise ConfigError(COMMAND_LINE, _KEY, file, f"{rule}: it holds no overrides")
    return document

"""The champion: what ``lock`` made of the baseline; every later experiment starts from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ftfkit.config.compose import COMMAND_LINE, Composed, Composer
from ftfkit.config.overrides import group_of, key_of
from ftfkit.errors import ConfigError

FILE = "champion/champion.json"  # inside output.dir
SCHEMA = 1


@dataclass(frozen=True)
class Champion:
    """One lock, cumulative: all factor groups that locks have changed so far.

    Attributes
    ----------
    options : mapping of str to str
        Factor group to its option.
    values : tuple of str
        Overrides of single values in these groups (``loss.gamma=3``).
    env_before, env_after : str or None
        Text of the ``base_env`` file before and after; None where there was no file.
    base_env : str or None
        Absolute path of that file; None of locks that older versions wrote.
    """

    run_id: str
    variant: str
    locked_utc: str
    options: Mapping[str, str]
    values: tuple[str, ...]
    env_before: str | None
    env_after: str
    base_env: str | None = None

    def of_group(self, group: str) -> list[str]:
        """Overrides that bring one changed group to the champion's setting."""
        return [f"{group}={self.options[group]}", *(value for value in self.values if group_of(value) == group)]


def read_locks(output: Path) -> tuple[Champion, ...]:
    """All locks in force, oldest first; the last one is the champion.

    Raises
    ------
    ConfigError
        When the file is not one that ``lock`` wrote.
    """
    file = output / FILE
    if not file.is_file():
        return ()
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise ValueError(f"schema {content['schema']}, this ftfkit reads schema {SCHEMA}")
        return tuple(Champion(**{**one, "values": tuple(one["values"])}) for one in content["locks"])
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(str(file), "", "", f"must be as `lock` wrote it: {error}") from error


def locks_document(locks: Sequence[Champion]) -> dict[str, Any]:
    """What ``champion.json`` holds."""
    return {"schema": SCHEMA, "locks": [asdict(one) for one in locks]}


def start_from(champion: Champion, maker: Composer, first: Composed, jobs: list[list[str]]) -> list[list[str]]:
    """Let every job start from the champion, in the groups that neither the command line nor a track sets."""
    plain = maker.compose(())
    declared = (first.config.get("track") or {}).get("variants") or {}
    added = [
        override
        for group in champion.options
        if first.options.get(group) == plain.options.get(group) and group not in declared
        for override in champion.of_group(group)
    ]
    return [
        [*(one for one in added if group_of(one) not in _chosen(job) and key_of(one) not in _keys(job)), *job]
        for job in jobs
    ]


def baseline_overrides(champion: Champion, maker: Composer, first: Composed) -> dict[str, list[str]]:
    """Overrides of each changed group; those for which a track or the command line names a baseline are left out."""
    plain, declared = maker.compose(()).config["baseline"], first.config["baseline"]
    return {
        group: champion.of_group(group)
        for group in champion.options
        if declared.get(group) == plain.get(group) and not first.on_command_line(f"baseline.{group}")
    }


@contextmanager
def standing_on(champion: Champion | None, output: Path, given: Sequence[str]) -> Iterator[None]:
    """Name the champion's file for what is refused inside, where a lock set it and not the overrides ``given``."""
    try:
        yield
    except ConfigError as error:
        group = error.key.partition(".")[0]
        chosen = any(group_of(one) == group or key_of(one) == f"baseline.{group}" for one in given)
        if champion is None or group not in champion.options or chosen or error.where != COMMAND_LINE:
            raise
        raise error.placed(str(output / FILE)) from error


def _keys(job: Sequence[str]) -> set[str]:
    return {key_of(override) for override in job if "=" in override}


def _chosen(job: Sequence[str]) -> set[str]:
    """Groups for which a job names an option."""
    return {key for key in _keys(job) if "." not in key}

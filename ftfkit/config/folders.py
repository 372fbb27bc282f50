"""Where conf files live and whose they are: the core's folder, plugins' folders, and lines inside a file."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftfkit.errors import ConfigError, PluginError
from ftfkit.plugins import BLOCK_VARIABLE, Registry, registry

if TYPE_CHECKING:
    import yaml

HYDRA_GROUP = "hydra"  # our own Hydra options; the only files in which _target_ may stand
PRIMARY = "config"
TRACK_GROUP = "track"  # ftfkit itself ships no option of it
CORE = "ftfkit"
USERS_OWN = "--config-dir"
_PART = re.compile(r"[A-Za-z0-9_.+-]+")  # what Hydra takes unquoted
_YAML_WORDS = frozenset({"on", "off", "yes", "no", "true", "false", "null"})
_LEAVE_OUT = f"{BLOCK_VARIABLE}=NAME leaves a plugin out"


@dataclass(frozen=True)
class ConfFolder:
    """One folder laid out like ``conf/``."""

    owner: str
    path: Path

    def options(self, group: str) -> list[str]:
        """Options of a group, nested ones with their path (``focal/standard``)."""
        root = self.path / group
        return sorted(file.relative_to(root).with_suffix("").as_posix() for file in root.rglob("*.yaml"))

    def groups(self) -> list[str]:
        """Top-level groups, without Hydra's own."""
        found = (
            entry.name for entry in self.path.iterdir() if entry.is_dir() and not entry.name.startswith((".", "_"))
        )
        return sorted(name for name in found if name != HYDRA_GROUP)


def conf_dir() -> Path:
    """The core's conf folder: inside the wheel if installed, beside the package in a checkout.

    Not ``importlib.resources``: an editable install would leave a stale copy.
    """
    package = Path(__file__).resolve().parents[1]
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


def conf_folders(plugins: Registry | None = None, extra: Iterable[Path] = ()) -> tuple[ConfFolder, ...]:
    """The core's folder, every plugin's and the user's own (``--config-dir``), in that order.

    Raises
    ------
    PluginError
        For the first of ``conf_problems``.
    """
    folders = _offered(plugins, extra)
    problem = next(_problems(folders), None)
    if problem:
        raise PluginError(problem)
    return folders


def conf_problems(plugins: Registry | None = None) -> tuple[str, ...]:
    """What is wrong with the layout of plugins' conf folders, one line each.

    An option that another folder holds too (nothing is ever shadowed silently), a folder that is no group, a file that
    would not be found for its suffix.
    """
    return tuple(_problems(_offered(plugins, ())))


def _offered(plugins: Registry | None, extra: Iterable[Path]) -> tuple[ConfFolder, ...]:
    return (
        ConfFolder(CORE, conf_dir()),
        *(ConfFolder(owner, path) for owner, path in (plugins or registry()).conf_folders),
        *(ConfFolder(USERS_OWN, path) for path in extra),
    )


def _problems(folders: Sequence[ConfFolder]) -> Iterator[str]:
    core, *others = folders
    groups = (*core.groups(), TRACK_GROUP)
    for folder in others:
        if folder.owner != USERS_OWN:
            yield from (f"{problem}; {_LEAVE_OUT}" for problem in _misplaced(folder, groups))
    yield from _clashes(folders)


def _misplaced(folder: ConfFolder, groups: Sequence[str]) -> Iterator[str]:
    for group in folder.groups():
        if group not in groups:
            near = difflib.get_close_matches(group, groups, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            known = ", ".join(sorted(groups))
            yield f"{shown(folder.path / group)}: {group!r} of {folder.owner} is no group; known: {known}{hint}"
    for option in sorted(option for group in folder.groups() for option in folder.options(group)):
        if any(not _PART.fullmatch(part) or part.lower() in _YAML_WORDS for part in option.split("/")):
            yield (
                f"{shown(folder.path)}: option {option!r} of {folder.owner} must be called by letters, digits, '_', "
                f"'.', '+' and '-', and not by a word that YAML reads as a truth value or null"
            )
    for file in sorted(folder.path.rglob("*.yml")):
        yield f"{shown(file)}: {file.name!r} of {folder.owner} must end in .yaml"


def _clashes(folders: Sequence[ConfFolder]) -> Iterator[str]:
    seen: dict[str, ConfFolder] = {}
    for folder in folders:
        for file in sorted(folder.path.rglob("*.yaml")):
            option = file.relative_to(folder.path).as_posix()
            first = seen.setdefault(option, folder)
            if first is not folder:
                of_plugins = {folder.owner, first.owner} - {CORE, USERS_OWN}
                yield (
                    f"{shown(file)}: option {option.removesuffix('.yaml')!r} of {folder.owner} is already defined by "
                    f"{first.owner} ({shown(first.path / option)}); rename one of them"
                    + (f", or {_LEAVE_OUT}" if of_plugins else "")
                )


def find_option(folders: Iterable[ConfFolder], option: str) -> Path | None:
    """File of ``group/option`` (or of the primary config), if any folder has it."""
    for folder in folders:
        file = folder.path / f"{option}.yaml"
        if file.is_file():
            return file
    return None


def shown(path: Path) -> str:
    """Path as people want to read it: relative to the working directory where it lies below it."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def line_of(file: Path, keys: Sequence[str]) -> int | None:
    """Line (from 1) of the nested key in a YAML file, or None where the file does not hold it.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "x.yaml"
    >>> _ = file.write_text("a: 1\\nb:\\n  c: 2\\n")
    >>> line_of(file, ["b", "c"])
    3
    """
    import yaml

    node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    line = None
    for key in keys:
        if not isinstance(node, yaml.MappingNode):
            return line
        pair = next(((k, v) for k, v in node.value if k.value == key), None)
        if pair is None:
            return None
        line, node = pair[0].start_mark.line + 1, pair[1]
    return line


def load_yaml(file: Path) -> Mapping[str, Any]:
    """Parse one conf file.

    Raises
    ------
    ConfigError
        For bad YAML (with its line), for a file that is no mapping, and for keys that could run code.
    """
    import yaml

    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise bad_yaml(file, error) from error
    except UnicodeDecodeError as error:
        raise ConfigError(shown(file), "", "", f"must be UTF-8: {error.reason}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(shown(file), "", "", f"must be a mapping of keys to values, is a {type(content).__name__}")
    _refuse_code(file, content)
    return content


def bad_yaml(file: Path, error: yaml.YAMLError) -> ConfigError:
    """What a YAML reader found, with its line."""
    mark = getattr(error, "problem_mark", None)
    place = f"{shown(file)}:{mark.line + 1}" if mark else shown(file)
    return ConfigError(place, "", "", f"bad YAML: {getattr(error, 'problem', error)}")


def _refuse_code(file: Path, content: Mapping[str, Any]) -> None:
    """A conf file must never be able to run what is not an installed plugin."""
    for keys in _walk(content):
        dotted = ".".join(keys)
        if keys[-1] == "_target_":
            rule = "is not allowed: a config names an installed plugin (name: ...), it never imports code"
        elif dotted.startswith("hydra.") and dotted != "hydra.mode":
            rule = "is not allowed outside ftfkit's own primary config"
        else:
            continue
        line = line_of(file, keys)
        raise ConfigError(f"{shown(file)}:{line}", dotted, "...", rule)


def _walk(content: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(content, Mapping):
        items = content.items()
    elif isinstance(content, list):
        items = enumerate(content)
    for key, value in items:
        keys = (*above, str(key))
        yield keys
        yield from _walk(value, keys)


def is_own(folder: str | os.PathLike[str]) -> bool:
    """Whether this is the core's own conf folder."""
    return Path(folder).resolve() == conf_dir().resolve()

"""Overrides to composed configs through Hydra, with Hydra's errors turned into one line each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftfkit.config.folders import PRIMARY, ConfFolder, conf_dir, conf_folders, find_option, line_of, shown
from ftfkit.config.overrides import group_of, inner_key_of, key_of, quoted_text, value_of
from ftfkit.errors import ConfigError, FtfkitError, PluginError
from ftfkit.plugins import registry

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader

COMMAND_LINE = "command line"
PACKAGE_HEADER = "# @package _global_"  # first line of a file that sets more than its own group
SEARCH_PATH = "hydra.searchpath"
SCHEME = "ftfkit://"  # of a folder on Hydra's search path


@dataclass(frozen=True)
class Composed:
    """One composed config.

    Attributes
    ----------
    config : mapping
        Plain nested values, interpolations resolved, without Hydra's own section.
    options : mapping of str to str
        Chosen option of each group.
    overrides : tuple of str
        What was asked for, in order.
    """

    config: Mapping[str, Any]
    options: Mapping[str, str]
    overrides: tuple[str, ...]
    folders: tuple[ConfFolder, ...]

    def where(self, dotted: str) -> str:
        """File and line that set ``dotted`` (``label.stop_atr``), or ``command line``."""
        if self.on_command_line(dotted):
            return COMMAND_LINE
        group, *keys = dotted.split(".")
        candidates = []
        if group in self.options:
            candidates.append((f"{group}/{self.options[group]}", keys))
        if "track" in self.options:  # a track's file holds whole sections, its own too
            candidates.append((f"track/{self.options['track']}", [group, *keys]))
        candidates.append((PRIMARY, [group, *keys]))
        for option, path in candidates:
            file = find_option(self.folders, option)
            line = line_of(file, path) if file and path else None
            if file and line:
                return f"{shown(file)}:{line}"
        if group not in self.options and self.touched_on_command_line(dotted):
            return COMMAND_LINE
        file = find_option(self.folders, candidates[0][0])
        return f"{shown(file)}:1" if file else COMMAND_LINE

    def on_command_line(self, dotted: str) -> bool:
        """Whether an override sets, adds or removes ``dotted``, or what holds it."""
        keys = [key for key in self._keys() if key not in self.options]  # an option's own file sets what is in it
        return any(dotted == key or dotted.startswith(f"{key}.") for key in keys)

    def touched_on_command_line(self, dotted: str) -> bool:
        """The same, or whether it does so to anything inside ``dotted``."""
        return self.on_command_line(dotted) or any(key.startswith(f"{dotted}.") for key in self._keys())

    def _keys(self) -> list[str]:
        """Places in the config that overrides are about: an option of ``group@package`` is put at the package."""
        return [key_of(override).rpartition("@")[2] for override in self.overrides]


@dataclass(frozen=True)
class Composer:
    """Composes overrides against a fixed set of conf folders."""

    loader: ConfigLoader
    hydra_overrides: tuple[str, ...] = ()
    extra_folders: tuple[Path, ...] = ()

    @property
    def folders(self) -> tuple[ConfFolder, ...]:
        return conf_folders(extra=self.extra_folders)

    def expand(self, overrides: Sequence[str]) -> list[list[str]]:
        """Sweeps (commas, ``glob``, ``range``) to the list of single override lists they stand for.

        Raises
        ------
        ConfigError
            For an override that cannot be parsed, and for a glob that matches nothing.
        PluginError
            For the latter where a plugin that did not load may have had it.
        """
        from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
        from hydra.core.override_parser.overrides_parser import OverridesParser
        from hydra.errors import HydraException

        try:
            parsed = OverridesParser.create(config_loader=self.loader).parse_overrides(list(overrides))
            jobs = BasicSweeper.split_arguments(parsed, max_batch_size=None)[0]
        except HydraException as error:
            raise ConfigError(COMMAND_LINE, "", "", _first_line(error)) from error
        for override in parsed:
            group = override.get_key_element()
            if override.value() is None and group in self.groups():
                rule = f"names no option of this group; leave it out, or choose among: {', '.join(self.options(group))}"
                raise ConfigError(COMMAND_LINE, group, "null", rule)
            if override.is_sweep_override() and not list(override.sweep_string_iterator()):
                rule = f"matches no option; known: {', '.join(self.options(group))}"
                raise _or_not_loaded(COMMAND_LINE, group, override.get_value_string(), rule)
        return jobs

    def options(self, group: str) -> list[str]:
        """All options of a group over all folders."""
        return sorted({option for folder in self.folders for option in folder.options(group)})

    def compose(self, overrides: Iterable[str]) -> Composed:
        """Compose one config.

        Raises
        ------
        ConfigError
            For an unknown group, option or key, and for everything else that Hydra refuses.
        PluginError
            For an unknown option where a plugin that did not load may have had it.
        """
        from hydra.errors import HydraException, MissingConfigException
        from omegaconf.errors import OmegaConfBaseException

        asked = tuple(overrides)
        try:
            return self._loaded(asked)
        except MissingConfigException as error:
            group, _, option = (error.missing_cfg_file or "").partition("/")
            raise self._unknown_option(group, option, asked) from error
        except (HydraException, OmegaConfBaseException) as error:
            raise self._refused(error, asked) from error
        except ValueError as error:  # an option that Hydra reads as a number or a truth value
            raise self._no_text(error, asked) from error

    def _loaded(self, asked: tuple[str, ...]) -> Composed:
        from hydra.types import RunMode
        from omegaconf import OmegaConf, open_dict

        loaded = self.loader.load_configuration(
            PRIMARY, [*self.hydra_overrides, *asked], run_mode=RunMode.RUN, from_shell=False
        )
        with open_dict(loaded):
            choices = loaded.pop("hydra").runtime.choices
        options = {key: str(value) for key, value in choices.items() if value is not None}
        config = OmegaConf.to_container(loaded, resolve=True)
        assert isinstance(config, dict)
        groups = {key: value for key, value in options.items() if not key.startswith("hydra/")}
        return Composed({str(key): value for key, value in config.items()}, groups, asked, self.folders)

    def _no_text(self, error: ValueError, asked: tuple[str, ...]) -> FtfkitError:
        groups = self.groups()
        for one in asked:
            group, option = group_of(one), value_of(one)
            if group in groups and not inner_key_of(one) and option not in self.options(group):
                return self._unknown_option(group, option, asked)
        return self._refused(error, asked)

    def _unknown_option(self, group: str, option: str, asked: tuple[str, ...]) -> FtfkitError:
        known = self.options(group)
        if not known:
            return _or_not_loaded(COMMAND_LINE, group, option, f"is not a group; known: {', '.join(self.groups())}")
        near = difflib.get_close_matches(option, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        chosen = any(group_of(one) == group and not inner_key_of(one) for one in asked)
        place = COMMAND_LINE if chosen else shown(conf_dir() / "config.yaml")
        return _or_not_loaded(place, group, option, f"is no option of this group; known: {', '.join(known)}{hint}")

    def groups(self) -> list[str]:
        return sorted({group for folder in self.folders for group in folder.groups()})

    def _nearest(self, key: str, choices: Iterable[str]) -> str:
        """Known keys beside an unknown one, on the level where it went wrong, under the options chosen."""
        level = self._settings(choices)
        *above, last = key.split(".")
        for depth, part in enumerate(above):
            if not isinstance(level, Mapping) or part not in level:
                above, last = above[:depth], part
                break
            level = level[part]
        known = [str(name) for name in level] if isinstance(level, Mapping) else []
        taken = _taken(self._settings(choices), above)
        if last in (taken or ()):
            return f" yet; +{key}=VALUE adds it"
        if not above:
            known = sorted({*known, *self.groups()} - {last})  # a group may hold nothing until an option is chosen
        near = difflib.get_close_matches(last, {*known, *(taken or ())}, n=1)
        adds = f"; +{key}=VALUE adds one" if taken is None and above else ""
        hint = f"; did you mean {near[0]!r}?" if near else adds
        inside = f" in {'.'.join(above)}" if above else ""
        return f"; known{inside}: {', '.join(sorted({*known, *(taken or ())}))}{hint}"

    def _settings(self, choices: Iterable[str]) -> Any:
        """Config under these options; empty where they do not compose either: one error at a time is told."""
        from hydra.errors import HydraException
        from omegaconf.errors import OmegaConfBaseException

        try:
            return self._loaded(tuple(choices)).config
        except (HydraException, OmegaConfBaseException):
            return {}

    def _refused(self, error: BaseException, asked: tuple[str, ...]) -> ConfigError:
        text = _first_line(error)
        named = getattr(error, "full_key", None)  # of OmegaConf's errors; Hydra's have none
        for override in asked:
            key = key_of(override)
            if named == key:
                value = value_of(override).replace("\\{", "{").replace("\\}", "}")  # as Hydra's sweeper has them
                rule = f"is not a value: {text.partition(' full_key:')[0]}; in quotes, \\${{ is text and names no key"
                return ConfigError(COMMAND_LINE, key, value, rule)
            if f"'{key}'" in text and "Could not override" in text:
                choices = [one for one in asked if key_of(one) in {*self.groups()} - {key}]
                return ConfigError(COMMAND_LINE, "", "", f"{override}: no such key{self._nearest(key, choices)}")
        if "Could not override" in text and "@" in text:
            text += f"; a file whose defaults override other groups begins with the line {PACKAGE_HEADER!r}"
        return ConfigError(COMMAND_LINE if asked else shown(conf_dir()), "", "", text)


def _taken(config: Any, above: Sequence[str]) -> tuple[str, ...] | None:
    """Keys that the class behind a section takes; None where a key may have any name, or no class is known."""
    from ftfkit.config.meaning import model_of

    if not above:
        return ()
    try:
        model, inside, _ = model_of(config, ".".join(above))
    except (FtfkitError, KeyError, TypeError):
        return None
    return None if model is None or inside else tuple(model.model_fields)


def _or_not_loaded(where: str, group: str, option: str, rule: str) -> FtfkitError:
    """An option that no folder has, with the plugins that may have had it: those left out and those that are broken."""
    plugins = registry()
    error = ConfigError(where, group, option, rule + plugins.absent)
    return PluginError(str(error)) if plugins.broken else error


def composer(config_dirs: Iterable[Path] = ()) -> Composer:
    """Composer over the core's conf folder, every plugin's, and ``config_dirs``."""
    from hydra import version
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra._internal.utils import create_config_search_path
    from hydra.core.utils import JobRuntime

    version.setbase("1.3")
    JobRuntime.instance().set("name", "ftfkit")
    folders = tuple(Path(folder).resolve() for folder in config_dirs)
    search_path = create_config_search_path(str(conf_dir()))
    loader = ConfigLoaderImpl(search_path)
    return Composer(loader, (search_path_of(folders),) if folders else (), folders)


def search_path_of(folders: Iterable[Path]) -> str:
    """Hydra's override for folders given with ``--config-dir``; whatever they are called, each is one entry."""
    return f"{SEARCH_PATH}=[{','.join(quoted_text(f'{SCHEME}{folder}') for folder in folders)}]"


def searched_folders(hydra_overrides: Iterable[str]) -> tuple[Path, ...]:
    """Folders that ``--config-dir`` put on Hydra's search path."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    given = OverridesParser.create().parse_overrides([one for one in hydra_overrides if key_of(one) == SEARCH_PATH])
    return tuple(Path(str(path).removeprefix(SCHEME)) for override in given for path in _listed(override.value()))


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _first_line(error: BaseException) -> str:
    """Hydra's message on one line, with the cause it hides behind ``from``."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    cause = error.__cause__
    if cause is not None and str(cause).strip() and (not lines or str(cause).splitlines()[0] not in lines[0]):
        lines.append(str(cause).splitlines()[0])
    return " ".join(lines[:4]) or type(error).__name__

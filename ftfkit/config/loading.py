"""Overrides through Hydra's loader; what the chosen options come to is remembered, single values are set in it anew."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from ftfkit.config.folders import HYDRA_GROUP, PRIMARY, ConfFolder

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from hydra.core.override_parser.types import Override
    from omegaconf import DictConfig


def load(loader: ConfigLoader, overrides: Sequence[str], folders: Sequence[ConfFolder]) -> DictConfig:
    """One config, Hydra's own section included; the caller's to change.

    A sweep, a lock or a verification composes the same options again and again with other values, and Hydra takes a
    tenth of a second each time to put fifty files together.

    Parameters
    ----------
    loader : ConfigLoader
    overrides : sequence of str
        In order; no sweeps.
    folders : sequence of ConfFolder
        On the loader's search path; a file that changes in one of them is read again.

    Raises
    ------
    HydraException
        For whatever Hydra refuses.
    """
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import ConfigCompositionException
    from omegaconf.errors import OmegaConfBaseException

    choosing, values = _parted(OverridesParser.create().parse_overrides(list(overrides)))
    search_path = tuple((str(one.provider), str(one.path)) for one in loader.get_search_path().get_path())
    loaded: DictConfig = pickle.loads(_chosen(_Choice(choosing, search_path, tuple(_files(folders)), loader)))
    try:
        ConfigLoaderImpl._apply_overrides_to_config(values, loaded)
    except OmegaConfBaseException as error:
        raise ConfigCompositionException from error  # as the loader does where it sets them itself
    return loaded


def _files(folders: Sequence[ConfFolder]) -> Iterator[tuple[str, int]]:
    """Every conf file, and when it was changed."""
    for file in (file for one in folders for file in one.path.rglob("*.yaml")):
        with suppress(OSError):  # gone meanwhile, or the lock of an editor, a link to nowhere
            yield str(file), file.stat().st_mtime_ns


@dataclass(frozen=True)
class _Choice:
    overrides: tuple[str, ...]
    search_path: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, int], ...]
    loader: ConfigLoader = field(compare=False)


@lru_cache(maxsize=64)
def _chosen(choice: _Choice) -> bytes:
    """Pickled, which OmegaConf copies seven times as fast as by its deepcopy."""
    from hydra.types import RunMode

    asked = list(choice.overrides)
    return pickle.dumps(choice.loader.load_configuration(PRIMARY, asked, run_mode=RunMode.RUN, from_shell=False))


def _parted(overrides: Sequence[Override]) -> tuple[tuple[str, ...], list[Override]]:
    """Overrides that may choose options, and those that set a key inside a section and are good to be set last."""
    if _order_matters(overrides):
        return tuple(str(one.input_line) for one in overrides), []
    choosing = tuple(str(one.input_line) for one in overrides if not _is_value(one))
    return choosing, [one for one in overrides if _is_value(one)]


def _order_matters(overrides: Sequence[Override]) -> bool:
    """Whether a value may come to something else when it is set after all that is not one."""
    sections = set()
    for one in overrides:
        key = one.key_or_group
        if _is_value(one):
            sections.add(key.partition(".")[0])
        elif one.is_delete() or one.is_sweep_override() or isinstance(one.value(), dict) or key in sections:
            return True
    return False


def _is_value(override: Override) -> bool:
    key = override.key_or_group
    inside = "." in key and "/" not in key and override.package is None
    return inside and not key.startswith(f"{HYDRA_GROUP}.") and not override.is_sweep_override()

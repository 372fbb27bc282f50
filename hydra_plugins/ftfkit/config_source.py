"""A folder of conf files whose groups list nested options, which glob, completion and --help need."""

from __future__ import annotations

import pickle
from dataclasses import replace
from functools import cache
from pathlib import Path

import yaml
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult

from ftfkit.config.folders import HYDRA_GROUP, PRIMARY, bad_yaml, is_own, load_yaml


class RecursiveFolderSource(FileConfigSource):
    """``ftfkit:///folder``: like Hydra's file source, but ``loss`` lists ``focal/standard`` too, and files are checked.

    Stock Hydra lists one level only, so ``-m 'loss=glob(focal/*)'`` would run no job at all and exit 0.
    """

    @staticmethod
    def scheme() -> str:
        return "ftfkit"

    def load_config(self, config_path: str) -> ConfigResult:
        file = Path(self.path) / self._normalize_file_name(config_path)
        if not file.is_file():
            return super().load_config(config_path)
        read: ConfigResult = pickle.loads(_read(self.path, config_path, file.stat().st_mtime_ns))
        return replace(read, provider=self.provider, path=f"{self.scheme()}://{self.path}")

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        if results_filter == ObjectType.GROUP or config_path in {"", "."}:
            return super().list(config_path, results_filter)
        found = set(super().list(config_path, results_filter))
        root = Path(self.path) / config_path
        if results_filter == ObjectType.CONFIG:
            found |= {file.relative_to(root).with_suffix("").as_posix() for file in root.rglob("*.yaml")}
        return sorted(found)


@cache
def _read(folder: str, config_path: str, modified_ns: int) -> bytes:
    """One file, checked, as a pickled ConfigResult: a run composes several configs from the same fifty files.

    Hydra takes the defaults list out of the config that it is given, so each gets its own, and OmegaConf's deepcopy
    takes seven times as long as unpickling.
    """
    trusted = is_own(folder) and (config_path == PRIMARY or config_path.startswith(f"{HYDRA_GROUP}/"))
    file = Path(folder) / f"{config_path.removesuffix('.yaml')}.yaml"
    if not trusted:
        load_yaml(file)
    try:
        return pickle.dumps(FileConfigSource("", folder).load_config(config_path))
    except yaml.YAMLError as error:  # a key that is there twice, which only Hydra's reader minds
        raise bad_yaml(file, error) from error

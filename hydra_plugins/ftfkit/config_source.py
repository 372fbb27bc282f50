"""A folder of conf files whose groups list nested options, which glob, completion and --help need."""

from __future__ import annotations

from pathlib import Path

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult

from ftfkit.config.folders import HYDRA_GROUP, PRIMARY, is_own, load_yaml


class RecursiveFolderSource(FileConfigSource):
    """``ftfkit:///folder``: like Hydra's file source, but ``loss`` lists ``focal/standard`` too, and files are checked.

    Stock Hydra lists one level only, so ``-m 'loss=glob(focal/*)'`` would run no job at all and exit 0.
    """

    @staticmethod
    def scheme() -> str:
        return "ftfkit"

    def load_config(self, config_path: str) -> ConfigResult:
        file = Path(self.path) / self._normalize_file_name(config_path)
        trusted = is_own(self.path) and (config_path == PRIMARY or config_path.startswith(f"{HYDRA_GROUP}/"))
        if file.exists() and not trusted:
            load_yaml(file)
        return super().load_config(config_path)

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        if results_filter == ObjectType.GROUP or config_path in {"", "."}:
            return super().list(config_path, results_filter)
        found = set(super().list(config_path, results_filter))
        root = Path(self.path) / config_path
        if results_filter == ObjectType.CONFIG:
            found |= {file.relative_to(root).with_suffix("").as_posix() for file in root.rglob("*.yaml")}
        return sorted(found)

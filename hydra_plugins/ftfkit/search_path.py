"""Puts the conf folders of ftfkit's plugins on Hydra's search path; leaves every other Hydra application alone."""

from __future__ import annotations

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from ftfkit.config.folders import conf_folders, is_own


class FtfkitSearchPath(SearchPathPlugin):
    """Active only where the primary config folder is ftfkit's own: Hydra loads this class in every application."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        main = next((item for item in search_path.get_path() if item.provider == "main"), None)
        if main is None or not main.path or not is_own(main.path.removeprefix("file://")):
            return
        core, *others = conf_folders()
        main.path = f"ftfkit://{core.path}"
        for folder in others:
            search_path.append(provider=folder.owner, path=f"ftfkit://{folder.path}")

"""Conformance of an installed plugin package as a whole: it registers, loads, and each of its options composes."""

from __future__ import annotations

from typing import ClassVar

from ftfkit.cli.validate import check_option
from ftfkit.config.compose import composer
from ftfkit.config.folders import ConfFolder
from ftfkit.plugins import registry


class PackageConformance:
    """What ``python -m ftfkit plugins`` and ``validate`` would say of one distribution.

    Attributes
    ----------
    distribution : str
        Name of the installed distribution.
    """

    distribution: ClassVar[str]

    def test_is_registered_and_whole(self) -> None:
        assert self.distribution in {plugin.distribution for plugin in registry().plugins}, registry().broken
        assert not [line for line in registry().problems() if self.distribution in line]

    def test_every_option_composes(self) -> None:
        using = composer()
        for owner, path in registry().conf_folders:
            if owner == self.distribution:
                folder = ConfFolder(owner, path)
                for group in folder.groups():
                    for option in folder.options(group):
                        check_option(using, group, option, [])

"""Packages that are also functions.

``ftfkit.run`` and ``ftfkit.judge`` are the functions of the Python interface, and packages of the same names hold their
parts. Importing a package binds its name in the parent, which would hide the function; so the package answers a call
itself.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


class _CallablePackage(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        interface = importlib.import_module("ftfkit.api")
        return getattr(interface, self.__name__.rpartition(".")[2])(*args, **kwargs)


def answer_calls(package: str) -> None:
    """Let ``package`` be called like the function of ``ftfkit.api`` that has its last name."""
    sys.modules[package].__class__ = _CallablePackage

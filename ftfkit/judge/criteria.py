"""What a run is judged by, from its experiment: the chosen gates, and those computed beside them as advice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftfkit.config.schema import Experiment
from ftfkit.config.sections import GatesConfig, StatsConfig, TrackConfig
from ftfkit.errors import ConfigError
from ftfkit.judge.verdict import ADVICE_GATES, Criteria, Readiness
from ftfkit.plugins import registry

PACKAGE_SCHEME = "pkg://"


def criteria_of(experiment: Experiment) -> Criteria:
    """Gates, statistics and advice of an experiment; advice gates take their default thresholds."""
    plugins = registry(experiment.plugins.blocked)
    beside = [name for name in ADVICE_GATES if name not in experiment.gate_checks]
    return Criteria(
        gates=experiment.gates,
        checks=experiment.gate_checks,
        stats=experiment.stats,
        advice={name: plugins.load("gate_check", name)() for name in beside},
    )


def planned_criteria(document: Mapping[str, Any]) -> Criteria:
    """The same from a plan document, whatever the conf says today.

    Raises
    ------
    PluginError
        When the plugin of a gate check is not installed.
    """
    plugins = registry()
    gates = GatesConfig(**document["gates"])
    beside = [name for name in ADVICE_GATES if name not in gates.checks]
    return Criteria(
        gates=gates,
        checks={name: plugins.load("gate_check", name)(**values) for name, values in gates.checks.items()},
        stats=StatsConfig(**document["stats"]),
        advice={name: plugins.load("gate_check", name)() for name in beside},
    )


def readiness_of(track: TrackConfig | None) -> Readiness:
    """Readiness document of a track; without a track none is expected.

    Raises
    ------
    ConfigError
        When the track names a document that does not exist, or is not text.
    """
    if track is None:
        return Readiness()
    if track.readiness is None:
        return Readiness(expected=True)
    rule = "must be a file, or pkg://PACKAGE/FILE inside an installed package"
    return read_readiness(track.readiness, f"track {track.id}", "track.readiness", rule)


def read_readiness(named: str, where: str, key: str, rule: str = "must be a file") -> Readiness:
    """Readiness document that ``key`` names, by path or by ``pkg://package/file``.

    Raises
    ------
    ConfigError
        With ``rule`` where there is no such file, and when it is not text.
    """
    file = readiness_file(named)
    if not file.is_file():
        raise ConfigError(where, key, named, rule)
    try:
        return Readiness(file.read_text(encoding="utf-8"), expected=True)
    except UnicodeDecodeError as error:
        raise ConfigError(where, key, named, f"must be text in UTF-8: {error.reason}") from error


def readiness_file(named: str) -> Path:
    """Path of a document named by path or by ``pkg://package/file``."""
    if not named.startswith(PACKAGE_SCHEME):
        return Path(named)
    from importlib.util import find_spec

    package, _, inside = named.removeprefix(PACKAGE_SCHEME).partition("/")
    spec = find_spec(package.replace("-", "_"))
    folder = Path(next(iter((spec and spec.submodule_search_locations) or [package])))
    installed = folder / inside
    return installed if installed.exists() else folder.parent / inside  # a checkout keeps it beside the package

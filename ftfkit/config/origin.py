"""Who set a value of a composed experiment: the command line, or a file of a conf folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ftfkit.config.compose import COMMAND_LINE, Composed
from ftfkit.config.folders import conf_folders, shown
from ftfkit.config.planned import given_beside
from ftfkit.config.schema import Experiment, Spec
from ftfkit.errors import UNPLACED, ConfigError


def place_of(experiment: Experiment, dotted: str, spec: Spec | None = None) -> str:
    """File and line that set ``dotted`` (``store.url``), or ``command line``, or the plan file with its overrides.

    Options are those of ``spec``, or else of the baseline.
    """
    folders = conf_folders(extra=tuple(map(Path, experiment.config_dirs)))
    options = (spec or experiment.baseline.spec).options
    place = Composed({}, options, experiment.overrides, folders).where(dotted)
    if place != COMMAND_LINE or experiment.plan is None:
        return place
    given = Composed({}, options, given_beside(experiment.plan, experiment.overrides), folders)
    return place if given.touched_on_command_line(dotted) else shown(Path(experiment.plan))


@contextmanager
def placed(experiment: Experiment, spec: Spec | None = None) -> Iterator[None]:
    """Name who set the value that is refused inside, where the code that refuses it could not."""
    try:
        yield
    except ConfigError as error:
        if error.where != UNPLACED:
            raise
        raise error.placed(place_of(experiment, error.key, spec)) from error

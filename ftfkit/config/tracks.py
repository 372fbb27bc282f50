"""What a track declares: the options of each factor group that are its variants."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from ftfkit.config.build import validated
from ftfkit.config.compose import COMMAND_LINE, PACKAGE_HEADER, Composed
from ftfkit.config.overrides import about
from ftfkit.config.schema import FACTOR_GROUPS
from ftfkit.config.sections import TrackConfig
from ftfkit.errors import ConfigError


def track_of(composed: Composed) -> TrackConfig | None:
    """The track that was chosen, validated; None without one."""
    track = composed.config.get("track")
    if track and "track" in track:
        rule = f"must begin with the line {PACKAGE_HEADER!r}, since `track:` stands at the top of the config"
        raise ConfigError(composed.where("track"), "", "", rule)
    return validated(composed, "track", track, TrackConfig, "ftfkit") if track else None


def check_track(composed: Composed) -> None:
    """Refuse a track that is not valid, before anything stands on the variants that it declares."""
    track_of(composed)


def track_variants(first: Composed, jobs: list[list[str]]) -> tuple[list[list[str]], set[str]]:
    """Multiply the jobs by the variants the track declares; a group given on the command line replaces the track's.

    Returns
    -------
    tuple of list and set
        The jobs, and the factor groups whose options come from the track.
    """
    track = track_of(first)
    declared = track.variants if track else {}
    known = set(declared) & set(FACTOR_GROUPS)
    if known != set(declared):
        odd = sorted(set(declared) - known)[0]
        rule = f"is not a factor group; known: {', '.join(FACTOR_GROUPS)}"
        raise ConfigError(first.where(f"track.variants.{odd}"), "track.variants", odd, rule)
    open_groups = [group for group in FACTOR_GROUPS if group in declared and not about(jobs[0], group)]
    if not open_groups:
        return jobs, set()
    products = itertools.product(*(declared[group] for group in open_groups))
    added = [[f"{group}={option}" for group, option in zip(open_groups, choice, strict=True)] for choice in products]
    return [[*job, *extra] for job in jobs for extra in added], set(open_groups)


@contextmanager
def by_track(first: Composed, groups: Collection[str]) -> Iterator[None]:
    """Name the track's file for an option that is refused inside, where the track is who asks for it."""
    try:
        yield
    except ConfigError as error:
        if error.where != COMMAND_LINE or error.key not in groups:
            raise
        raise error.placed(first.where(f"track.variants.{error.key}")) from error

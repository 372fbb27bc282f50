"""What each label bar looks like from inside; one value a label bar, NaN where its native bars are not all there."""

from __future__ import annotations

import numpy as np

from ftfkit.extending import Columns
from ftfkit_track12_finer_bars.inside import Inside


def variation(inside: Inside) -> Columns:
    """Sums over the native returns of each label bar, from which realised measures of any window are made.

    ``variance`` is realised variance, ``bipower`` bipower variation in its finite-sample form, ``cubes`` the sum of
    third powers, ``downside`` the part of the variance that falls on falling bars, ``products`` the sum of neighbouring
    returns' products, scaled like ``bipower`` to as many terms as there are returns.

    References
    ----------
    Barndorff-Nielsen and Shephard (2004), doi:10.1093/jjfinec/nbh001, for bipower variation.
    """
    step = inside.step
    size = np.abs(step)
    per_pair = inside.n_inside / (inside.n_inside - 1)
    return {
        "variance": (step**2).sum(axis=1),
        "bipower": np.pi / 2 * per_pair * (size[:, 1:] * size[:, :-1]).sum(axis=1),
        "cubes": (step**3).sum(axis=1),
        "downside": (np.minimum(step, 0) ** 2).sum(axis=1),
        "products": per_pair * (step[:, 1:] * step[:, :-1]).sum(axis=1),
    }


def realised(total: Columns, n_returns: int) -> Columns:
    """Realised measures of windows that hold ``n_returns`` native returns, from their sums (see ``variation``).

    References
    ----------
    Amaya, Christoffersen, Jacobs and Vasquez (2015), doi:10.1016/j.jfineco.2015.02.009, for realised skewness.
    """
    variance = total["variance"]
    return {
        "skew": np.sqrt(n_returns) * total["cubes"] / variance**1.5,
        "downside_share": total["downside"] / variance,
        "jump_share": np.maximum(1 - total["bipower"] / variance, 0),
        "autocorrelation": total["products"] / variance,
    }


def path(inside: Inside) -> Columns:
    """How price went through the label bar: efficiency, when its extremes came, worst fall and best rise."""
    steps = inside.step
    level = np.column_stack([np.zeros(len(steps)), np.cumsum(steps, axis=1)])
    last = inside.n_inside - 1
    whole = np.isfinite(steps[:, 0])
    return {
        "path_efficiency": np.abs(level[:, -1]) / np.abs(steps).sum(axis=1),
        "high_position": np.where(whole, np.argmax(inside.high, axis=1) / last, np.nan),
        "low_position": np.where(whole, np.argmin(inside.low, axis=1) / last, np.nan),
        "drawdown": (np.maximum.accumulate(level, axis=1) - level).max(axis=1),
        "runup": (level - np.minimum.accumulate(level, axis=1)).max(axis=1),
    }


def volume_profile(inside: Inside) -> Columns:
    """How volume was spread over the label bar and over its range; NaN in a bar without volume."""
    share = inside.volume / inside.volume.sum(axis=1, keepdims=True)
    highest, lowest = (edge[:, None] for edge in (inside.high.max(axis=1), inside.low.min(axis=1)))
    location = (2 * inside.close - highest - lowest) / (highest - lowest)
    even = 1 / inside.n_inside
    return {
        "volume_concentration": ((share**2).sum(axis=1) - even) / (1 - even),
        "volume_location": (share * location).sum(axis=1),
        "last_volume_share": share[:, -1],
        "signed_volume": (share * np.sign(inside.step)).sum(axis=1),
    }

"""What a leader asset has done, and how the own asset moves with it."""

from __future__ import annotations

import numpy as np

from ftfkit.extending import Columns, trailing
from ftfkit.types import Bars
from ftfkit_track01_market_context.alignment import Alignment
from ftfkit_track01_market_context.series import Column, by_segment, correlation, covariance, log_steps

Windows = tuple[int, int, int]  # short, medium, long, in label bars


def leader_columns(own: Bars, leader: Alignment, windows: Windows) -> Columns:
    """Features of one leader on the own label bars.

    Parameters
    ----------
    own : Bars
        Label bars of the asset.
    leader : Alignment
        Label bars of the leader, aligned with ``own``.
    windows : tuple of int
        Short, medium and long window, in label bars.
    """
    alone = by_segment(leader.other, lambda segment: _alone(segment, windows))
    return {
        **{name: leader.known(column) for name, column in alone.items()},
        **_together(log_steps(own), leader.paired_steps(), windows),
    }


def _alone(segment: Bars, windows: Windows) -> Columns:
    """The leader by itself, on its own bars of one gap-free segment."""
    short, medium, long = windows
    step = log_steps(segment)
    quick, slow = (trailing(step, n).std(axis=1) for n in (short, medium))
    usual_volume = trailing(segment.volume, medium).mean(axis=1)
    return {
        **{f"return_{n}": trailing(step, n).sum(axis=1) for n in (1, *windows)},
        f"volatility_{medium}": slow,
        f"volatility_ratio_{short}_{medium}": quick / slow,
        f"drawdown_{long}": np.log(segment.close / trailing(segment.high, long).max(axis=1)),
        f"volume_ratio_{medium}": np.log(segment.volume / usual_volume),
    }


def _together(own: Column, leader: Column, windows: Windows) -> Columns:
    """Own and leader's paired steps: relative strength, co-movement, what is left without it, and who leads."""
    short, medium, long = windows
    before = np.append(np.nan, leader[:-1])[: len(leader)]
    beta = np.asarray(covariance(own, leader, long) / covariance(leader, leader, long))
    return {
        **{f"relative_return_{n}": trailing(own - leader, n).sum(axis=1) for n in windows},
        **{f"correlation_{n}": correlation(own, leader, n) for n in (medium, long)},
        f"beta_{long}": beta,
        **{f"residual_return_{n}": _residual(own, leader, beta, n) for n in (1, short, medium)},
        f"lead_correlation_{long}": correlation(own, before, long),
    }


def _residual(own: Column, leader: Column, beta: Column, n: int) -> Column:
    """Own return of ``n`` bars beyond what beta gives it of the leader's."""
    return np.asarray(trailing(own, n).sum(axis=1) - beta * trailing(leader, n).sum(axis=1))

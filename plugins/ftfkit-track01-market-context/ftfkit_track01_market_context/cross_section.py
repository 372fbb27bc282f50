"""Where the asset stands among the assets of its universe, and how these move together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ftfkit.extending import Columns, trailing
from ftfkit.types import Bars
from ftfkit_track01_market_context.alignment import Alignment
from ftfkit_track01_market_context.series import Column, correlation, log_steps


def cross_section_columns(
    own: Bars, others: Sequence[Alignment], horizons: Sequence[int], correlation_bars: Sequence[int], min_assets: int
) -> Columns:
    """Features of the cross-section on the own label bars.

    Parameters
    ----------
    own : Bars
        Label bars of the asset.
    others : sequence of Alignment
        The other assets of the universe, aligned with ``own``.
    horizons : sequence of int
        Horizons of returns, label bars.
    correlation_bars : sequence of int
        Windows of the mean correlation with the others, label bars.
    min_assets : int
        How many assets, the own one included, must be known; NaN where they are fewer.
    """
    own_step = log_steps(own)
    steps = [log_steps(other.other) for other in others]
    columns: dict[str, Column] = {}
    for n in horizons:
        returns = [other.known(trailing(step, n).sum(axis=1)) for other, step in zip(others, steps, strict=True)]
        standing = _standing(trailing(own_step, n).sum(axis=1), returns, min_assets)
        columns |= {f"{name}_{n}": column for name, column in standing.items()}
    paired = [other.paired_steps() for other in others]
    for n in correlation_bars:
        pairs = [correlation(own_step, step, n) for step in paired]
        columns[f"correlation_{n}"] = _mean(pairs, len(own), min_assets - 1)
    return columns


def _standing(own: Column, others: Sequence[Column], min_assets: int) -> Columns:
    """Rank, relative strength, mean, dispersion and breadth of one horizon's returns."""
    assets = [own, *(np.where(np.isfinite(own), other, np.nan) for other in others)]
    centre = _mean(assets, len(own), min_assets)
    squares = [(one - centre) ** 2 for one in assets]
    rising = [np.where(np.isfinite(one), one > 0, np.nan) for one in assets]
    beaten = [np.where(np.isfinite(one), (one < own) + 0.5 * (one == own), np.nan) for one in assets[1:]]
    market = _mean(assets[1:], len(own), min_assets - 1)
    return {
        "rank": _mean(beaten, len(own), min_assets - 1),
        "relative_return": own - market,
        "return": market,
        "dispersion": np.sqrt(_mean(squares, len(own), min_assets)),
        "breadth": _mean(rising, len(own), min_assets),
    }


def _mean(columns: Sequence[Column], n_rows: int, min_known: int) -> Column:
    """Mean over the columns that are finite at each row, NaN where they are fewer than ``min_known``.

    Added column by column, so that a row's value does not depend on how many rows there are.
    """
    total, n_known = np.zeros(n_rows), np.zeros(n_rows)
    for column in columns:
        finite = np.isfinite(column)
        total += np.where(finite, column, 0.0)
        n_known += finite
    return np.where(n_known >= min_known, total / n_known, np.nan)

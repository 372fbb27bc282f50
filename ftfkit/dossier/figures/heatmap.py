"""Heatmap of the mean paired delta by asset and variant."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ftfkit.dossier.figures import style
from ftfkit.dossier.text import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

_MOST_LABELS = 45  # of assets on the axis
_MOST_NUMBERS = 80  # cells that still carry their figure


def heatmap(delta: pd.DataFrame, required_lift: float, metric: str, mark: str) -> bytes:
    """PNG of mean deltas, orange for a loss, purple for a gain, grey where there is none.

    Parameters
    ----------
    delta : DataFrame of float, shape (n_assets, n_variants)
        Mean over folds; NaN where undefined. Above 45 assets they are sorted by their mean over variants.
    required_lift : float
        The palette spans at least this much, so that small changes look small.
    metric, mark : str
        Parts of the title.
    """
    many = len(delta) > _MOST_LABELS
    if many:
        delta = delta.loc[delta.mean(axis=1).sort_values(kind="stable").index]
    width = min(20.0, max(6.4, 2.6 + 0.62 * delta.shape[1]))
    height = min(13.0, 2.2 + (0.05 if many else 0.27) * len(delta) + (1.2 if _upright(_names(delta)) else 0))
    with style.look():
        figure = style.new_figure(width, height)
        axes = figure.add_subplot()
        values = delta.to_numpy(dtype=float)
        limit = float(max(required_lift, *np.abs(values[np.isfinite(values)]), 0.0))
        image = axes.imshow(values, cmap=_palette(), vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest")
        _ticks(axes, delta)
        if values.size <= _MOST_NUMBERS:
            _numbers(axes, values, limit)
        order = ", assets sorted by mean" if many else ""
        axes.set_title(f"Mean change of {metric} by asset and variant{order}{mark}", wrap=True)
        axes.spines[:].set_visible(False)
        figure.colorbar(image, ax=axes, aspect=6 * height, pad=0.02, format="%+.3f", label=f"Δ {metric}")
        return style.png(figure)


def _palette() -> Colormap:
    from matplotlib import colormaps

    return colormaps["PuOr"].with_extremes(bad="#C8C8C8")  # diverging, colour-blind safe, pale at 0


def _ticks(axes: Axes, delta: pd.DataFrame) -> None:
    rows, columns = delta.shape
    step = max(1, ceil(rows / _MOST_LABELS))
    axes.set_yticks(range(0, rows, step), [style.short(str(name), 24) for name in delta.index[::step]])
    names = _names(delta)
    axes.set_xticks(range(columns), names)
    if _upright(names):
        axes.tick_params(axis="x", rotation=90)
    axes.tick_params(length=0)


def _names(delta: pd.DataFrame) -> list[str]:
    return [style.short(str(name), 28) for name in delta.columns]


def _upright(names: list[str]) -> bool:
    return len(names) > 6 or max(map(len, names)) > 16


def _numbers(axes: Axes, values: np.ndarray, limit: float) -> None:
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            color = "white" if abs(value) > 0.65 * limit else style.BLACK
            axes.text(column, row, number(value, signed=True), ha="center", va="center", fontsize=8, color=color)

"""Reliability diagram: predicted probability against observed BUY frequency."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ftfkit.dossier.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS = 12
_BINS = 10


def reliability(predictions: pd.DataFrame, variants: list[str], mark: str) -> bytes:
    """PNG with a panel a variant: raw and calibrated probabilities in ten equal-count bins, pooled over cells.

    Parameters
    ----------
    predictions : DataFrame
        Test events with columns variant, y (0 or 1), proba, calibrated.
    variants : list of str
        Panels in order; those beyond twelve are left out.
    mark : str
        Part of the title.
    """
    shown = variants[:MOST_PANELS]
    columns = min(4, len(shown))
    rows = ceil(len(shown) / columns)
    top = float(predictions[["proba", "calibrated"]].max().max())
    with style.look():
        figure = style.new_figure(max(5.4, 2.7 * columns), 2.7 * rows + 0.8)
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for axes, variant in zip(grid.flat, shown, strict=False):
            _panel(axes, predictions[predictions["variant"] == variant], top)
            axes.set_title(style.short(variant, 24), fontsize=9)
        for axes in grid.flat[len(shown) :]:
            axes.set_visible(False)
        grid[0, 0].legend(loc="upper left", fontsize=8)
        rest = f", {len(variants) - len(shown)} more not shown" if len(variants) > len(shown) else ""
        figure.suptitle(f"Reliability on test events{rest}{mark}", x=0.01, ha="left", fontsize=11)
        figure.supxlabel("mean predicted probability", fontsize=9)
        figure.supylabel("observed BUY frequency", fontsize=9)
        return style.png(figure)


def bins(proba: npt.NDArray[np.floating], y: npt.NDArray[np.integer]) -> tuple[npt.NDArray[np.float64], ...]:
    """Mean probability and BUY frequency of equal-count bins of the sorted probabilities; fewer bins for few events."""
    order = np.argsort(proba, kind="stable")
    groups = [group for group in np.array_split(order, _BINS) if len(group)]
    return np.array([proba[g].mean() for g in groups]), np.array([y[g].mean() for g in groups])


def _panel(axes: Axes, rows: pd.DataFrame, top: float) -> None:
    axes.plot([0, 1], [0, 1], color=style.GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    y = rows["y"].to_numpy()
    for column, color, marker in (("proba", style.ORANGE, "s"), ("calibrated", style.BLUE, "o")):
        label = "raw" if column == "proba" else "calibrated"
        axes.plot(
            *bins(rows[column].to_numpy(), y), color=color, marker=marker, markersize=4, linewidth=1.2, label=label
        )
    axes.set_xlim(0, min(1.0, 1.08 * top))
    axes.set_ylim(0, min(1.0, 1.08 * top))
    axes.grid(color="#E5E5E5", linewidth=0.7)

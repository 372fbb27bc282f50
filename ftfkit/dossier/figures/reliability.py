"""Reliability diagram: predicted probability against observed BUY frequency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from ftfkit.dossier.figures import style
from ftfkit.types import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS = 12
MOST_COLUMNS = 4
_Z = NormalDist().inv_cdf(0.975)
FEWEST_EVENTS = 20  # in a bin that is drawn


@dataclass(frozen=True, eq=False)
class ReliabilityBins:
    """Test events of one variant in bins of probability: how many, their summed probability, how many were BUY."""

    n: FloatArray
    proba: FloatArray
    buys: FloatArray

    @property
    def curve(self) -> tuple[FloatArray, FloatArray]:
        """Mean probability and BUY frequency of the bins with at least 20 events."""
        drawn = self.n >= FEWEST_EVENTS
        return self.proba[drawn] / self.n[drawn], self.buys[drawn] / self.n[drawn]

    @property
    def interval(self) -> tuple[FloatArray, FloatArray]:
        """Wilson's CI95 of each frequency of the curve, as if events were independent."""
        drawn = self.n >= FEWEST_EVENTS
        n, share = self.n[drawn], self.buys[drawn] / self.n[drawn]
        middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
        return middle - half, middle + half


def reliability(variants: Mapping[str, Mapping[str, ReliabilityBins]], mark: str) -> bytes:
    """PNG with a panel a variant; probabilities pooled over cells, calibrated ones where there are any.

    Parameters
    ----------
    variants : mapping of str to mapping of {"raw", "calibrated"} to ReliabilityBins
        Panels in order, of equal rows as far as possible; those beyond twelve are left out.
    mark : str
        Part of the title.
    """
    shown = dict(list(variants.items())[:MOST_PANELS])
    rows = ceil(len(shown) / MOST_COLUMNS)
    columns = ceil(len(shown) / rows)
    drawn = [bins for panel in shown.values() for bins in panel.values()]
    ends = [axis for bins in drawn for axis in (bins.curve[0], bins.interval[1]) if len(axis)]
    top = min(1.0, 1.08 * max([0.1, *(float(np.max(axis)) for axis in ends)]))
    with style.look():
        figure = style.new_figure(max(5.4, 2.7 * columns), 2.7 * rows + 0.8)
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for axes, (variant, panel) in zip(grid.flat, shown.items(), strict=False):
            _panel(axes, panel, top)
            axes.set_title(f"{style.short(variant, 24)}\nn = {panel['raw'].n.sum():,.0f}", fontsize=9)
        for axes in grid.flat[len(shown) :]:
            axes.set_visible(False)
        fullest = max(range(len(shown)), key=lambda place: len(list(shown.values())[place]))
        grid.flat[fullest].legend(loc="upper left", fontsize=8)
        figure.suptitle(f"Reliability on test events{_left_out(variants)}{mark}", x=0.01, ha="left", fontsize=11)
        bins = f"bins of at least {FEWEST_EVENTS} test events; bars: CI95 as if events were independent"
        figure.supxlabel(f"mean predicted probability\n({bins})", fontsize=9)
        figure.supylabel("observed BUY frequency", fontsize=9)
        return style.png(figure)


def _panel(axes: Axes, panel: Mapping[str, ReliabilityBins], top: float) -> None:
    axes.plot([0, 1], [0, 1], color=style.GREY, linewidth=0.9, linestyle=(0, (4, 3)), label="ideal")
    for (name, bins), (color, marker) in zip(panel.items(), _LINES, strict=False):
        axes.vlines(bins.curve[0], *bins.interval, color=color, linewidth=0.8, alpha=0.6)
        axes.plot(*bins.curve, color=color, marker=marker, markersize=4, linewidth=1.2, label=name)
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    axes.tick_params(labelbottom=True)  # also above an empty place of the grid
    axes.grid(color="#E5E5E5", linewidth=0.7)


def _left_out(variants: Mapping[str, object]) -> str:
    return f", {len(variants) - MOST_PANELS} more not shown" if len(variants) > MOST_PANELS else ""


_LINES = ((style.ORANGE, "s"), (style.BLUE, "o"))

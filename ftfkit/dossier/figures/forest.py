"""Forest plot of the paired deltas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ftfkit.dossier.figures import style
from ftfkit.types import VariantVerdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D


def forest(verdicts: Sequence[VariantVerdict], required_lift: float, mark: str) -> bytes:
    """PNG with one line a variant: mean, bootstrap CI95 (thick), Nadeau-Bengio CI95 (thin), the required lift.

    Parameters
    ----------
    verdicts : sequence of VariantVerdict
        Top to bottom.
    required_lift : float
    mark : str
        Printed in the title (synthetic, post hoc); empty for none.
    """
    with style.look():
        figure = style.new_figure(8.2, 1.7 + 0.3 * len(verdicts))
        axes = figure.add_subplot()
        for position, verdict in enumerate(verdicts):
            _line(axes, position, verdict)
        axes.axvline(0, color=style.BLACK, linewidth=0.9, zorder=1)
        axes.axvline(required_lift, color=style.GREEN, linewidth=1.2, linestyle=(0, (5, 3)), zorder=1)
        axes.set_yticks(range(len(verdicts)), [f"{style.short(v.variant)}  {v.verdict}" for v in verdicts])
        axes.set_ylim(len(verdicts) - 0.4, -0.6)
        metric = verdicts[0].comparison.metric
        axes.set_xlabel(f"paired change of {metric} against the baseline (n = {_pairs(verdicts)} pairs)")
        figure.suptitle(f"Change of {metric} by variant{mark}", x=0.01, ha="left", fontsize=11)
        axes.grid(axis="x", color="#E5E5E5", linewidth=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        handles = _legend(required_lift)
        figure.legend(handles=handles, loc="outside lower left", ncols=len(handles), columnspacing=1.4)
        return style.png(figure)


def _line(axes: Axes, position: int, verdict: VariantVerdict) -> None:
    c = verdict.comparison
    for interval, width, color in ((c.nadeau_bengio.ci95, 1.2, style.BLUE), (c.ci95, 4.5, style.ORANGE)):
        low, high = interval
        if low is not None and high is not None:
            axes.plot([low, high], [position, position], color=color, linewidth=width, solid_capstyle="butt", zorder=2)
    if c.mean is not None:
        axes.plot(c.mean, position, "D", color="white", markeredgecolor=style.BLACK, markersize=5.5, zorder=3)


def _pairs(verdicts: Sequence[VariantVerdict]) -> str:
    found = sorted({verdict.comparison.n_pairs for verdict in verdicts})
    return str(found[0]) if len(found) == 1 else f"{found[0]} to {found[-1]}"


def _legend(required_lift: float) -> list[Line2D]:
    from matplotlib.lines import Line2D

    return [
        Line2D(
            [], [], marker="D", linestyle="", color="white", markeredgecolor=style.BLACK, markersize=5.5, label="mean"
        ),
        Line2D([], [], color=style.ORANGE, linewidth=4.5, label="bootstrap CI95"),
        Line2D([], [], color=style.BLUE, linewidth=1.2, label="Nadeau-Bengio CI95"),
        Line2D([], [], color=style.GREEN, linestyle=(0, (5, 3)), label=f"required lift {required_lift:+.4g}"),
    ]

"""One look for all figures, and PNG bytes that depend on nothing but the data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito (2008), "Color Universal Design": told apart under the common colour-vision deficiencies.
BLUE, ORANGE, GREEN, GREY, BLACK = "#0072B2", "#D55E00", "#009E73", "#8A8A8A", "#222222"
_LOOK: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # shipped with matplotlib, so the same on every machine
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "figure.facecolor": "white",
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "legend.frameon": False,
}


@contextmanager
def look() -> Iterator[None]:
    """The style of every figure, whatever the user's matplotlibrc says."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_LOOK)
        yield


def new_figure(width: float, height: float) -> Figure:
    """Figure outside pyplot: no global state, no display, Agg when saved as PNG."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def png(figure: Figure) -> bytes:
    """PNG without software name or time."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=130, metadata={"Software": None})
    return buffer.getvalue()


def short(name: str, limit: int = 36) -> str:
    """Name that fits an axis, shortened in its middle: long names tend to differ at their end."""
    line = " ".join(name.split())
    head = limit // 3
    return line if len(line) <= limit else f"{line[:head]}…{line[head + 1 - limit :]}"

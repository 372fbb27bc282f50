"""Tables and the one way numbers are printed in a dossier."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

NOT_AVAILABLE = "n/a"


@dataclass(frozen=True)
class Table:
    """A table of finished strings; the first ``n_text`` columns hold text, the others numbers (aligned right).

    The headings are a line of text: the first begins with a capital, of the others only names do.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n_text: int = 1
    note: str = ""

    def __bool__(self) -> bool:
        return bool(self.rows)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], n_text: int = 1, note: str = "") -> Table:
    """Build a table; a missing first column makes it empty, never ragged."""
    return Table(tuple(columns), tuple(tuple(row) for row in rows), n_text, note)


def missing(value: Any) -> bool:
    """Whether a figure is null, NaN or infinite."""
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def number(value: Any, digits: int = 4, signed: bool = False) -> str:
    """Fixed-point figure; ``n/a`` where it is undefined, no minus before a rounded zero."""
    if missing(value):
        return NOT_AVAILABLE
    text = f"{float(value):{'+' if signed else ''}.{digits}f}"
    return text.replace("-", "+" if signed else "") if float(text) == 0 else text


def p_value(value: Any) -> str:
    """Four decimals, or three significant digits in scientific notation below .001."""
    if missing(value):
        return NOT_AVAILABLE
    return f"{value:.2e}" if 0 < value < 1e-3 else f"{value:.4f}"


def count(value: Any) -> str:
    """Whole number with thousands separators; one decimal where it is a mean."""
    if missing(value):
        return NOT_AVAILABLE
    return f"{int(value):,}" if float(value).is_integer() else f"{value:,.1f}"


def percent(value: Any, digits: int = 1) -> str:
    """Fraction in [0, 1] as a percentage."""
    return NOT_AVAILABLE if missing(value) else f"{100 * float(value):.{digits}f} %"


def compact(value: Any) -> str:
    """Shortest faithful figure, for parameters and thresholds; other values as they print."""
    if value is None:
        return NOT_AVAILABLE
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else NOT_AVAILABLE
    if isinstance(value, list | tuple):
        return ", ".join(map(compact, value))
    return str(value)


def listed(names: Iterable[str], limit: int = 12) -> str:
    """Names joined with commas, the rest counted beyond ``limit``."""
    names = list(names)
    rest = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + rest


def moment(iso: object) -> str:
    """ISO 8601 time in UTC to the minute."""
    return str(iso)[:16].replace("T", " ")


def assignments(values: Any) -> str:
    """``key=value`` pairs of a mapping, in its order."""
    return ", ".join(f"{key}={compact(value)}" for key, value in dict(values).items())

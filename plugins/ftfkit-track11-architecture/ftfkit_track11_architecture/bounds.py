"""What a library takes for the parameters of a model, so that a config is refused and not every cell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from ftfkit.components import SearchRange


class Bounds(NamedTuple):
    """Values of one parameter that a library takes.

    Attributes
    ----------
    low, high : float
        Smallest and largest value; ``low`` itself is none of them where ``above`` is set.
    whole : bool
        Whether it must be an integer.
    """

    low: float
    high: float = math.inf
    above: bool = False
    whole: bool = False

    def problem(self, given: float | SearchRange) -> str | None:
        """The rule that a value, or either end of a range, breaks."""
        ends = (given.low, given.high) if isinstance(given, SearchRange) else (given, given)
        if self.whole and not (given.kind == "int" if isinstance(given, SearchRange) else isinstance(given, int)):
            return "must be an integer"
        if (ends[0] <= self.low if self.above else ends[0] < self.low) or ends[1] > self.high:
            return f"must be {self}"
        return None

    def __str__(self) -> str:
        if self.high == math.inf:
            return f"{'>' if self.above else '>='} {self.low:g}"
        return f"in {'(' if self.above else '['}{self.low:g}, {self.high:.10g}]"


POSITIVE = Bounds(0, above=True)
NOT_NEGATIVE = Bounds(0)
SHARE = Bounds(0, 1, above=True)


def check_parameters(
    values: Mapping[str, float | SearchRange], known: Mapping[str, Bounds]
) -> Mapping[str, float | SearchRange]:
    """Refuse parameter names that the library would ignore, and values that it would not take.

    Raises
    ------
    ValueError
        Fit for a pydantic validator.
    """
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ValueError(f"{', '.join(unknown)} must be among {', '.join(sorted(known))}")
    for name, given in values.items():
        problem = known[name].problem(given)
        if problem:
            raise ValueError(f"{name} {problem}")
    return values

"""Gate: the trades do not get worse."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.types import ROUNDING, GateResult

MOST_DIGITS = 10  # of a figure that just fails: enough for what ROUNDING lets fail


class JointMetric(GateCheck):
    """PASS iff expectancy and Sortino do not fall and drawdown does not grow beyond a bound.

    Each figure is the mean over assets of per-asset mean deltas.

    Attributes
    ----------
    max_drawdown_increase_pct : float
        Growth of the maximal drawdown that is allowed, in points of percent.
    """

    max_drawdown_increase_pct: float = Field(default=1.0, ge=0)

    requires: ClassVar[tuple[str, ...]] = ("expectancy_bps", "sortino", "max_drawdown_pct")

    def check(self, evidence: GateEvidence) -> GateResult:
        columns = list(self.requires)
        delta = evidence.rows[columns] - evidence.baseline_rows[columns]
        means = delta.groupby(evidence.rows["asset"]).mean().mean()
        expectancy, sortino, drawdown = (float(means[column]) for column in columns)
        bound = self.max_drawdown_increase_pct
        passed = expectancy >= -ROUNDING and sortino >= -ROUNDING and drawdown <= bound + ROUNDING
        told = (_told(-expectancy, 0.0, 2, -1), _told(-sortino, 0.0, 3, -1), _told(drawdown, bound, 2))
        return GateResult(
            "PASS" if passed else "FAIL",
            observed="{} bps, {}, {} pct".format(*told),
            threshold=f">= 0 bps, >= 0, <= {bound:+g} pct",
            unit="delta expectancy_bps, sortino, max_drawdown_pct",
            reason="delta expectancy {} bps, sortino {}, max drawdown {} pct".format(*told),
        )


def _told(value: float, most: float, digits: int, sign: int = 1) -> str:
    """``sign * value``, with the digits that it takes to see that ``value`` is above ``most``, where it is."""
    text = f"{sign * value:+.{digits}f}"
    while value > most + ROUNDING and sign * float(text) <= most and digits < MOST_DIGITS:
        digits += 1
        text = f"{sign * value:+.{digits}f}"
    return text

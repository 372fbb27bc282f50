"""Gate: the lift survives a test that knows assets move together."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.types import ROUNDING, FoldTest, GateResult


class Dependence(GateCheck):
    """PASS iff the mean fold lift is above 0 and significant over the family by the chosen test on fold means.

    ``fold_t`` is the choice where training sets do not overlap.

    Attributes
    ----------
    test : {"nadeau_bengio", "fold_t"}
        Corrected resampled t, or plain t on the fold means.
    alpha : float
        The two-sided p over the family must lie below it.
    """

    test: Literal["nadeau_bengio", "fold_t"] = "nadeau_bengio"
    alpha: float = Field(default=0.05, gt=0, lt=0.5)

    requires: ClassVar[tuple[str, ...]] = ("f1_buy",)
    compares_f1: ClassVar[bool] = True

    def check(self, evidence: GateEvidence) -> GateResult:
        both = {"nadeau_bengio": evidence.comparison.nadeau_bengio, "fold_t": evidence.comparison.fold_t}
        chosen, mean = both[self.test], evidence.comparison.mean
        if chosen.p_bh is None or mean is None:
            return GateResult("ERROR", threshold=self.alpha, unit="p_bh", reason="a test on folds needs two folds")
        told = ", ".join(f"{name} {_describe(test)}" for name, test in both.items())
        reason = f"mean fold lift {mean:+.4f}; {told}; decided by {self.test} < {self.alpha:g}"
        passed = mean > ROUNDING and chosen.p_bh < self.alpha
        return GateResult("PASS" if passed else "FAIL", chosen.p_bh, self.alpha, "p_bh", reason)


def _describe(test: FoldTest) -> str:
    return "p_bh undefined" if test.p_bh is None else f"p_bh {test.p_bh:.3g}"

"""Payloads of judging: gate results, comparisons, verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

GateStatus = Literal["PASS", "FAIL", "ERROR", "NOT_APPLICABLE"]
VerdictName = Literal["LOCK", "ABANDON", "INCONCLUSIVE", "INCOMPLETE"]

ROUNDING = 1e-12  # decimal figures are not exact in binary: a bound is met when missed by no more than this


@dataclass(frozen=True)
class GateResult:
    """Outcome of one gate check for one variant."""

    status: GateStatus
    observed: float | str | None = None
    threshold: float | str | None = None
    unit: str = ""
    reason: str = ""


@dataclass(frozen=True)
class FoldTest:
    """A t test on fold means; None where it is undefined."""

    t: float | None
    df: int
    p: float | None
    p_bh: float | None
    ci95: tuple[float | None, float | None]


@dataclass(frozen=True)
class Comparison:
    """One variant against the baseline on paired rows (DEFINITIONS, "Comparison")."""

    metric: str
    n_pairs: int
    mean: float | None
    ci95: tuple[float | None, float | None]
    d_z: float | None
    t: float | None
    p: float | None
    p_bh: float | None
    fold_t: FoldTest
    nadeau_bengio: FoldTest
    icc_fold: float | None
    n_eff: float | None
    sign_flip_p: float | None
    sign_flip_floor: float | None
    p_rope: float | None
    mde80: float | None


@dataclass(frozen=True)
class Futility:
    """Why rows may be missing from a verdict: whatever they hold, the required lift is ruled out."""

    n_skipped: int
    fold_t_high: float  # largest upper bound of the unadjusted fold-t CI95 that any values of the skipped rows lead to
    required_lift: float


@dataclass(frozen=True)
class VariantVerdict:
    """Verdict of one variant with its evidence; ``advice`` holds gates computed beside the chosen set.

    With ``futility``, comparison and gates are those of the rows that were computed.
    """

    variant: str
    verdict: VerdictName
    reasons: tuple[str, ...]
    comparison: Comparison
    gates: Mapping[str, GateResult]
    advice: Mapping[str, GateResult] = field(default_factory=dict)
    fragile: bool = False
    warnings: tuple[str, ...] = ()
    futility: Futility | None = None  # None where no row was skipped


@dataclass(frozen=True)
class Verdict:
    """Verdicts of a whole run; ``schema`` versions its JSON."""

    run_id: str | None
    baseline: str
    gates: str
    variants: Mapping[str, VariantVerdict]
    post_hoc: bool = False
    synthetic: bool = False
    schema: int = 1


@dataclass(frozen=True, eq=False)
class GateEvidence:
    """What a gate check may look at, for one variant.

    ``rows`` and ``baseline_rows`` are sorted by (asset, fold) and row-aligned; ``test_events_differ`` is True when
    the two were scored on different events (another label scheme).
    """

    comparison: Comparison
    rows: pd.DataFrame
    baseline_rows: pd.DataFrame
    assets: tuple[str, ...]
    folds: tuple[int, ...]
    required_lift: float
    readiness: str | None = None  # text of the readiness document; None where there is none
    readiness_expected: bool = False  # a track or --readiness was given
    test_events_differ: bool = False

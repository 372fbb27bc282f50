"""Rows in, verdict out: pairs, comparisons, gates, and the four verdicts in the defined order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import pandas as pd

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.config.schema import GatesConfig, StatsConfig
from ftfkit.errors import RowsError
from ftfkit.judge.caveats import fragile, warnings
from ftfkit.judge.comparison import Planning, compare_family
from ftfkit.judge.gates import not_comparable, run_gates
from ftfkit.judge.paired import Pairs, pair
from ftfkit.judge.power import FoldTestName
from ftfkit.judge.rows import Grid, check_within, lost_cells, nan_cells, observed_grid, validated
from ftfkit.types import ROUNDING, Comparison, GateResult, VariantVerdict, Verdict, VerdictName

ADVICE_GATES = ("dependence", "operating_point", "no_skill")  # run beside a set that lacks them
LIFT_GATES = ("f1_lift", "dependence")  # more data could still turn these
SMALL_GATES = {"sample_size", "mlops_readiness"}  # failing these alone says nothing against the idea
MAX_BUY_RATE = 0.9
MAX_REASONS = 20

Decision = tuple[VerdictName, tuple[str, ...]]


@dataclass(frozen=True)
class Criteria:
    """What is judged by: the chosen set with its checks, the comparison's constants, and checks run as advice only."""

    gates: GatesConfig
    checks: Mapping[str, GateCheck]
    stats: StatsConfig
    advice: Mapping[str, GateCheck] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Row columns that the chosen set reads; a NaN in one of them leaves a variant incomplete."""
        read = [self.stats.metric, *(column for check in self.checks.values() for column in check.requires)]
        return tuple(dict.fromkeys(read))

    @property
    def beside(self) -> dict[str, GateCheck]:
        """Advice that the chosen set lacks."""
        return {name: check for name, check in self.advice.items() if name not in self.checks}

    @property
    def planning(self) -> Planning:
        """Required lift, and test and level of the dependence gate, whether chosen or advice."""
        gate, default = {**self.advice, **self.checks}.get("dependence"), Planning(self.gates.required_lift)
        test = cast(FoldTestName, getattr(gate, "test", default.test))
        return Planning(self.gates.required_lift, test, float(getattr(gate, "alpha", default.alpha)))


@dataclass(frozen=True)
class Readiness:
    """The readiness document: its text, None where there is none, and whether a track or the user named one."""

    text: str | None = None
    expected: bool = False


@dataclass(frozen=True)
class _Case:
    """One variant before the decision."""

    evidence: GateEvidence
    faults: tuple[str, ...]  # missing and error rows, NaN; the baseline's too
    lost: tuple[str, ...]  # those of them that leave a cell without a result
    n_skipped: int
    baseline_doubt: str  # why nothing can be concluded against this baseline, or nothing


def judge_rows(  # noqa: PLR0913 - the last three are facts of the run, carried into the verdict
    rows: pd.DataFrame,
    *,
    baseline: str,
    criteria: Criteria,
    grid: Grid | None = None,
    readiness: Readiness = Readiness(),
    run_id: str | None = None,
    post_hoc: bool = False,
    synthetic: bool = False,
) -> Verdict:
    """Judge every variant against the baseline.

    Parameters
    ----------
    rows : DataFrame
        One row a (variant, asset, fold), in any order; columns as ``ftfkit.judge.rows.validated`` wants them.
    baseline : str
        Variant that the others are compared with.
    criteria : Criteria
        Gates, thresholds and statistics; checks given as advice have no say in the verdict.
    grid : Grid, optional
        Planned variants, assets and folds; when not given, all variants on observed assets x observed folds.
    readiness : Readiness, optional
        Document for ``mlops_readiness``.
    run_id, post_hoc, synthetic
        Carried into the verdict.

    Returns
    -------
    Verdict
        Without variants where the rows are the baseline's alone.

    Raises
    ------
    RowsError
        When the rows cannot be judged at all.
    """
    rows = validated(rows)
    if criteria.stats.metric not in rows:
        raise RowsError(f"rows: stats.metric == {criteria.stats.metric} must be a column of the rows (ftfkit)")
    grid = _known_grid(rows, baseline) if grid is None else grid
    check_within(rows, grid, baseline)
    pairs = {variant: pair(rows, baseline, variant) for variant in grid.variants}
    comparisons = compare_family(pairs, criteria.stats, criteria.planning)
    verdicts = {}
    for variant in grid.variants:
        evidence = _evidence(pairs[variant], comparisons[variant], grid, criteria, readiness)
        case = _case(rows, (baseline, variant), grid, criteria, evidence)
        verdicts[variant] = _judge_variant(variant, case, criteria)
    return Verdict(run_id, baseline, criteria.gates.name, verdicts, post_hoc, synthetic)


def _decide(case: _Case, results: Mapping[str, GateResult], criteria: Criteria) -> Decision:
    """First of the four verdicts, in the defined order, that applies; with its reasons."""
    excused = {name for name, check in criteria.checks.items() if not_comparable(check, case.evidence)}
    incomplete = _incomplete(case, results, excused)
    if incomplete:
        return "INCOMPLETE", incomplete
    failed = [name for name, result in results.items() if result.status not in {"PASS", "NOT_APPLICABLE"}]
    if not failed:
        return _lock(case, criteria)
    told = tuple(f"{name} {results[name].status}: {results[name].reason}" for name in failed)
    doubts = _doubts(case, failed, criteria.planning.required_lift)
    return ("INCONCLUSIVE", (*doubts, *told)) if doubts else ("ABANDON", told)


def _known_grid(rows: pd.DataFrame, baseline: str) -> Grid:
    known = sorted(set(rows["variant"]))
    if baseline not in known:
        raise RowsError(f"rows: baseline == {baseline} must be one of: {', '.join(known)} (ftfkit)")
    return observed_grid(rows, baseline)


def _evidence(
    pairs: Pairs, comparison: Comparison, grid: Grid, criteria: Criteria, readiness: Readiness
) -> GateEvidence:
    return GateEvidence(
        comparison=comparison,
        rows=pairs.rows,
        baseline_rows=pairs.baseline_rows,
        assets=grid.assets,
        folds=grid.folds,
        required_lift=criteria.gates.required_lift,
        readiness=readiness.text,
        readiness_expected=readiness.expected,
        test_events_differ=pairs.test_events_differ,
    )


def _case(rows: pd.DataFrame, names: tuple[str, str], grid: Grid, criteria: Criteria, evidence: GateEvidence) -> _Case:
    """Gather what stands against the rows of ``names``, the baseline first."""
    lost = tuple(line for name in names for line in lost_cells(rows, grid, name))
    nan = tuple(line for name in names for line in nan_cells(rows, criteria.columns, name))
    skipped = int((rows["variant"].isin(names) & (rows["status"] == "skipped")).sum())
    own = rows[(rows["variant"] == names[0]) & (rows["status"] == "ok")]
    return _Case(evidence, lost + nan, lost, skipped, _baseline_doubt(own))


def _judge_variant(variant: str, case: _Case, criteria: Criteria) -> VariantVerdict:
    results = run_gates(criteria.checks, case.evidence, case.lost)
    verdict, reasons = _decide(case, results, criteria)
    comparison = case.evidence.comparison
    return VariantVerdict(
        variant=variant,
        verdict=verdict,
        reasons=reasons,
        comparison=comparison,
        gates=results,
        advice=run_gates(criteria.beside, case.evidence, case.lost),
        fragile=fragile(comparison, criteria.planning.alpha),
        warnings=warnings(comparison, len(case.evidence.folds), verdict, criteria.planning),
    )


def _incomplete(case: _Case, results: Mapping[str, GateResult], excused: set[str]) -> tuple[str, ...]:
    if case.faults:
        more = len(case.faults) - MAX_REASONS
        return (*case.faults[:MAX_REASONS], *([f"and {more} more"] if more > 0 else []))
    broken = [name for name, result in results.items() if result.status == "ERROR" and name not in excused]
    return tuple(f"{name} ERROR: {results[name].reason}" for name in broken)


def _lock(case: _Case, criteria: Criteria) -> Decision:
    if case.n_skipped:
        return "INCOMPLETE", (f"{case.n_skipped} rows were skipped as futile, yet every gate passes on the others",)
    return "LOCK", (f"every gate of {criteria.gates.name} passes",)


def _doubts(case: _Case, failed: Sequence[str], required_lift: float) -> tuple[str, ...]:
    """Reasons why the failed gates do not settle the matter."""
    doubts = []
    if case.evidence.test_events_differ:
        doubts.append("f1 is not comparable: scored on other test events than the baseline")
    elif any(name in LIFT_GATES for name in failed):
        high = case.evidence.comparison.fold_t.ci95[1]
        if high is None or high >= required_lift - ROUNDING:
            bound = "undefined" if high is None else f"{high:+.4f}"
            doubts.append(f"upper bound of the fold-t CI95 is {bound}: a lift of {required_lift:g} is not ruled out")
    if set(failed) <= SMALL_GATES:
        doubts.append(f"only {' and '.join(failed)} failed")
    if case.baseline_doubt:
        doubts.append(case.baseline_doubt)
    return tuple(doubts)


def _baseline_doubt(rows: pd.DataFrame) -> str:
    """Baselines that buy nearly everything or rank no better than chance; rows may lack the columns."""
    doubts = []
    if "buy_rate" in rows and rows["buy_rate"].mean() > MAX_BUY_RATE + ROUNDING:
        doubts.append(f"the baseline buys {rows['buy_rate'].mean():.1%} of all events")
    if {"average_precision", "ap_chance"} <= set(rows):
        skill = (rows["average_precision"] - rows["ap_chance"]).mean()
        if skill <= ROUNDING:
            doubts.append(f"the baseline ranks no better than chance (average precision {skill:+.4f} above it)")
    return "; ".join(doubts)

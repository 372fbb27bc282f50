"""Rows in, verdict out: pairs, comparisons, gates, and the four verdicts in the defined order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import pandas as pd

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.config.sections import GatesConfig, StatsConfig
from ftfkit.errors import RowsError
from ftfkit.judge.caveats import fragile, warnings
from ftfkit.judge.comparison import Planning, adjusted, compare_family
from ftfkit.judge.decide import Case, baseline_doubt, decide
from ftfkit.judge.futility import as_baseline, highest_bound, judged_beside, judged_early, values_of
from ftfkit.judge.gates import run_gates
from ftfkit.judge.paired import Pairs, pair
from ftfkit.judge.power import FoldTestName
from ftfkit.judge.rows import Grid, check_within, lost_cells, nan_cells, observed_grid, validated
from ftfkit.types import Comparison, VariantVerdict, Verdict

ADVICE_GATES = ("dependence", "operating_point", "no_skill")  # run beside a set that lacks them


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
class _Bench:
    """Everything that judging one variant needs."""

    rows: pd.DataFrame
    baseline: str
    criteria: Criteria
    grid: Grid
    readiness: Readiness


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

    Notes
    -----
    Rows with status ``skipped`` are no fault where they cannot change ABANDON, provided that they would be ``ok``: the
    bound that says so is computed anew from the rows. Other variants must come out the same whatever p the skipped
    rows would have led to.
    """
    rows = validated(rows)
    if criteria.stats.metric not in rows:
        raise RowsError(f"rows: stats.metric == {criteria.stats.metric} must be a column of the rows (ftfkit)")
    grid = _known_grid(rows, baseline) if grid is None else grid
    check_within(rows, grid, baseline)
    bench = _Bench(rows, baseline, criteria, grid, readiness)
    pairs = {variant: pair(rows, baseline, variant) for variant in grid.variants}
    family = compare_family(pairs, criteria.stats, criteria.planning)
    verdicts = _judge_family(bench, pairs, family)
    skipped = _with_skipped(bench)
    if skipped:
        least, most = (_judge_family(bench, pairs, adjusted(family, dict.fromkeys(skipped, p))) for p in (0.0, 1.0))
        verdicts = {
            name: _judge_skipped(bench, one) if name in skipped else judged_beside(least[name], most[name])
            for name, one in verdicts.items()
        }
    return Verdict(run_id, baseline, criteria.gates.name, verdicts, post_hoc, synthetic)


def _judge_family(
    bench: _Bench, pairs: Mapping[str, Pairs], family: Mapping[str, Comparison]
) -> dict[str, VariantVerdict]:
    return {name: _judge_variant(bench, name, _case(bench, pairs[name], family[name], name)) for name in family}


def _with_skipped(bench: _Bench) -> tuple[str, ...]:
    """Variants some of whose rows were skipped; none where a row of the baseline was, which is a fault of them all."""
    names = set(bench.rows.loc[bench.rows["status"] == "skipped", "variant"])
    return () if bench.baseline in names else tuple(name for name in bench.grid.variants if name in names)


def _judge_skipped(bench: _Bench, partial: VariantVerdict) -> VariantVerdict:
    rows, stats, grid, name = bench.rows, bench.criteria.stats, bench.grid, partial.variant
    own, baseline = (values_of(rows, one, grid, stats.metric) for one in (name, bench.baseline))
    ending = judge_rows(
        as_baseline(rows, bench.baseline, name),
        baseline=bench.baseline,
        criteria=bench.criteria,
        grid=replace(grid, variants=(name,)),
        readiness=bench.readiness,
    )
    n_skipped = int(((rows["variant"] == name) & (rows["status"] == "skipped")).sum())
    bound = highest_bound(own, baseline, stats.metric, stats.confidence)
    return judged_early(partial, ending.variants[name], bound, bench.criteria.gates.required_lift, n_skipped)


def _known_grid(rows: pd.DataFrame, baseline: str) -> Grid:
    known = sorted(set(rows["variant"]))
    if baseline not in known:
        raise RowsError(f"rows: baseline == {baseline} must be one of: {', '.join(known)} (ftfkit)")
    return observed_grid(rows, baseline)


def _case(bench: _Bench, pairs: Pairs, comparison: Comparison, variant: str) -> Case:
    """Gather what stands for and against the rows of a variant and of the baseline."""
    rows, grid, names = bench.rows, bench.grid, (bench.baseline, variant)
    lost = tuple(line for name in names for line in lost_cells(rows, grid, name, skippable=name == variant))
    nan = tuple(line for name in names for line in nan_cells(rows, bench.criteria.columns, name))
    evidence = GateEvidence(
        comparison=comparison,
        rows=pairs.rows,
        baseline_rows=pairs.baseline_rows,
        assets=grid.assets,
        folds=grid.folds,
        required_lift=bench.criteria.gates.required_lift,
        readiness=bench.readiness.text,
        readiness_expected=bench.readiness.expected,
        test_events_differ=pairs.test_events_differ,
    )
    return Case(evidence, lost + nan, lost, baseline_doubt(_ok(rows, bench.baseline)))


def _ok(rows: pd.DataFrame, variant: str) -> pd.DataFrame:
    return rows[(rows["variant"] == variant) & (rows["status"] == "ok")]


def _judge_variant(bench: _Bench, variant: str, case: Case) -> VariantVerdict:
    criteria, comparison = bench.criteria, case.evidence.comparison
    results = run_gates(criteria.checks, case.evidence, case.lost)
    verdict, reasons = decide(case, criteria.checks, results, criteria.gates.name)
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

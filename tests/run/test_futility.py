"""Variants that are abandoned early: never one whose full verdict is another, and no row of them is lost."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy import stats

from ftfkit.config.experiment import compose
from ftfkit.config.schema import Experiment
from ftfkit.config.sections import GatesConfig, StatsConfig
from ftfkit.judge import Criteria, Grid, Readiness, judge_rows
from ftfkit.plugins import registry
from ftfkit.run.futility import Outlook, settled
from ftfkit.run.plan import make_plan
from ftfkit.run.progress import PlainProgress
from ftfkit.run.records import rows_table
from ftfkit.run.result import RunResult
from ftfkit.run.store import Store, store_url
from ftfkit.run.sweep import run_sweep
from ftfkit.run.verify import verify_run
from ftfkit.testing.evidence import READINESS
from ftfkit.types import Row, Verdict

NOW = datetime(2025, 3, 1, tzinfo=UTC)
GATES = Path(__file__).resolve().parents[2] / "conf" / "gates"
LINE = np.array([-2, -1, 0, 1, 2]) / np.sqrt(2.5)  # mean 0, variance 1 (ddof 1)
SETS = ("f1_buy_boost", "f1_buy_boost_strict")
Named = list[tuple[str, Row]]


def scored(asset: str, fold: int, f1: float, **values: Any) -> Row:
    """An ``ok`` row; whatever is not given passes every gate that does not look at F1."""
    figures = {"f1_buy_tuned": f1, "average_precision": 0.2 + f1 / 2, "ap_chance": 0.1, "buy_rate": 0.3}
    trades = {"expectancy_bps": 5.0, "sortino": 0.5, "max_drawdown_pct": 9.0, "n_trades": 60}
    named: dict[str, Any] = {**figures, **trades, "test_events": f"events of {fold}", **values}
    return Row(f"{asset} {fold}", "fit", asset, fold, "ok", f1_buy=f1, **named)


def criteria_of_set(name: str) -> Criteria:
    content = yaml.safe_load((GATES / f"{name}.yaml").read_text())
    checks = {gate: registry().load("gate_check", gate)(**params) for gate, params in content["checks"].items()}
    return Criteria(GatesConfig(**content), checks, StatsConfig(n_resamples=100))


# a thousand random sweeps


@dataclass(frozen=True)
class Sweep:
    """Rows of a made-up sweep in the order in which they come, the baseline's first."""

    grid: Grid
    rows: Named
    criteria: Criteria
    readiness: Readiness

    def judged(self, rows: Named) -> Verdict:
        frame = rows_table(rows).to_pandas().dropna(axis="columns", how="all")
        return judge_rows(frame, baseline="none", criteria=self.criteria, grid=self.grid, readiness=self.readiness)

    def early(self) -> Named:
        """The rows as a sweep with one worker leaves them."""
        outlook = Outlook("none", self.grid.variants, self.grid, self.criteria, self.readiness)
        left: Named = []
        for variant, row in self.rows:
            if outlook.is_abandoned(variant):
                left.append((variant, Row("", "", row.asset, row.fold, "skipped", test_events=row.test_events)))
            else:
                outlook.accept(variant, row)
                left.append((variant, row))
        return left


def random_sweep(seed: int) -> Sweep:
    """Any shape, effect and order; effects near the boundary, hopeless ones and real lifts."""
    rng = np.random.default_rng(seed)
    shape, n_variants = (int(rng.integers(1, 7)), int(rng.integers(2, 9))), int(rng.integers(1, 5))
    grid = Grid(tuple("abcd"[:n_variants]), tuple("ABCDEF"[: shape[0]]), tuple(range(shape[1])))
    noise = rng.choice([0.003, 0.03, 0.1])
    base = np.clip(rng.uniform(0.05, 0.95) + noise * rng.standard_normal(shape), 0, 1)
    doubted = {"buy_rate": 0.95} if rng.random() < 0.1 else {}
    rows: Named = [("none", scored(grid.assets[a], k, base[a, k], **doubted)) for a, k in np.ndindex(shape)]
    if rng.random() < 0.05:
        rows[0] = ("none", Row("", "", grid.assets[0], 0, "error"))
    cells = [(name, a, k) for a, k in np.ndindex(shape) for name in grid.variants]
    order = rng.integers(3)
    if order:
        cells = [cells[i] for i in rng.permutation(len(cells))] if order == 2 else sorted(cells, key=lambda c: c[2])
    lifts = {name: rng.choice([rng.uniform(-0.9, 0), rng.uniform(-0.1, 0.05), 0.03]) for name in grid.variants}
    trades = {name: {"expectancy_bps": 5 + 3 * rng.standard_normal()} for name in grid.variants}
    shared_noise = {name: noise * rng.standard_normal(shape[1]) for name in grid.variants}
    for name, a, k in cells:
        f1 = np.clip(base[a, k] + lifts[name] + shared_noise[name][k] + noise * rng.standard_normal(), 0, 1)
        rows.append((name, scored(grid.assets[a], k, float(f1), **trades[name])))
    readiness = [Readiness(), Readiness(READINESS, expected=True), Readiness(None, expected=True)]
    return Sweep(grid, rows, criteria_of_set(SETS[seed % 2]), readiness[int(rng.choice(3, p=[0.45, 0.45, 0.1]))])


def at_worst(sweep: Sweep, early: Named, seed: int) -> Named:
    """The sweep's rows, but those that were skipped come out at 0 or 1, fold by fold, as is best for their variant."""
    rng = np.random.default_rng(seed)
    base = {(row.asset, row.fold): row.f1_buy for name, row in early if name == "none"}
    ends = {}
    for variant in {name for name, row in early if row.status == "skipped"}:
        own = [row for name, row in early if name == variant]
        tried = rng.integers(0, 2, (100, len(sweep.grid.folds))).astype(float)
        ends[variant] = max(tried, key=lambda end, own=own: _fold_t_high(sweep.grid, own, base, end))
    return [
        (name, scored(row.asset, row.fold, float(ends[name][row.fold])) if kept.status == "skipped" else row)
        for (name, row), (_, kept) in zip(sweep.rows, early, strict=True)
    ]


def _fold_t_high(grid: Grid, own: Sequence[Row], base: dict[tuple[str, int], Any], end: np.ndarray) -> float:
    deltas: dict[int, list[float]] = {fold: [] for fold in grid.folds}
    for row in own:
        f1 = end[row.fold] if row.status == "skipped" else row.f1_buy
        deltas[row.fold].append(f1 - base[row.asset, row.fold])
    high = stats.ttest_1samp([np.mean(values) for values in deltas.values()], 0).confidence_interval().high
    return float(high)


def examined(seeds: range) -> Counter[str]:
    """Compare early with full verdicts; what was seen, so that a test that sees nothing fails."""
    seen: Counter[str] = Counter()
    for seed in seeds:
        sweep = random_sweep(seed)
        early = sweep.early()
        skipped = {name for name, row in early if row.status == "skipped"}
        seen["cells"] += len(early)
        seen["skipped"] += sum(row.status == "skipped" for _, row in early)
        verdict = sweep.judged(early)
        rows = at_worst(sweep, early, seed) if skipped and seed % 3 == 0 else sweep.rows
        full = sweep.judged(rows).variants
        assert {full[name].verdict for name in skipped} <= {"ABANDON"}, seed
        assert {verdict.variants[name].verdict for name in skipped} <= {"ABANDON"}, seed
        if settled(verdict, early):
            assert {name: one.verdict for name, one in verdict.variants.items()} == {
                name: one.verdict for name, one in full.items()
            }, seed
        seen.update(one.verdict for one in full.values())
    return seen


def test_early_verdicts_are_those_of_full_runs() -> None:
    seen = examined(range(8))
    assert min(seen["skipped"], seen["ABANDON"], seen["INCONCLUSIVE"]) > 0


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, 1000, 125))
def test_early_verdicts_are_those_of_a_thousand_full_runs(start: int) -> None:
    seen = examined(range(start, start + 125))
    expected = ("skipped", "ABANDON", "INCONCLUSIVE", "INCOMPLETE", "LOCK")
    assert min(seen[name] for name in expected) > 0


# the outlook of one variant


def outlook(*variants: str) -> tuple[Outlook, Grid]:
    grid = Grid(variants, tuple("ABCDE"), tuple(range(5)))
    criteria = criteria_of_set("f1_buy_boost")
    return Outlook("none", variants, grid, criteria, Readiness(READINESS, expected=True)), grid


def feed(one: Outlook, variant: str, grid: Grid, f1: float, n_assets: int = 5) -> None:
    for asset in grid.assets[:n_assets]:
        for fold in grid.folds:
            one.accept(variant, scored(asset, fold, f1))


def test_nothing_is_certain_before_the_baseline_is_whole() -> None:
    one, grid = outlook("idea")
    feed(one, "idea", grid, 0.05)
    feed(one, "none", grid, 0.4, n_assets=4)
    assert not one.is_abandoned("idea")
    feed(one, "none", grid, 0.4)
    assert one.is_abandoned("idea")


def test_certainty_comes_with_the_rows_that_rule_a_lift_out() -> None:
    one, grid = outlook("idea", "other")
    feed(one, "none", grid, 0.4)
    feed(one, "idea", grid, 0.05, n_assets=3)
    assert not one.is_abandoned("idea")
    feed(one, "idea", grid, 0.05, n_assets=4)
    assert one.is_abandoned("idea")
    assert not one.is_abandoned("other")


def test_neither_baseline_nor_variants_on_other_events_are_abandoned() -> None:
    one, grid = outlook("idea")
    feed(one, "none", grid, 0.4)
    feed(one, "another label", grid, 0.0)
    assert not one.is_abandoned("none")
    assert not one.is_abandoned("another label")


def test_an_error_row_forbids_it_for_good() -> None:
    one, grid = outlook("idea")
    feed(one, "none", grid, 0.9)
    feed(one, "idea", grid, 0.05, n_assets=4)
    one.accept("idea", Row("", "", "E", 0, "error"))
    assert not one.is_abandoned("idea")
    feed(one, "idea", grid, 0.05)
    assert not one.is_abandoned("idea")


# whole runs on rows that the store holds already


def experiment(output: Path, *overrides: str) -> Experiment:
    market = ("universe=demo", "universe.assets=[AAVE,ARB,LDO,OP,UNI]", "data.days=200", "decision=fixed")
    run = ("hpo=fixed", "stats.n_resamples=100", "executor=serial", f"output.dir={output}")
    return compose([*market, *run, *overrides])


FACTOR = "balancing=balanced,none,balanced_uniqueness"
STOP = "sweep.stop_when_decided=true"


def store_rows(asked: Experiment, known: dict[str, np.ndarray], events: Sequence[str] = ()) -> None:
    """Put rows with the given F1, shape (n_assets, n_folds), where the run looks for its own; NaN leaves one out.

    ``events`` are the true ``test_events`` of the last asset, by fold.
    """
    plan = make_plan(asked, NOW)
    with Store(store_url(None, Path(asked.output.dir))) as store:
        for cell in plan.cells:
            asset = plan.grid.assets.index(cell.asset.name)
            f1 = known[cell.variant][asset, cell.fold]
            if not np.isnan(f1):
                made = scored(cell.asset.name, cell.fold, float(f1))
                named = replace(made, row_key=cell.row_key, fit_key=cell.fit_key)
                true = events and asset == len(plan.grid.assets) - 1
                store.put_row(replace(named, test_events=events[cell.fold]) if true else named, 1.0)


def last_asset_left_out(f1: float) -> np.ndarray:
    values = np.full((5, 5), f1)
    values[4] = np.nan
    return values


def swept(asked: Experiment) -> tuple[RunResult, str]:
    stream = io.StringIO()
    return run_sweep(asked, now=NOW, progress=PlainProgress(stream)), stream.getvalue()


@pytest.fixture(scope="module")
def abandoned(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunResult, str, Path]:
    """A run with two variants, one of them hopeless and unfinished."""
    output = tmp_path_factory.mktemp("output")
    asked = experiment(output, FACTOR, STOP)
    known = {"balanced": np.full((5, 5), 0.4), "balanced_uniqueness": np.full((5, 5), 0.38)}
    last = run_sweep(experiment(tmp_path_factory.mktemp("last"), "universe.assets=[UNI]"), now=NOW)
    store_rows(asked, {**known, "none": last_asset_left_out(0.05)}, list(last.rows["test_events"]))
    return *swept(asked), output


def test_cells_of_a_hopeless_variant_are_skipped_and_count_as_decided(
    abandoned: tuple[RunResult, str, Path],
) -> None:
    result, told, _ = abandoned
    skipped = result.rows[result.rows["status"] == "skipped"]
    assert set(skipped["variant"]) == {"none"}
    assert list(skipped["asset"]) == ["UNIUSDC"] * 5
    assert (result.n_reused, result.n_failed, result.exit_code) == (70, 0, 0)
    assert result.verdict is not None
    verdicts = {name: (one.verdict, one.futility is not None) for name, one in result.verdict.variants.items()}
    assert verdicts == {"none": ("ABANDON", True), "balanced_uniqueness": ("ABANDON", False)}
    assert "5/5 cells run, 0 failed" in told
    assert "5 cells skipped: whatever they hold, their variants would be abandoned" in told


def test_plan_and_verdict_record_it(abandoned: tuple[RunResult, str, Path]) -> None:
    folder = abandoned[0].folder
    assert json.loads((folder / "plan.json").read_text())["sweep"] == {"stop_when_decided": True}
    futility = json.loads((folder / "verdict.json").read_text())["variants"]["none"]["futility"]
    assert futility == {"n_skipped": 5, "fold_t_high": pytest.approx(-0.2 + 0.04 * 2.7764451), "required_lift": 0.015}


def test_a_skipped_row_is_not_a_stored_one_and_a_full_run_computes_it(
    abandoned: tuple[RunResult, str, Path],
) -> None:
    early, _, output = abandoned
    full, _ = swept(experiment(output, FACTOR))
    assert (full.n_reused, full.n_failed) == (70, 0)
    assert set(full.rows["status"]) == {"ok"}
    assert full.verdict is not None
    assert full.verdict.variants["none"].verdict == "ABANDON"
    assert full.verdict.variants["none"].futility is None
    again, told = swept(experiment(output, FACTOR, STOP))
    assert (again.n_reused, "skipped" in told) == (75, False)
    assert list(full.rows["row_key"]) == list(early.rows["row_key"])
    rejudged = verify_run(early.folder, output, experiment(output, FACTOR, STOP), lambda folder: folder)
    assert rejudged.mismatches == ()


def test_without_the_setting_every_cell_is_run(tmp_path: Path) -> None:
    asked = experiment(tmp_path, "balancing=balanced,none")
    store_rows(asked, {"balanced": np.full((5, 5), 0.4), "none": last_asset_left_out(0.05)})
    result, _ = swept(asked)
    assert set(result.rows["status"]) == {"ok"}
    assert result.verdict is not None
    assert result.verdict.variants["none"].futility is None


def test_rows_that_another_verdict_turns_on_are_run_after_all(tmp_path: Path) -> None:
    asked = experiment(tmp_path, FACTOR, STOP)
    lift = 0.05 + np.broadcast_to(LINE, (5, 5)) * 0.05 / (3.0 * np.sqrt(1 / 5 + 1 / 4))  # p .04 of Nadeau-Bengio
    known = {"balanced": np.full((5, 5), 0.4), "balanced_uniqueness": 0.4 + lift}
    store_rows(asked, {**known, "none": last_asset_left_out(0.05)})
    result, told = swept(asked)
    assert set(result.rows["status"]) == {"ok"}
    assert "5/5 cells run, 0 failed" in told
    assert "skipped" not in told


def test_variants_with_labels_of_their_own_are_run_to_the_end(tmp_path: Path) -> None:
    asked = experiment(tmp_path, "label=ATR0.5_1.5_H4,ATR1.0_1.0_H4", STOP)
    known = np.full((5, 5), 0.05)
    known[4, 4] = np.nan
    store_rows(asked, {"ATR0.5_1.5_H4": np.full((5, 5), 0.9), "ATR1.0_1.0_H4": known})
    result, _ = swept(asked)
    assert set(result.rows["status"]) == {"ok"}


def test_the_baseline_goes_first_where_bounds_need_it(tmp_path: Path) -> None:
    plain, stopping = (make_plan(experiment(tmp_path, FACTOR, *more), NOW) for more in ((), (STOP,)))
    first = {cell.variant for cell in sorted(stopping.cells, key=lambda cell: cell.rank)[:25]}
    assert first == {"balanced"}
    assert len({cell.variant for cell in sorted(plain.cells, key=lambda cell: cell.rank)[:3]}) == 3
    assert [cell.row_key for cell in plain.cells] == [cell.row_key for cell in stopping.cells]
    assert plain.plan_hash != stopping.plan_hash

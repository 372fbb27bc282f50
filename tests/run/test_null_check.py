"""Whole null checks on a tiny synthetic market; cells run in this process unless workers are what is tested."""

from __future__ import annotations

import json
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ftfkit.cli.null_check import _parser, main
from ftfkit.config.compose import composer
from ftfkit.config.experiment import compose
from ftfkit.config.schema import Experiment
from ftfkit.errors import UsageError
from ftfkit.judge import judge_rows
from ftfkit.judge.criteria import criteria_of
from ftfkit.judge.rates import wilson
from ftfkit.run.ledger import Ledger
from ftfkit.run.noise import NoiseDesign
from ftfkit.run.null_check import ARMS, FOLDER, RESULT, NullCheck, _command, null_check, replicate
from ftfkit.run.plan import Plan, make_plan
from ftfkit.run.progress import NoProgress
from ftfkit.run.replicates import run_replicates
from ftfkit.run.store import Store, store_url
from ftfkit.types import Comparison

TINY = ("universe=demo", "hpo=fixed", "data.days=150", "cv.n_folds=2", "model.max_rounds=50", "stats.n_resamples=100")
NOISE = NoiseDesign(n_columns=4, memory_bars=24)
FLAGS = ("--noise-features", "4", "--noise-memory-bars=24")  # NOISE on the command line
PLANTED = NoiseDesign(n_columns=4, memory_bars=24, effect=3.0)
NOW = datetime(2025, 3, 1, tzinfo=UTC)
CELLS = 2 * 2 * 2  # arms, assets, folds


def _experiment(output: Path, *overrides: str) -> Experiment:
    return compose([*TINY, "executor=serial", f"output.dir={output}", *overrides])


def _check(output: Path, n_replicates: int, *overrides: str, design: NoiseDesign = NOISE) -> NullCheck:
    return null_check(_experiment(output, *overrides), design, n_replicates)


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("output")


@pytest.fixture(scope="module")
def first(output: Path) -> NullCheck:
    return _check(output, 2)


def test_a_check_leaves_its_rates_and_every_replicate(first: NullCheck, output: Path) -> None:
    document = json.loads((output / FOLDER / first.document["id"] / RESULT).read_text())
    assert document == json.loads(json.dumps(first.document))
    assert (first.n_reused, first.n_failed, document["n_incomplete"]) == (0, 0, 0)
    assert set(document["data"]) == {"AAVEUSDC", "ARBUSDC"}
    assert len(document["replicates"]) == document["n_replicates"] == 2
    p = [one["nadeau_bengio_p"] for one in document["replicates"]]
    assert document["rates"]["nadeau_bengio"]["hits"] == sum(value < 0.05 for value in p)
    assert document["rates"]["lock"] == json.loads(json.dumps(vars(wilson(0, 2))))
    lifts = [one["mean"] for one in document["replicates"]]
    assert document["means"]["lift"] == pytest.approx(sum(lifts) / 2)
    assert len(set(lifts)) == 2


def test_the_ledger_knows_once_which_bars_were_read(first: NullCheck, output: Path) -> None:
    entered = [entry.facts for entry in Ledger(output).entries() if entry.kind == "read"]
    period, universe = first.document["period"], first.document["universe"]
    assert entered == [{"assets": universe["assets"], "end_utc": period["end_utc"]}]


def test_only_rows_are_kept_and_more_replicates_add_to_them(first: NullCheck, output: Path) -> None:
    again = _check(output, 3)
    assert again.n_reused == 2 * CELLS
    assert again.document["id"] == first.document["id"]
    assert again.document["replicates"][:2] == first.document["replicates"]
    assert not (output / "predictions").exists()
    assert _check(output, 2).document == first.document


@pytest.mark.parametrize(
    ("overrides", "design"),
    [
        (["gates=f1_buy_boost"], NOISE),
        (["gates.required_lift=0.02"], NOISE),
        ([], NoiseDesign(n_columns=5)),
        ([], PLANTED),
    ],
)
def test_another_question_has_a_folder_of_its_own(
    first: NullCheck, output: Path, overrides: list[str], design: NoiseDesign
) -> None:
    assert _check(output, 1, *overrides, design=design).document["id"] != first.document["id"]


def test_other_gates_cost_no_cells(first: NullCheck, output: Path) -> None:
    assert _check(output, 2, "gates=f1_buy_boost").n_reused == 2 * CELLS


def _plan(experiment: Experiment) -> Plan:
    return make_plan(experiment, NOW)


def test_no_cell_serves_twice_and_each_is_the_same_again(tmp_path: Path) -> None:
    experiment = _experiment(tmp_path)
    keys = [[cell.row_key for cell in _plan(replicate(experiment, NOISE, number)).cells] for number in (0, 1, 2, 0)]
    assert keys[0] == keys[3]
    assert len({key for found in keys for key in found}) == 3 * CELLS


def test_arms_differ_in_their_noise_alone(tmp_path: Path) -> None:
    made = replicate(_experiment(tmp_path), NOISE, 0)
    specs = [variant.spec for variant in made.all_variants]
    seeds = [spec.features.seed for spec in specs]  # type: ignore[attr-defined]
    assert len(set(seeds)) == 2
    same = [spec.model_copy(update={"features": None, "raw": None}) for spec in specs]
    assert same[0] == same[1]
    assert specs[0].features.model_copy(update={"seed": 0}) == specs[1].features.model_copy(update={"seed": 0})


def test_swapping_the_arms_turns_every_figure_round(first: NullCheck, output: Path) -> None:
    experiment = _experiment(output)
    plan = _plan(replicate(experiment, NOISE, 0))
    with Store(store_url(None, output)) as store:
        rows, n_reused = run_replicates([plan], store, NoProgress())
    assert n_reused == CELLS
    frame = pd.DataFrame([{"variant": cell.variant, **vars(rows[cell.row_key])} for cell in plan.cells])

    def compared(baseline: str, variant: str) -> Comparison:
        return judge_rows(frame, baseline=baseline, criteria=criteria_of(experiment)).variants[variant].comparison

    forward, backward = compared(*ARMS), compared(*reversed(ARMS))
    assert forward.mean == first.document["replicates"][0]["mean"]
    assert backward.mean == pytest.approx(-float(forward.mean or 0))
    assert backward.fold_t.t == pytest.approx(-float(forward.fold_t.t or 0))
    assert (backward.p, backward.nadeau_bengio.p) == pytest.approx((forward.p, forward.nadeau_bengio.p))


def test_the_setting_is_the_declared_one(tmp_path: Path) -> None:
    """The only variant's, and the baseline's where there is none or a choice."""

    def method(*overrides: str) -> list[str | None]:
        made = replicate(_experiment(tmp_path, *overrides), NOISE, 0)
        return [variant.spec.balancing.class_weight for variant in made.all_variants]

    assert method() == ["balanced", "balanced"]
    assert method("balancing=none") == [None, None]
    assert method("balancing=none,balanced_uniqueness") == ["balanced", "balanced"]


def test_a_planted_effect_is_a_large_lift(first: NullCheck, output: Path) -> None:
    planted = _check(output, 2, design=PLANTED)
    assert planted.n_reused >= CELLS  # the baseline arms are those of the null
    assert planted.document["means"]["lift"] > 0.15
    assert planted.document["rates"]["published_rule"]["hits"] == 2
    assert min(one["mean"] for one in planted.document["replicates"]) > 0.1


def test_a_decision_that_needs_its_baseline_has_it_in_each_replicate(tmp_path: Path) -> None:
    check = _check(tmp_path, 2, "decision=matched_rate", "universe.assets=[AAVE]")
    assert check.n_failed == 0
    assert check.document["n_incomplete"] == 0


def test_replicates_with_failed_cells_are_left_out(tmp_path: Path) -> None:
    endless = NoiseDesign(n_columns=4, memory_bars=24, effect=1e40)  # more than a float32 holds
    check = _check(tmp_path, 2, "universe.assets=[AAVE]", design=endless)
    assert check.n_failed == 2 * CELLS // 4  # of one asset the planted arm
    assert check.document["n_incomplete"] == 2
    assert check.document["rates"]["lock"] == vars(wilson(0, 0))


def test_an_interrupted_check_goes_on_where_it_was(first: NullCheck, tmp_path: Path) -> None:
    """With workers up to the interruption and without them after it: figures and question are the same."""
    words = [*TINY, "executor.workers=2", f"output.dir={tmp_path}", "--replicates", "40", *FLAGS]
    process = subprocess.Popen([sys.executable, "-m", "ftfkit", "null-check", *words], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while _n_rows(tmp_path) < 4 and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 143
    finally:
        process.kill()
    assert 4 <= _n_rows(tmp_path) < 40 * CELLS
    resumed = _check(tmp_path, 1)
    assert 0 < resumed.n_reused <= CELLS
    assert resumed.document["replicates"] == first.document["replicates"][:1]
    assert resumed.document["id"] == first.document["id"]


def _n_rows(output: Path) -> int:
    if not (output / "store.db").is_file():
        return 0
    with sqlite3.connect(output / "store.db") as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM cells").fetchone()[0])
        except sqlite3.OperationalError:
            return 0
        finally:
            connection.rollback()


def test_the_command_writes_and_prints_its_report(
    first: NullCheck, output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*TINY, "executor=serial", f"output.dir={output}", "--replicates", "2", *FLAGS]
    assert main([*words, "--out", str(tmp_path / "copy.md")]) == 0
    printed = capsys.readouterr().out
    report = (first.folder / "null_check.md").read_text()
    assert report in printed
    assert (tmp_path / "copy.md").read_text() == report
    assert "0 of 2" in report
    assert f"{2 * CELLS} cells reused, 0 failed" in printed


def test_the_stored_command_asks_for_the_same_check(tmp_path: Path) -> None:
    own = tmp_path / "own conf"
    (own / "label").mkdir(parents=True)
    design = NoiseDesign(n_columns=4, correlation=1 / 3, effect=1.23456789)
    experiment = compose([*TINY, "data.days=36500"], composer([own]))
    words = shlex.split(_command(experiment, design, 1_234_567))
    assert words[:4] == ["python", "-m", "ftfkit", "null-check"]
    read = _parser().parse_intermixed_args(words[4:])
    assert (read.overrides, read.config_dir, read.replicates) == (list(experiment.overrides), [own], 1_234_567)
    assert (read.effect, read.noise_features) == (design.effect, design.n_columns)
    assert (read.noise_correlation, read.noise_memory_bars) == (design.correlation, design.memory_bars)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["--replicates", "0"], "must be >= 1"),
        (["--replicates", "many"], "invalid int value"),
        (["--noise-correlation", "1.5"], "must be in [0, 1]"),
        (["--effect=-1"], "must be >= 0"),
        (["--effect", "nan"], "must be >= 0"),
    ],
)
def test_impossible_options_are_refused(words: list[str], rule: str) -> None:
    with pytest.raises(UsageError) as refused:
        main(words)
    assert rule in str(refused.value)


@pytest.mark.parametrize(
    ("overrides", "n_trials"), [([], 0), (["hpo=quick"], 10), (["hpo.n_trials=3"], 3), (["model.max_rounds=9"], 0)]
)
def test_the_search_is_left_out_unless_it_is_asked_for(overrides: list[str], n_trials: int) -> None:
    from ftfkit.cli.null_check import fixed_unless_told

    experiment: Any = compose(fixed_unless_told(overrides))
    assert experiment.baseline.spec.hpo.n_trials == n_trials

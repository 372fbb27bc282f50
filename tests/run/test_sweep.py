"""Whole runs on a tiny synthetic market, with real workers where they may matter."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from ftfkit.config.experiment import compose
from ftfkit.errors import ConfigError, DataError
from ftfkit.run import records
from ftfkit.run.ledger import Ledger
from ftfkit.run.predictions import predictions_file
from ftfkit.run.progress import PlainProgress
from ftfkit.run.result import RunResult
from ftfkit.run.store import Store, store_url
from ftfkit.run.sweep import run_sweep
from ftfkit.types import Asset, Row, Verdict

TINY = ("universe=demo", "hpo=fixed", "data.days=150", "cv.n_folds=2", "stats.n_resamples=100")
FACTOR = "balancing=balanced,none"
NOW = datetime(2025, 3, 1, tzinfo=UTC)


def _sweep(output: Path, *overrides: str) -> RunResult:
    return run_sweep(compose([*TINY, f"output.dir={output}", *overrides]), now=NOW)


def _store(output: Path) -> Store:
    return Store(store_url(None, output))


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("output")


@pytest.fixture(scope="module")
def first(output: Path) -> RunResult:
    return _sweep(output, FACTOR, "executor.workers=2")


def test_a_run_leaves_rows_verdict_and_files(first: RunResult) -> None:
    assert (first.n_reused, first.n_failed, first.exit_code) == (0, 0, 0)
    assert [(row.variant, row.asset, row.fold) for row in first.rows.itertuples()] == [
        (variant, asset, fold)
        for variant in ("balanced", "none")
        for asset in ("AAVEUSDC", "ARBUSDC")
        for fold in (0, 1)
    ]
    assert set(first.rows.status) == {"ok"}
    assert first.verdict is not None
    assert set(first.verdict.variants) == {"none"}
    assert first.verdict.synthetic
    names = {path.name for path in first.folder.iterdir()}
    assert names == {
        "plan.json", "rows.parquet", "verdict.json", "comparisons.json", "manifest.json", "timings.parquet", "run.log",
        "advice.json",
    }  # fmt: skip


def test_the_folder_reads_back_as_the_result(first: RunResult, output: Path) -> None:
    (record,) = [run for run in records.list_runs(output) if run.run_id == first.run_id]
    assert record.status == "completed"
    pd.testing.assert_frame_equal(record.rows, first.rows)
    assert record.verdict == first.verdict
    assert record.plan["run_id"] == first.run_id
    assert [cell["row_key"] for cell in record.plan["cells"]] == list(first.rows.row_key)
    comparisons = json.loads((first.folder / "comparisons.json").read_text())
    verdict = json.loads((first.folder / "verdict.json").read_text())
    assert comparisons == {"none": verdict["variants"]["none"]["comparison"]}


def test_the_store_holds_rows_and_run(first: RunResult, output: Path) -> None:
    with _store(output) as store:
        assert set(store.get_rows(first.rows.row_key)) == set(first.rows.row_key)
        assert {run.run_id: run.status for run in store.runs()}[first.run_id] == "completed"
        assert store.plan(first.run_id) == json.loads((first.folder / "plan.json").read_text())
    assert set(pd.read_parquet(first.folder / "timings.parquet").row_key) == set(first.rows.row_key)
    assert all(predictions_file(output / "predictions", key).is_file() for key in first.rows.fit_key)


def test_rows_are_the_same_bytes_with_one_worker_in_batches(first: RunResult, tmp_path: Path) -> None:
    alone = _sweep(tmp_path, FACTOR, "executor.workers=1", "executor.batch_cells=3")
    assert (alone.folder / "rows.parquet").read_bytes() == (first.folder / "rows.parquet").read_bytes()
    with _store(tmp_path) as store:
        assert (store.get_rows(alone.rows.row_key)) == _rows_of(first)


def _rows_of(result: RunResult) -> dict[str, Row]:
    with _store(result.folder.parents[1]) as store:
        return store.get_rows(result.rows.row_key)


def test_asking_again_runs_nothing_and_gets_a_folder_of_its_own(first: RunResult, output: Path) -> None:
    again = _sweep(output, FACTOR)
    assert again.n_reused == 8
    assert again.run_id != first.run_id
    assert (again.folder / "rows.parquet").read_bytes() == (first.folder / "rows.parquet").read_bytes()
    assert len(pd.read_parquet(again.folder / "timings.parquet")) == 0


def test_a_new_gate_set_costs_no_cells(first: RunResult, output: Path) -> None:
    assert _sweep(output, FACTOR, "gates=f1_buy_boost").n_reused == 8


def test_the_baseline_alone_has_rows_and_no_verdict(first: RunResult, output: Path) -> None:
    stream = io.StringIO()
    asked = compose([*TINY, f"output.dir={output}"])
    alone = run_sweep(asked, now=NOW, progress=PlainProgress(stream))
    first_line, second_line, *_ = stream.getvalue().splitlines()
    assert "nothing is compared: the baseline alone is run" in first_line
    assert "4 cells" in second_line
    assert (len(alone.rows), alone.n_reused, alone.verdict) == (4, 4, None)
    assert not (alone.folder / "verdict.json").exists()


def test_known_predictions_are_only_scored_again(first: RunResult, output: Path) -> None:
    files = {path: path.stat().st_mtime_ns for path in (output / "predictions").iterdir()}
    cheaper = _sweep(output, FACTOR, "trade.fee_bps=1", "executor=serial")
    assert cheaper.n_reused == 0
    assert {path: path.stat().st_mtime_ns for path in (output / "predictions").iterdir()} == files
    assert set(pd.read_parquet(cheaper.folder / "timings.parquet").stage) == {"data", "row"}
    pd.testing.assert_series_equal(cheaper.rows.f1_buy, first.rows.f1_buy)
    assert (cheaper.rows.expectancy_bps != first.rows.expectancy_bps).any()


def test_one_fit_serves_all_decisions_that_search_alike(tmp_path: Path) -> None:
    both = _sweep(tmp_path, "decision=tuned,matched_rate", "executor=serial")
    assert set(both.rows.status) == {"ok"}
    timings = pd.read_parquet(both.folder / "timings.parquet")
    assert (timings.stage == "refit").sum() == both.rows.fit_key.nunique() == 4
    matched = both.rows[both.rows.variant == "matched_rate"].reset_index(drop=True)
    tuned = both.rows[both.rows.variant == "tuned"].reset_index(drop=True)
    pd.testing.assert_series_equal(matched.f1_buy, tuned.f1_buy)  # its own model matched to itself


def test_the_report_is_in_the_manifest(first: RunResult, output: Path) -> None:
    def report(folder: Path) -> Path:
        (folder / "dossier.md").write_text("# dossier")
        return folder / "dossier.md"

    told = run_sweep(compose([*TINY, f"output.dir={output}", FACTOR]), now=NOW, report=report)
    assert told.dossier == told.folder / "dossier.md"
    assert "dossier.md" in json.loads((told.folder / "manifest.json").read_text())


def test_the_verdict_is_told_before_the_dossier_is_drawn(first: RunResult, output: Path) -> None:
    told: list[str] = []

    def report(folder: Path) -> Path:
        told.append("dossier")
        return folder / "dossier.md"

    asked = compose([*TINY, f"output.dir={output}", FACTOR])
    result = run_sweep(asked, now=NOW, judged=lambda verdict: told.append(verdict.run_id), report=report)
    assert told == [result.run_id, "dossier"]


def _judged_lines(output: Path) -> list[str]:
    return [entry.facts["run_id"] for entry in Ledger(output).entries() if entry.kind == "judged"]


def test_the_ledger_knows_a_verdict_before_anybody_is_told(first: RunResult, output: Path) -> None:
    def quit_at_once(verdict: Verdict) -> None:
        assert _judged_lines(output)[-1] == verdict.run_id
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(compose([*TINY, f"output.dir={output}", FACTOR]), now=NOW, judged=quit_at_once)
    newest = records.list_runs(output)[0]
    assert (newest.status, newest.run_id) == ("interrupted", _judged_lines(output)[-1])


def test_a_run_whose_verdict_nobody_reads_is_completed(first: RunResult, output: Path) -> None:
    def closed(_verdict: Verdict) -> None:
        raise BrokenPipeError

    result = run_sweep(compose([*TINY, f"output.dir={output}", FACTOR]), now=NOW, judged=closed)
    assert (result.folder / records.ADVICE).is_file()
    assert records.list_runs(output)[0].status == "completed"


def test_a_command_whose_output_nobody_reads_finishes_its_run(first: RunResult, output: Path) -> None:
    words = [sys.executable, "-m", "ftfkit", *TINY, f"output.dir={output}", FACTOR]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        shown = process.stderr.read()
    newest = records.list_runs(output)[0]
    assert (process.returncode, newest.status) == (0, "completed"), shown
    assert (newest.folder / "dossier.md").is_file()
    assert newest.run_id != first.run_id
    assert "Traceback" not in shown
    assert "Exception ignored" not in shown


class Rewriting(PlainProgress):
    """Changes the data after the plan was made and before a cell has read it."""

    def __init__(self, file: Path, stream: io.StringIO) -> None:
        super().__init__(stream)
        self._file = file

    def start(self, n_cells: int, n_reused: int) -> None:
        super().start(n_cells, n_reused)
        frame = pd.read_parquet(self._file)
        frame.assign(volume=frame.volume + 1).to_parquet(self._file)


def test_error_rows_are_kept_shown_and_tried_again(tmp_path: Path) -> None:
    """No row of other bars is stored under a planned key: cells that find such bars fail."""
    stream, file = io.StringIO(), tmp_path / "AAVEUSDC_1h.parquet"
    frame = compose([*TINY]).baseline.spec.data.read(Asset("AAVE", "USDC")).frame
    frame.to_parquet(file)
    files = ("universe=demo", "universe.assets=[AAVE]", "hpo=fixed", "cv.n_folds=2", "data=parquet", "executor=serial")
    experiment = compose([*files, FACTOR, f"data.path={tmp_path}", f"output.dir={tmp_path}/out"])
    failed = run_sweep(experiment, now=NOW, progress=Rewriting(file, stream))
    assert (failed.n_reused, failed.n_failed, failed.exit_code) == (0, 4, 4)
    shown = stream.getvalue()
    assert "4/4 cells run, 4 failed" in shown
    assert "ftfkit: warning: balanced, AAVEUSDC, fold 0: ftfkit.errors.DataError: " in shown
    assert shown.count("warning") == (failed.folder / records.LOG).read_text().count("WARNING") == 4
    assert failed.rows.error.str.contains("bars are not those of the plan").all()
    assert failed.verdict is not None
    assert failed.verdict.variants["none"].verdict == "INCOMPLETE"
    with _store(tmp_path / "out") as store:
        rows = store.get_rows(failed.rows.row_key)
    assert {row.status for row in rows.values()} == {"error"}
    assert all("Traceback" in str(row.error) for row in rows.values())
    frame.to_parquet(file)
    again = run_sweep(experiment, now=NOW)
    assert (again.n_reused, again.n_failed) == (0, 0)
    assert set(again.rows.row_key) == set(rows)


def test_a_period_too_short_for_its_folds_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cv\.n_folds == 2 must .* fold 0 .* training events == 0 .*AAVEUSDC"):
        _sweep(tmp_path / "out", FACTOR, "data.days=12")
    assert not (tmp_path / "out").exists()


def test_a_run_that_breaks_is_marked_failed_and_its_rows_stay(tmp_path: Path) -> None:
    def report(folder: Path) -> Path:
        raise OSError("disk full")

    experiment = compose([*TINY, f"output.dir={tmp_path}", "universe.assets=[AAVE]", "executor=serial"])
    with pytest.raises(OSError, match="disk full"):
        run_sweep(experiment, now=NOW, report=report)
    (record,) = records.list_runs(tmp_path)
    assert record.status == "failed"
    assert run_sweep(experiment, now=NOW).n_reused == 2


LONG = ("universe=demo", "hpo=quick", "data.days=400", "executor.workers=2", FACTOR)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_keeps_what_is_finished_and_leaves_no_process(
    tmp_path: Path, survivors: Callable[[int], list[str]], number: signal.Signals, code: int
) -> None:
    command = [sys.executable, "-m", "ftfkit", *LONG, f"output.dir={tmp_path}"]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while len(list((tmp_path / "predictions").glob("*.parquet"))) < 2 and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
        assert process.wait(timeout=60) == code
        assert survivors(process.pid) == []
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    (record,) = records.list_runs(tmp_path)
    assert record.status == "interrupted"
    assert "interrupted after" in (record.folder / records.LOG).read_text()
    keys = {cell["row_key"] for cell in record.plan["cells"]}
    with _store(tmp_path) as store:
        stored = store.get_rows(keys)
    assert 2 <= len(stored) < len(keys)
    assert {row.status for row in stored.values()} == {"ok"}
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize(
    ("module", "asked", "told"),
    [
        ("dask", ["executor=dask"], r"executor\.name == dask needs a package .* pip install 'ftfkit\[dask\]'"),
        ("ray", ["executor=ray"], r"executor\.name == ray needs a package .* pip install 'ftfkit\[ray\]'"),
        (
            "psycopg",
            ["store=postgresql", "store.url=postgresql+psycopg://me:s3cret@host/name"],
            r"^command line: store\.url == .*me:\*\*\*@host/name needs a package .* pip install 'ftfkit\[postgresql\]'",
        ),
    ],
)
def test_what_is_not_installed_is_refused_before_data_is_read(
    module: str, asked: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    nowhere = ("data=parquet", f"data.path={tmp_path}", f"output.dir={tmp_path}/out")
    with pytest.raises(ConfigError, match=told):
        run_sweep(compose([*nowhere, *asked]))
    assert list(tmp_path.iterdir()) == []

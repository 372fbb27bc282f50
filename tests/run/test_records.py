from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from ftfkit.errors import UsageError
from ftfkit.run import records
from ftfkit.run.files import write_json
from ftfkit.run.store import Store, store_url
from ftfkit.types import Row

OK = Row(
    "r1", "f1", "AAVEUSDC", 0, "ok", f1_buy=0.5, n_trades=7, no_trade=False, params={"b": 1, "a": 0.5}, extra={"x": 2.0}
)
FAILED = Row("r2", "f2", "ARBUSDC", 1, "error", error="Traceback")


def _run(output: Path, run_id: str) -> Path:
    folder = output / "runs" / run_id
    folder.mkdir(parents=True)
    write_json(folder, records.PLAN, {"run_id": run_id})
    return folder


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    written = records.write_rows(tmp_path, [("none", OK), ("mild", FAILED)])
    read = pd.read_parquet(tmp_path / records.ROWS)
    pd.testing.assert_frame_equal(written, read)
    assert list(read["variant"]) == ["none", "mild"]
    assert read.loc[0, "params"] == '{"a": 0.5, "b": 1}'
    assert read.loc[0, "x"] == 2.0
    assert read.loc[1, ["f1_buy", "n_trades", "x"]].isna().all()
    assert "extra" not in read


def test_columns_have_their_type_even_when_all_rows_failed(tmp_path: Path) -> None:
    records.write_rows(tmp_path, [("none", FAILED)])
    types = pd.read_parquet(tmp_path / records.ROWS, dtype_backend="pyarrow").dtypes.astype(str)
    assert types["f1_buy"] == "double[pyarrow]"
    assert types["n_trades"] == "int64[pyarrow]"
    assert types["no_trade"] == "bool[pyarrow]"


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    digests = set()
    for _ in range(2):
        records.write_rows(tmp_path, [("none", OK), ("mild", FAILED)])
        digests.add(hashlib.sha256((tmp_path / records.ROWS).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_rows_written_in_parts_are_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("none", FAILED), ("mild", OK), ("mild", replace(OK, row_key="r3", extra={"a": 1.0}))]
    records.write_rows(tmp_path, rows)
    whole = (tmp_path / records.ROWS).read_bytes()
    monkeypatch.setattr(records, "ROWS_A_PART", 1)
    records.write_rows(tmp_path, rows)
    assert (tmp_path / records.ROWS).read_bytes() == whole
    assert list(pd.read_parquet(tmp_path / records.ROWS).columns[-2:]) == ["a", "x"]


def test_timings_are_one_line_a_stage(tmp_path: Path) -> None:
    records.write_timings(tmp_path, [("r1", "search", 1.5), ("r1", "refit", 0.5)])
    assert pd.read_parquet(tmp_path / records.TIMINGS).to_dict("list") == {
        "row_key": ["r1", "r1"],
        "stage": ["search", "refit"],
        "seconds": [1.5, 0.5],
    }
    records.write_timings(tmp_path, [])
    assert len(pd.read_parquet(tmp_path / records.TIMINGS)) == 0


def test_the_manifest_lists_every_file_but_itself_and_the_log(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "a.svg").write_text("<svg/>")
    (tmp_path / records.LOG).write_text("started")
    write_json(tmp_path, records.PLAN, {})
    for _ in range(2):
        records.write_manifest(tmp_path)
        manifest = json.loads((tmp_path / records.MANIFEST).read_text())
        assert set(manifest) == {"figures/a.svg", "plan.json"}
    assert manifest["figures/a.svg"] == hashlib.sha256(b"<svg/>").hexdigest()


def test_runs_are_listed_newest_first_with_their_status(tmp_path: Path) -> None:
    done, broken, alien = (_run(tmp_path, f"ftf_2025010{day}_x") for day in (1, 2, 3))
    with Store(store_url(None, tmp_path)) as store:
        for folder in (done, broken):
            store.start_run(folder.name, folder, "{}")
        store.finish_run(broken.name, "interrupted")
    records.write_rows(done, [("none", OK)])
    records.write_manifest(done)
    (tmp_path / "runs" / "not a run").mkdir()
    found = records.list_runs(tmp_path)
    assert [(run.run_id, run.status) for run in found] == [
        (alien.name, "stopped"),
        (broken.name, "interrupted"),
        (done.name, "completed"),
    ]
    assert [len(run.rows) for run in found] == [0, 0, 1]
    assert found[2].plan == {"run_id": done.name}
    assert found[2].verdict is None


def test_an_output_folder_without_runs_lists_none(tmp_path: Path) -> None:
    assert records.list_runs(tmp_path / "nothing here") == []
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_found_by_folder_id_or_unique_beginning(tmp_path: Path) -> None:
    first, second = _run(tmp_path, "ftf_20250101_a"), _run(tmp_path, "ftf_20250102_b")
    assert records.find_run(tmp_path, str(second)) == second
    assert records.find_run(tmp_path, "ftf_20250101_a") == first
    assert records.find_run(tmp_path, "ftf_20250102") == second


@pytest.mark.parametrize(
    ("asked", "rule"), [("ftf_2025", "fits several runs"), ("nope", "is not a run"), ("", "is not a run")]
)
def test_a_run_that_is_not_found_is_one_line_with_those_there_are(tmp_path: Path, asked: str, rule: str) -> None:
    _run(tmp_path, "ftf_20250101_a")
    _run(tmp_path, "ftf_20250102_b")
    with pytest.raises(UsageError, match=rf"run == '{asked}' {rule} .*there: ftf_2025010"):
        records.find_run(tmp_path, asked)


def test_a_run_is_running_as_long_as_its_driver_writes(tmp_path: Path) -> None:
    folder = _run(tmp_path, "ftf_20250101_x")
    cells = [{"row_key": key} for key in ("r1", "r1", "r2", "r3")]
    write_json(folder, records.PLAN, {"run_id": folder.name, "cells": cells})
    with Store(store_url(None, tmp_path)) as store:
        store.start_run(folder.name, folder, "{}")
        store.put_row(OK, 0.0)
        store.put_row(FAILED, 0.0)
    with records.log_file(folder / records.LOG):
        (run,) = records.list_runs(tmp_path)
        assert (run.status, run.n_rows) == ("running", 3)
    (run,) = records.list_runs(tmp_path)  # as a killed driver leaves it
    assert (run.status, run.n_rows) == ("stopped", 3)

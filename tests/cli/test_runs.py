from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftfkit.cli.runs import main
from ftfkit.run.sweep import run_sweep


def test_what_must_stay_in_sight_is_marked(desk, capsys: pytest.CaptureFixture[str]) -> None:
    direct = run_sweep(desk.compose())
    assert main(["--output", str(desk.output)]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines[direct.run_id].endswith("standard LOCK [not pre-registered]")
    assert lines[desk.run_id].endswith("standard LOCK")
    assert main(["--output", str(desk.output), "--json"]) == 0
    marks = {one["run_id"]: one["marks"] for one in json.loads(capsys.readouterr().out)}
    assert marks == {direct.run_id: ["not pre-registered"], desk.run_id: []}


def test_a_damaged_run_is_named_and_does_not_hide_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("ftf_1", "ftf_2"):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "plan.json").write_text("{}")
    (tmp_path / "runs" / "ftf_2" / "rows.parquet").write_bytes(b"cut off")
    assert main(["--output", str(tmp_path)]) == 0
    damaged, whole = capsys.readouterr().out.splitlines()
    assert damaged.startswith("ftf_2")
    assert "unreadable: " in damaged
    assert whole.endswith("0 rows  no verdict")
    assert main(["--output", str(tmp_path), "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert "unreadable" in first
    assert second["rows"] == 0

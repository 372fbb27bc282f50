"""Judging a run again: what it was planned with agrees, other gates are post hoc, an early look is recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from ftfkit.__main__ import main
from ftfkit.api import judge_run, verify
from ftfkit.config.experiment import compose
from ftfkit.errors import ConfigError, RowsError
from ftfkit.judge import verdict_to_dict
from ftfkit.run.ledger import Ledger
from ftfkit.run.records import MANIFEST, ROWS, VERDICT
from ftfkit.run.store import store_url
from ftfkit.run.sweep import run_sweep


def unfinished(desk, n_rows: int) -> None:
    """The run as a crash leaves it: some rows in the store, none in the folder."""
    for name in (MANIFEST, ROWS, VERDICT):
        (desk.run / name).unlink()
    engine = sa.create_engine(store_url(None, desk.output))
    keys = [cell["row_key"] for cell in json.loads((desk.run / "plan.json").read_text())["cells"]]
    with engine.begin() as connection:
        for key in keys[n_rows:]:
            connection.execute(sa.text("DELETE FROM cells WHERE row_key = :key"), {"key": key})
    engine.dispose()


def kinds(desk) -> list[str]:
    return [entry.kind for entry in Ledger(desk.output).entries()]


def test_rows_that_were_cut_off_are_refused(desk) -> None:
    file = desk.run / ROWS
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(RowsError, match=r"rows\.parquet: cannot be read: "):
        judge_run(desk.run)


def test_by_its_own_gates_a_run_has_its_own_verdict(desk) -> None:
    found = judge_run(desk.run)
    assert verdict_to_dict(found) == json.loads((desk.run / VERDICT).read_text())
    assert not found.post_hoc
    assert kinds(desk) == ["planned", "read", "judged"]


@pytest.mark.parametrize(
    ("gates", "overrides"),
    [("f1_buy_boost", ()), (None, ("gates.required_lift=0.02",)), (None, ("stats.seed=1",))],
)
def test_other_gates_thresholds_or_statistics_are_post_hoc(desk, gates: str | None, overrides: tuple[str, ...]) -> None:
    found = judge_run(desk.run, gates=gates, overrides=overrides)
    assert found.post_hoc
    assert kinds(desk) == ["planned", "read", "judged", "rejudged"]
    assert not judge_run(desk.run).post_hoc


def test_a_run_that_was_rejudged_is_still_verified(desk) -> None:
    judge_run(desk.run, gates="f1_buy_boost")
    assert verify(desk.run).mismatches == ()


def test_naming_the_planned_gates_is_not_post_hoc(desk) -> None:
    assert not judge_run(desk.run, gates="easy").post_hoc
    assert kinds(desk) == ["planned", "read", "judged"]


def test_another_readiness_document_is_post_hoc(desk, tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# nothing")
    found = judge_run(desk.run, readiness=tmp_path / "other.md")
    assert found.post_hoc
    assert found.variants["standard"].gates["mlops_readiness"].status == "FAIL"
    with pytest.raises(ConfigError, match=r"readiness == .* must be a file"):
        judge_run(desk.run, readiness=tmp_path / "absent.md")


def test_a_look_at_an_unfinished_run_is_recorded_and_told_by_its_dossier(desk) -> None:
    unfinished(desk, 6)
    found = judge_run(desk.run)
    assert found.variants["standard"].verdict == "INCOMPLETE"
    assert found.variants["standard"].reasons[0] == "row missing: standard, ARBUSDC, fold 0"
    look = Ledger(desk.output).entries()[-1]
    assert (look.kind, look.facts["n_rows"], look.facts["n_cells"]) == ("looked", 6, 8)
    resumed = run_sweep(compose([f"plan={desk.plan_file}", f"output.dir={desk.output}"]), report=_dossier)
    (told,) = json.loads((resumed.folder / "advice.json").read_text())["looks"]
    assert told == {"utc": look.utc, "run_id": desk.run_id, "n_rows": 6, "n_cells": 8}
    assert "**Interim looks**: 1 (" in (resumed.folder / "dossier.md").read_text()
    assert verify(resumed.folder).mismatches == ()


def _dossier(folder: Path) -> Path:
    from ftfkit.dossier.write import write_dossier

    return write_dossier(folder)


def test_a_look_makes_results_known_to_later_plans(desk) -> None:
    from datetime import UTC, datetime

    from ftfkit.run.prepare import prepared

    unfinished(desk, 6)
    for file in desk.output.glob("ledger.*"):
        file.unlink()
    judge_run(desk.run)
    later = prepared(desk.compose("gates.required_lift=0.002"), datetime.now(UTC))
    assert later.registration.known == {"standard": desk.run_id}


def test_a_store_that_cannot_be_opened_is_blamed_on_the_folder_of_the_run(desk) -> None:
    unfinished(desk, 6)
    store = desk.output / "store.db"
    store.unlink()
    store.mkdir()
    blamed = f"command line: output.dir == {desk.output} holds a store.db that cannot be opened"
    with pytest.raises(ConfigError, match=f"^{blamed}"):
        judge_run(desk.run)


def test_a_run_without_a_row_shows_nothing(desk) -> None:
    unfinished(desk, 0)
    with pytest.raises(RowsError, match=f"^run {desk.run_id}: holds no row yet"):
        judge_run(desk.run)
    assert "looked" not in kinds(desk)


def test_the_command_takes_runs_and_their_rows(desk, capsys: pytest.CaptureFixture[str]) -> None:
    run, output = desk.run_id, f"--output={desk.output}"
    assert main(["judge", run, output, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((desk.run / VERDICT).read_text())
    assert main(["judge", str(desk.run / ROWS), "--gates", "f1_buy_boost"]) == 0
    assert "[post hoc]" in capsys.readouterr().out
    assert main(["judge", run, output, "--baseline", "standard"]) == 2
    assert "--baseline == standard must be none" in capsys.readouterr().err


def test_rows_from_elsewhere_have_no_plan_to_keep_to(desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.read_parquet(desk.run / ROWS).to_csv(tmp_path / "rows.csv")
    assert main(["judge", str(tmp_path / "rows.csv"), "--gates", "f1_buy_boost", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["post_hoc"], found["run_id"]) == (False, None)


def test_a_dossier_written_anew_leaves_the_run_verified(desk, capsys: pytest.CaptureFixture[str]) -> None:
    (desk.run / "dossier.md").write_text("gone")
    assert main(["report", str(desk.run)]) == 0
    capsys.readouterr()
    assert verify(desk.run).mismatches == ()

"""A real run, read back from MLflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ftfkit_mlflow.entries import CELL_COLUMNS

from ftfkit import api
from ftfkit.api import RunResult

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


@pytest.fixture(scope="module")
def nested(client: MlflowClient, logged: Any) -> dict[str, Run]:
    """Runs of the variants, by name."""
    parent = client.get_run(logged.parent)
    found = client.search_runs([parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{logged.parent}'")
    return {run.info.run_name: run for run in found}


def test_the_parent_run_tells_what_was_run(client: MlflowClient, logged: Any) -> None:
    run = client.get_run(logged.parent)
    plan = json.loads((logged.result.folder / "plan.json").read_text())
    assert run.info.status == "FINISHED"
    told = {
        "universe": "demo",
        "assets": "AAVEUSDC, ARBUSDC",
        "label": "ATR0.5_1.5_H4",
        "cv": "purged_kfold_5",
        "n_folds": "2",
        "hpo": "fixed",
        "gates": "f1_buy_boost_strict",
        "plan_hash": plan["plan_hash"],
        "baseline": "balanced",
        "variants": "none",
        "seed": "0",
    }
    assert {name: run.data.params[name] for name in told} == told
    assert run.data.tags["ftfkit.run_id"] == logged.result.run_id
    assert run.data.tags["ftfkit.synthetic"] == "true"
    assert "ftfkit-mlflow" in run.data.tags["ftfkit.plugins"]


def test_the_parent_run_ends_with_the_verdict(client: MlflowClient, logged: Any) -> None:
    run = client.get_run(logged.parent)
    verdict = logged.result.verdict.variants["none"].verdict
    assert run.data.tags["verdict"] == f"none {verdict}"
    assert f"| none | {verdict} |" in run.data.tags["mlflow.note.content"]
    assert run.data.metrics == {"cells/ok": 8, "cells/failed": 0, f"verdicts/{verdict}": 1}


def test_every_file_of_the_run_but_its_log_is_an_artefact(client: MlflowClient, logged: Any, tmp_path: Path) -> None:
    names = {path.name for path in logged.result.folder.iterdir()} - {"run.log"}
    assert {"dossier.html", "rows.parquet", "plan.json", "verdict.json", "figures"} <= names
    assert {item.path for item in client.list_artifacts(logged.parent)} == names
    for name in ("dossier.html", "rows.parquet", "figures/forest.png"):
        copy = Path(client.download_artifacts(logged.parent, name, str(tmp_path)))
        assert copy.read_bytes() == (logged.result.folder / name).read_bytes()


def test_every_cell_is_a_step_of_its_variant(client: MlflowClient, logged: Any, nested: dict[str, Run]) -> None:
    assert set(nested) == {"balanced", "none"}
    for variant, run in nested.items():
        rows = logged.result.rows[logged.result.rows["variant"] == variant].sort_values(["asset", "fold"])
        for column in CELL_COLUMNS:
            history = client.get_metric_history(run.info.run_id, f"cell/{column}")
            assert [point.value for point in sorted(history, key=lambda point: point.step)] == rows[column].tolist()
            assert sorted(point.step for point in history) == [0, 1, 2, 3]
            assert run.data.metrics[f"mean/{column}"] == pytest.approx(rows[column].mean())


def test_a_variant_tells_its_options_and_what_stands_behind_them(nested: dict[str, Run]) -> None:
    assert nested["none"].data.params["balancing"] == "none"
    assert nested["none"].data.params["balancing.class_weight"] == "null"
    assert nested["balanced"].data.params["balancing.class_weight"] == "balanced"
    assert {run.data.params["model"] for run in nested.values()} == {"xgboost"}
    assert {name: run.data.tags["ftfkit.role"] for name, run in nested.items()} == {
        "balanced": "baseline",
        "none": "variant",
    }


def test_a_variant_ends_with_comparison_and_gates(logged: Any, nested: dict[str, Run]) -> None:
    verdict, data = logged.result.verdict.variants["none"], nested["none"].data
    assert data.metrics["lift/mean"] == verdict.comparison.mean
    assert (data.metrics["lift/ci95_low"], data.metrics["lift/ci95_high"]) == verdict.comparison.ci95
    assert data.metrics["lift/nadeau_bengio_p_bh"] == verdict.comparison.nadeau_bengio.p_bh
    assert data.tags["verdict"] == verdict.verdict
    gates = {name.removeprefix("gate."): status for name, status in data.tags.items() if name.startswith("gate.")}
    assert gates == {name: result.status for name, result in verdict.gates.items()}
    assert all(reason in data.tags["mlflow.note.content"] for reason in verdict.reasons)
    assert not [name for name in nested["balanced"].data.metrics if name.startswith("lift/")]


@pytest.mark.slow
def test_the_run_is_the_same_as_one_that_is_not_logged(logged: Any, unlogged: RunResult) -> None:
    rows = [(result.folder / "rows.parquet").read_bytes() for result in (logged.result, unlogged)]
    assert rows[0] == rows[1]
    assert "completed: 8 rows" in (logged.result.folder / "run.log").read_text()
    assert "WARNING" not in (logged.result.folder / "run.log").read_text()
    assert list(logged.directory.iterdir()) == []


def test_a_place_that_cannot_be_logged_to_leaves_a_line_and_the_run_goes_on(
    logged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTFKIT_MLFLOW_URI", "nowhere://tracking")
    again = api.run(*_overrides(logged.result))
    warnings = [line for line in (again.folder / "run.log").read_text().splitlines() if "WARNING" in line]
    assert (again.exit_code, again.n_reused, again.n_failed) == (0, 8, 0)
    assert len(warnings) == 1
    assert "observer ftfkit_run_started failed" in warnings[0]
    assert "nowhere://tracking" in warnings[0]


def _overrides(result: RunResult) -> list[str]:
    return list(json.loads((result.folder / "plan.json").read_text())["overrides"])

"""What a logbook does when cells or the whole run fail, or MLflow does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ftfkit.types import Verdict

if TYPE_CHECKING:
    from ftfkit_mlflow.logbook import Logbook
    from mlflow import MlflowClient
    from mlflow.entities import Run


@pytest.fixture
def plan(logged: Any, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Plan of a real run under a name of the test's own."""
    document: dict[str, Any] = json.loads((logged.result.folder / "plan.json").read_text())
    return {**document, "run_id": request.node.name}


@pytest.fixture
def rows(logged: Any) -> list[dict[str, Any]]:
    """Rows as an observer gets them."""
    return [{**row, "extra": {"turnover per year (%)": 3.5}} for row in logged.result.rows.to_dict("records")]


@pytest.fixture
def logbook(client: MlflowClient, plan: dict[str, Any]) -> Logbook:
    from ftfkit_mlflow.logbook import Logbook

    return Logbook(client, plan)


def named(client: MlflowClient, name: str) -> Run:
    experiment = client.get_experiment_by_name("ftfkit")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id], f"attributes.run_name = '{name}'")
    return run


def children(client: MlflowClient, parent: Run) -> dict[str, Run]:
    found = client.search_runs([parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    return {run.info.run_name: run for run in found}


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt(), "KILLED"), (RuntimeError("disk full"), "FAILED")],
    ids=["interrupted", "broken"],
)
def test_a_run_that_fails_keeps_its_cells(
    client: MlflowClient,
    logbook: Logbook,
    plan: dict[str, Any],
    rows: list[dict[str, Any]],
    error: BaseException,
    status: str,
) -> None:
    for row in rows[:3]:
        logbook.add_cell(row)
    logbook.fail(error)
    parent = named(client, plan["run_id"])
    runs = children(client, parent)
    assert {run.info.status for run in (parent, *runs.values())} == {status}
    assert parent.data.tags["error"].startswith(type(error).__name__)
    assert len(client.get_metric_history(runs[rows[0]["variant"]].info.run_id, "cell/f1_buy")) == 3


def test_an_error_row_is_a_step_without_figures(
    client: MlflowClient, logbook: Logbook, plan: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    failed = {**rows[1], "status": "error", "f1_buy": None, "error": "Traceback"}
    for row in (rows[0], failed):
        logbook.add_cell(row)
    logbook.fail(RuntimeError())
    parent = named(client, plan["run_id"])
    run = children(client, parent)[failed["variant"]]
    assert [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, "cell/failed")] == [
        (1, 1)
    ]
    assert len(client.get_metric_history(run.info.run_id, "cell/f1_buy")) == 1
    assert (parent.data.metrics["cells/ok"], parent.data.metrics["cells/failed"]) == (1, 1)


def test_columns_of_plugin_metrics_are_logged_under_a_name_that_mlflow_takes(
    client: MlflowClient, logbook: Logbook, plan: dict[str, Any], rows: list[dict[str, Any]], tmp_path: Any
) -> None:
    logbook.add_cell(rows[0])
    logbook.finish(Verdict(plan["run_id"], plan["baseline"], "f1_buy_boost", {}), tmp_path)
    parent = named(client, plan["run_id"])
    run = children(client, parent)[rows[0]["variant"]]
    assert run.data.metrics["cell/turnover per year ___"] == 3.5
    assert parent.data.tags["verdict"] == "none"
    assert parent.data.tags["mlflow.note.content"].startswith("The baseline alone was run.")


def test_what_mlflow_did_not_take_is_sent_again(client: MlflowClient, logged: Any) -> None:
    from ftfkit_mlflow.outbox import Outbox
    from mlflow.exceptions import MlflowException

    outbox = Outbox(client)
    run = client.create_run(client.get_run(logged.parent).info.experiment_id).info.run_id
    outbox.add(run, {"figure": 0.0}, step=0)
    assert outbox.due
    outbox.send()
    client.delete_run(run)  # a run in the bin takes nothing
    for step in range(1, 1500):
        outbox.add(run, {"figure": float(step)}, step)
    with pytest.raises(MlflowException):
        outbox.send()
    assert not outbox.due
    client.restore_run(run)
    outbox.send()
    assert [point.step for point in client.get_metric_history(run, "figure")] == list(range(1500))

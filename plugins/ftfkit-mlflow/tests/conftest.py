"""A real MLflow with its SQLite backend; tests that need it are skipped where it is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ftfkit import api
from ftfkit.api import RunResult

if TYPE_CHECKING:
    from mlflow import MlflowClient

SETTINGS = (
    "universe=demo", "hpo=fixed", "data.days=150", "cv.n_folds=2", "stats.n_resamples=100", "executor=serial",
    "balancing=balanced,none",
)  # fmt: skip
NOLOAD = "ignore:The ``noload`` loader strategy is deprecated:sqlalchemy.exc.SADeprecationWarning"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let MLflow, and it alone, declare its tables in a way that SQLAlchemy is going to drop."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings(NOLOAD))


@pytest.fixture(scope="session", autouse=True)
def _nothing_from_outside() -> Iterator[None]:
    """No test logs where its caller does, and MLflow's telemetry stays off."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("FTFKIT_MLFLOW_URI", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
            patch.delenv(name, raising=False)
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        yield


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Tracking URI of a SQLite file that MLflow sets up when it first connects."""
    pytest.importorskip("mlflow", reason="MLflow is not installed; pip install 'ftfkit-mlflow[mlflow]'")
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture(scope="session")
def client(database: str) -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=database)


@dataclass(frozen=True, eq=False)
class Logged:
    """A finished run, the directory it was started in, and the parent run that MLflow has of it."""

    result: RunResult
    directory: Path
    parent: str


@pytest.fixture(scope="session")
def logged(database: str, client: MlflowClient, tmp_path_factory: pytest.TempPathFactory) -> Logged:
    """A tiny run of a baseline and one variant, logged as it went."""
    directory = tmp_path_factory.mktemp("directory")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FTFKIT_MLFLOW_URI", database)
        patch.chdir(directory)
        result = api.run(*SETTINGS, f"output.dir={tmp_path_factory.mktemp('outputs')}")
    experiment = client.get_experiment_by_name("ftfkit")
    assert experiment is not None
    (parent,) = client.search_runs([experiment.experiment_id], f"attributes.run_name = '{result.run_id}'")
    return Logged(result, directory, parent.info.run_id)


@pytest.fixture(scope="session")
def unlogged(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """The same run where nothing is to be logged."""
    return api.run(*SETTINGS, f"output.dir={tmp_path_factory.mktemp('unlogged')}")

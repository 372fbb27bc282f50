"""Where to log: environment variables to an MLflow client and an experiment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ftfkit.errors import PluginError

if TYPE_CHECKING:
    from mlflow import MlflowClient

OWN_VARIABLE, MLFLOW_VARIABLE = "FTFKIT_MLFLOW_URI", "MLFLOW_TRACKING_URI"
EXPERIMENT_VARIABLE, EXPERIMENT = "MLFLOW_EXPERIMENT_NAME", "ftfkit"
_SQLITE = "sqlite:///"


def tracking_uri() -> str:
    """Tracking URI; empty where nothing is to be logged. An empty ``FTFKIT_MLFLOW_URI`` overrules MLflow's own."""
    return os.environ.get(OWN_VARIABLE, os.environ.get(MLFLOW_VARIABLE, "")).strip()


def tracking_client() -> MlflowClient | None:
    """Client of ``tracking_uri()``, None where it is empty.

    It stands apart from MLflow's global state, so a run that the caller has open is left alone.

    Raises
    ------
    PluginError
        When MLflow is not installed.
    """
    uri = tracking_uri()
    if not uri:
        return None
    try:
        from mlflow import MlflowClient
    except ModuleNotFoundError as error:
        remedy = "pip install 'ftfkit-mlflow[mlflow]'"
        raise PluginError(f"nothing is logged, {error.name} is not installed; {remedy}") from error
    return MlflowClient(tracking_uri=uri)


def experiment_id(client: MlflowClient) -> str:
    """Id of the experiment that ``MLFLOW_EXPERIMENT_NAME`` names (``ftfkit`` by default), made where there is none."""
    name = os.environ.get(EXPERIMENT_VARIABLE) or EXPERIMENT
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    return client.create_experiment(name, artifact_location(client.tracking_uri))


def artifact_location(uri: str) -> str | None:
    """Folder ``mlartifacts`` beside a SQLite file; None leaves the place to the server.

    Without a server MLflow would put artefacts below the current directory, wherever that is.
    """
    if not uri.startswith(_SQLITE):
        return None
    database = Path(uri.removeprefix(_SQLITE).partition("?")[0])
    return (database.resolve().parent / "mlartifacts").as_uri()

"""Where to log, and that nothing happens where nothing is named; needs no MLflow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ftfkit_mlflow.tracking import artifact_location, tracking_client, tracking_uri

from ftfkit.errors import PluginError

RUN_WITHOUT_URI = """
import sys
import ftfkit_mlflow
ftfkit_mlflow.ftfkit_run_started("run", {})
ftfkit_mlflow.ftfkit_cell_finished("run", {})
ftfkit_mlflow.ftfkit_run_failed("run", RuntimeError())
print(sorted({name.partition(".")[0] for name in sys.modules} & {"mlflow", "sqlalchemy", "pandas"}))
"""


@pytest.mark.parametrize(
    ("own", "mlflow", "uri"),
    [
        (None, None, ""),
        ("sqlite:///a.db", None, "sqlite:///a.db"),
        (None, "http://b", "http://b"),
        ("sqlite:///a.db", "http://b", "sqlite:///a.db"),
        ("", "http://b", ""),
    ],
)
def test_our_own_variable_overrules_that_of_mlflow(
    monkeypatch: pytest.MonkeyPatch, own: str | None, mlflow: str | None, uri: str
) -> None:
    for name, value in (("FTFKIT_MLFLOW_URI", own), ("MLFLOW_TRACKING_URI", mlflow)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert tracking_uri() == uri


def test_without_a_uri_nothing_is_even_imported() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_URI")}
    done = subprocess.run(
        [sys.executable, "-c", RUN_WITHOUT_URI], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_missing_mlflow_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTFKIT_MLFLOW_URI", "sqlite:///a.db")
    monkeypatch.setitem(sys.modules, "mlflow", None)  # what Python itself holds of a module that cannot be imported
    with pytest.raises(PluginError) as refusal:
        tracking_client()
    assert str(refusal.value) == "nothing is logged, mlflow is not installed; pip install 'ftfkit-mlflow[mlflow]'"


def test_artefacts_lie_beside_a_sqlite_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    beside = (tmp_path / "mlartifacts").as_uri()
    assert artifact_location(f"sqlite:///{tmp_path}/mlflow.db?timeout=5") == beside
    assert artifact_location("sqlite:///mlflow.db") == beside
    assert artifact_location("http://server:5000") is None
    assert artifact_location("postgresql://server/mlflow") is None

"""ftfkit's own suites, with nothing to log to and with a real MLflow."""

from __future__ import annotations

import pytest

from ftfkit.testing import ObserverConformance, PackageConformance


class TestPackage(PackageConformance):
    distribution = "ftfkit-mlflow"


class TestObserverWithoutUri(ObserverConformance):
    plugin = "ftfkit_mlflow"


class TestObserver(ObserverConformance):
    plugin = "ftfkit_mlflow"

    @pytest.fixture(autouse=True)
    def _logging(self, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FTFKIT_MLFLOW_URI", database)

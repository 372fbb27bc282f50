"""Metrics on their way to MLflow: gathered, sent in batches, kept when they could not be sent."""

from __future__ import annotations

import time
from collections.abc import Mapping

from mlflow import MlflowClient
from mlflow.entities import Metric

FLUSH_SECONDS = 10.0  # between two batches, so that a run can be watched
RETRY_SECONDS = 300.0  # after a failed one: a dead server must not hold up every cell
BATCH = 1000  # metrics that MLflow takes in one call


class Outbox:
    """Unsent metrics of several MLflow runs, oldest first."""

    def __init__(self, client: MlflowClient) -> None:
        self._client = client
        self._unsent: dict[str, list[Metric]] = {}
        self._not_before = time.monotonic()

    def add(self, run: str, figures: Mapping[str, float], step: int = 0) -> None:
        """Put figures of the MLflow run ``run`` in; nothing is sent yet."""
        now_ms = int(time.time() * 1000)
        metrics = [Metric(name, value, now_ms, step) for name, value in figures.items()]
        self._unsent.setdefault(run, []).extend(metrics)

    @property
    def due(self) -> bool:
        """Whether it is time to send."""
        return time.monotonic() >= self._not_before

    def send(self) -> None:
        """Send everything; what MLflow did not take stays and is sent the next time.

        Raises
        ------
        Exception
            Whatever MLflow raises.
        """
        self._not_before = time.monotonic() + RETRY_SECONDS
        for run, metrics in self._unsent.items():
            while metrics:
                self._client.log_batch(run, metrics=metrics[:BATCH])
                del metrics[:BATCH]
        self._not_before = time.monotonic() + FLUSH_SECONDS

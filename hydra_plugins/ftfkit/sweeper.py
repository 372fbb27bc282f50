"""Hands what Hydra is asked to run (with ``hydra.*`` overrides) to ftfkit as one plan; a cell is never a Hydra job."""

from __future__ import annotations

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class PlanSweeper(Sweeper):
    """Composes and checks every job first, then runs the union of their cells in one pool.

    Hydra's launchers start job 0 before job 1 is validated, and its callbacks are skipped when a job fails; neither
    can hold the promise that a sweep is refused before any data is read or ends in one verdict.
    """

    def __init__(self) -> None:
        self._context: HydraContext | None = None
        self._hydra_overrides: list[str] = []

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self._context = hydra_context
        self._hydra_overrides = list(config.hydra.overrides.hydra)

    def sweep(self, arguments: list[str]) -> int:
        from ftfkit.cli.run import run_composed
        from ftfkit.config.compose import Composer, searched_folders

        assert self._context is not None
        own = tuple(self._hydra_overrides)
        composer = Composer(self._context.config_loader, own, searched_folders(own))
        raise SystemExit(run_composed(composer, arguments))

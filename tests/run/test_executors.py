"""Real workers of every kind; a task is a Python expression, so that nothing but built-ins travels to them."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ftfkit.config.sections import ExecutorConfig
from ftfkit.errors import ConfigError
from ftfkit.run.dispatch import Backlog, Dispatch, Lost
from ftfkit.run.executors import Terminated, check_startable, executor, terminable, uninterrupted

DIE = "__import__('os')._exit(1)"


def _config(name: str, **fields: Any) -> ExecutorConfig:
    if not importlib.util.find_spec({"dask": "distributed"}.get(name, name)):
        pytest.skip(f"{name} is not installed")
    return ExecutorConfig(name=name, **{"workers": 2} | fields)


@dataclass(frozen=True)
class Expression:
    row_key: str
    rank: int


def _evaluate(config: ExecutorConfig, *expressions: str) -> dict[str, Any]:
    jobs = [Expression(text, rank) for rank, text in enumerate(expressions)]
    with executor(config, len(jobs)) as engine:
        backlog = Backlog(jobs, lambda job: set())
        work = Dispatch(engine, backlog, lambda job: job.row_key, eval, batch_cells=1, retries=config.retries)
        return {job.row_key: outcome for job, outcome in work}


@pytest.mark.parametrize(
    "name", ["loky", pytest.param("dask", marks=pytest.mark.slow), pytest.param("ray", marks=pytest.mark.slow)]
)
class TestEveryExecutor:
    def test_results_come_from_other_processes_with_one_thread(self, name: str) -> None:
        threads, other = "__import__('os').environ['OMP_NUM_THREADS']", "__import__('os').getpid()"
        found = _evaluate(_config(name), "6 * 7", threads, other)
        assert found["6 * 7"] == 42
        assert found[threads] == "1"
        assert found[other] != os.getpid()

    def test_a_worker_that_dies_once_costs_a_retry_and_nothing_else(self, name: str, tmp_path: Path) -> None:
        mark = repr(str(tmp_path / "died"))
        once = f"__import__('os').path.exists({mark}) or (open({mark}, 'x').close(), {DIE})"
        sums = [f"{number} + 1" for number in range(10)]
        found = _evaluate(_config(name), *sums[:5], once, *sums[5:])
        assert found == {once: True} | {text: number + 1 for number, text in enumerate(sums)}

    def test_a_cell_that_always_kills_its_worker_is_lost_alone(self, name: str) -> None:
        sums = [f"{number} + 1" for number in range(6)]
        found = _evaluate(_config(name), *sums[:3], DIE, *sums[3:])
        assert isinstance(found.pop(DIE), Lost)
        assert found == {text: number + 1 for number, text in enumerate(sums)}


def test_no_more_workers_than_cells() -> None:
    with executor(_config("loky", workers=8), 1) as engine:
        assert engine.n_workers == 1


@pytest.mark.parametrize("name", ["dask", "ray"])
def test_a_missing_package_is_one_line_with_the_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with (
        pytest.raises(ConfigError, match=rf"executor.name == {name} .*pip install 'ftfkit\[{name}\]'"),
        executor(ExecutorConfig(name=name), 1),
    ):
        pass


def test_ray_in_a_path_with_a_space_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/home/me/my projects/.venv/bin/python")
    with pytest.raises(ConfigError, match=r"command line: executor\.name == ray .*/my projects/"):
        check_startable(_config("ray"), "command line")
    check_startable(_config("ray", address="10.0.0.1:6379"), "command line")


def test_ray_leaves_sigterm_to_whoever_had_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with terminable():
        ours = signal.getsignal(signal.SIGTERM)
        with executor(_config("ray", workers=1), 1):
            assert signal.getsignal(signal.SIGTERM) is ours
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_unreachable_scheduler_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    config = _config("dask", address="tcp://127.0.0.1:9")
    dask = pytest.importorskip("dask")
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(ConfigError, match=r"executor\.address == tcp://127\.0\.0\.1:9 cannot be reached"),
        executor(config, 1),
    ):
        pass


@pytest.mark.slow
def test_a_dask_scheduler_elsewhere_is_used() -> None:
    _config("dask")
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        with executor(_config("dask", address=address), 100) as engine:
            assert engine.n_workers == 2
        assert _evaluate(_config("dask", address=address), "6 * 7") == {"6 * 7": 42}


def test_sigterm_becomes_a_keyboard_interrupt_and_the_old_handler_returns() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated), terminable():  # noqa: PT012 - the signal arrives at the next instruction
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    assert signal.getsignal(signal.SIGTERM) is before
    assert issubclass(Terminated, KeyboardInterrupt)


def test_what_must_be_finished_is_not_interrupted() -> None:
    with uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


WORKING = """
import time
from ftfkit.config.sections import ExecutorConfig
from ftfkit.run.executors import executor
with executor(ExecutorConfig(workers=2), 2) as engine:
    futures = [engine.submit(eval, "1 + 1") for _ in range(4)]
    [future.result() for future in futures]
    futures = [engine.submit(time.sleep, 600) for _ in range(4)]
    print("working", flush=True)
    futures[0].result()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells workers of their driver's death")
def test_workers_die_with_a_driver_that_is_killed(
    running: Callable[[int], list[str]], survivors: Callable[[int], list[str]]
) -> None:
    command = [sys.executable, "-c", WORKING]
    with subprocess.Popen(command, start_new_session=True, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        assert len(running(process.pid)) >= 3
        process.kill()
    assert survivors(process.pid) == []

"""Sweeps on a Dask scheduler and workers that run elsewhere, as processes of their own on loopback."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ftfkit.config.sections import ExecutorConfig
from ftfkit.run.executors import executor
from ftfkit.run.progress import NoProgress

pytestmark = pytest.mark.skipif(
    not importlib.util.find_spec("distributed"), reason="the extra ftfkit[dask] is not installed"
)
LOOPBACK = ("--host", "127.0.0.1", "--no-dashboard")


@dataclass(frozen=True)
class Cluster:
    address: str
    workers: tuple[subprocess.Popen[bytes], ...]


@contextmanager
def process(*command: str, cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is gone at the end."""
    with (cwd / "log").open("ab") as log:
        started = subprocess.Popen([sys.executable, "-m", *command], cwd=cwd, stdout=log, stderr=log)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(timeout=20)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


@contextmanager
def _cluster(folder: Path) -> Iterator[Cluster]:
    """A scheduler and two workers of one thread each."""
    contact = folder / "scheduler.json"
    with ExitStack() as stack:
        named = ("--port", "0", "--scheduler-file", str(contact))
        stack.enter_context(process("distributed.cli.dask_scheduler", *LOOPBACK, *named, cwd=folder))
        _wait_for(contact)
        address = json.loads(contact.read_text())["address"]
        assert address.startswith("tcp://127.0.0.1:")
        workers = [stack.enter_context(_worker(address, folder)) for _ in range(2)]
        _wait_for_workers(address, 2)
        yield Cluster(address, tuple(workers))


def _worker(address: str, folder: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    one = ("--nthreads", "1", "--no-nanny", "--death-timeout", "60", "--local-directory", str(folder))
    return process("distributed.cli.dask_worker", address, *LOOPBACK, *one, cwd=folder)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One for all tests; they leave it whole."""
    with _cluster(tmp_path_factory.mktemp("cluster")) as shared:
        yield shared


@pytest.fixture
def doomed(cluster: Cluster, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A third worker of the cluster, which a test may kill."""
    with _worker(cluster.address, tmp_path) as third:
        _wait_for_workers(cluster.address, 3)
        yield third


def _wait_for(file: Path) -> None:
    deadline = time.monotonic() + 60
    while not (file.is_file() and file.read_text().endswith("}")):
        assert time.monotonic() < deadline, f"{file} was not written"
        time.sleep(0.1)


def _wait_for_workers(address: str, n: int) -> None:
    import distributed

    with distributed.Client(address, timeout=60) as client:
        client.wait_for_workers(n, timeout=60)


def test_both_workers_are_used(cluster: Cluster) -> None:
    own_pid = "(__import__('time').sleep(.5), __import__('os').getpid())[1]"
    with executor(ExecutorConfig(name="dask", address=cluster.address), 100) as engine:
        assert engine.n_workers == 2
        found = {future.result(timeout=60) for future in [engine.submit(eval, own_pid) for _ in range(6)]}
    assert found == {worker.pid for worker in cluster.workers}
    assert os.getpid() not in found


def test_rows_are_the_same_bytes_as_on_loky_and_the_cluster_outlives_the_run(
    cluster: Cluster, tiny_rows, run_tiny, tmp_path: Path
) -> None:
    result = run_tiny(tmp_path / "out", "executor=dask", f"executor.address={cluster.address}")
    assert (result.n_failed, result.n_reused) == (0, 0)
    assert (result.folder / "rows.parquet").read_bytes() == tiny_rows
    with executor(ExecutorConfig(name="dask", address=cluster.address), 1) as engine:
        assert engine.submit(abs, -1).result(timeout=60) == 1
    assert [worker.poll() for worker in cluster.workers] == [None, None]


def test_rows_in_batches_are_the_same_bytes(cluster: Cluster, tiny_rows, run_tiny, tmp_path: Path) -> None:
    batches = ("executor=dask", f"executor.address={cluster.address}", "executor.batch_cells=3")
    assert (run_tiny(tmp_path / "out", *batches).folder / "rows.parquet").read_bytes() == tiny_rows


def test_a_worker_that_is_killed_costs_no_row(
    cluster: Cluster, doomed: subprocess.Popen[bytes], tiny_rows, run_tiny, tmp_path: Path
) -> None:
    class Killing(NoProgress):
        """Kills a worker once the first cell is done."""

        def advance(self, _outcome: str) -> None:
            doomed.kill()

    result = run_tiny(tmp_path / "out", "executor=dask", f"executor.address={cluster.address}", progress=Killing())
    assert doomed.wait(timeout=10) != 0
    assert result.n_failed == 0
    assert (result.folder / "rows.parquet").read_bytes() == tiny_rows

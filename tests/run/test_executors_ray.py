"""Sweeps on a Ray cluster of two nodes that runs elsewhere, all of it on loopback."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ftfkit.config.sections import ExecutorConfig
from ftfkit.run.executors import RAY_ALONE, executor
from ftfkit.run.progress import NoProgress

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="the extra ftfkit[ray] is not installed"),
]
NODE = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "object_store_memory": 100 * 2**20}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head node and a second one, of one core each."""
    for name, value in RAY_ALONE.items():
        monkeypatch.setenv(name, value)
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    try:
        nodes.add_node(**NODE)
        nodes.wait_for_nodes(timeout=60)
        assert nodes.address.startswith("127.0.0.1:")
        yield nodes
    finally:
        nodes.shutdown()


def test_both_nodes_are_used(cluster: Any) -> None:
    node = "(__import__('time').sleep(1), __import__('ray').get_runtime_context().get_node_id())[1]"
    with executor(ExecutorConfig(name="ray", address=cluster.address), 100) as engine:
        assert engine.n_workers == 2
        found = {future.result(timeout=120) for future in [engine.submit(eval, node) for _ in range(6)]}
    assert found == {one.node_id for one in cluster.list_all_nodes()}


def test_rows_are_the_same_bytes_as_on_loky(cluster: Any, tiny_rows, run_tiny, tmp_path: Path) -> None:
    named = ("executor=ray", f"executor.address={cluster.address}")
    result = run_tiny(tmp_path / "out", *named, "executor.batch_cells=2")
    assert (result.n_failed, result.n_reused) == (0, 0)
    assert (result.folder / "rows.parquet").read_bytes() == tiny_rows


def test_a_node_that_is_lost_costs_no_row(cluster: Any, tiny_rows, run_tiny, tmp_path: Path) -> None:
    second = next(node for node in cluster.list_all_nodes() if node is not cluster.head_node)

    class Killing(NoProgress):
        """Takes the second node away once the first cell is done."""

        def advance(self, _outcome: str) -> None:
            if second in cluster.list_all_nodes():
                cluster.remove_node(second, allow_graceful=False)

    named = ("executor=ray", f"executor.address={cluster.address}")
    result = run_tiny(tmp_path / "out", *named, progress=Killing())
    assert result.n_failed == 0
    assert (result.folder / "rows.parquet").read_bytes() == tiny_rows


def test_a_local_cluster_listens_on_loopback_alone() -> None:
    program = """
from ftfkit.config.sections import ExecutorConfig
from ftfkit.run.executors import executor
with executor(ExecutorConfig(name="ray", workers=1), 1) as engine:
    print(engine.submit(eval, "__import__('ray').util.get_node_ip_address()").result(timeout=60))
"""
    environment = {name: value for name, value in os.environ.items() if name not in RAY_ALONE}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "127.0.0.1"

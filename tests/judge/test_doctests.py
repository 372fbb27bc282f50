import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "module", ["ftfkit.judge.paired", "ftfkit.judge.power", "ftfkit.builtin.gates.mlops_readiness"]
)
def test_examples_in_docstrings_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted > 0
    assert result.failed == 0

"""What tests of the suites share."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def run_with_every_parameter() -> Callable[[Any, Any], None]:
    """Runs a test of a suite on a component, under everything that its marks parametrize."""
    return _run_with_every_parameter


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make ``fault`` each of a module's FAULTS: a suite, a component with a fault, and the test that must find it."""
    if "fault" in metafunc.fixturenames:
        faults = metafunc.module.FAULTS
        metafunc.parametrize("fault", faults, ids=[type(component).__name__ for _, component, _ in faults])


@pytest.fixture
def is_found(fault: tuple[Any, Any, str]) -> bool:
    """Whether the test that is there for a fault fails on it."""
    suite, component, test = fault
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _run_with_every_parameter(getattr(suite(), test), component)
        except (AssertionError, FloatingPointError):
            return True
    return False


def _run_with_every_parameter(method: Any, component: Any) -> None:
    for arguments in _parameters(method):
        method(component, **arguments)


def _parameters(method: Any) -> Iterator[dict[str, Any]]:
    """The product of what the marks of a test parametrize."""
    found: list[dict[str, Any]] = [{}]
    for mark in getattr(method, "pytestmark", []):
        if mark.name == "parametrize":
            found = [{**one, mark.args[0]: value} for one in found for value in mark.args[1]]
    assert set(inspect.signature(method).parameters) == {"component", *found[0]}
    yield from found

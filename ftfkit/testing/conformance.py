"""What every conformance suite shares: how components are named, and what a component of any kind must do."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from pydantic import ValidationError

from ftfkit.components import Component


class Conformance:
    """Base of the suites. Subclass one under a name that starts with ``Test`` and say what is to be tested.

    Attributes
    ----------
    components : sequence of Component or of ``pytest.param``
        What is tested, each in every test. Leave it empty and define a fixture ``component`` where a component needs
        something that only a fixture can give, such as a folder.

    Examples
    --------
    >>> from ftfkit.testing import LossConformance
    >>> class TestMyLoss(LossConformance):
    ...     components = [MyLoss(gamma=2.0)]  # doctest: +SKIP
    """

    components: ClassVar[Sequence[Any]] = ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Parametrize the argument ``component``."""
        if self.components and "component" in metafunc.fixturenames:
            metafunc.parametrize("component", list(self.components), ids=_identify)

    def test_is_frozen(self, component: Component) -> None:
        name = next(iter(type(component).model_fields), "anything")
        with pytest.raises(ValidationError):
            setattr(component, name, None)

    def test_survives_pickling(self, component: Component) -> None:
        assert pickle.loads(pickle.dumps(component)) == component

    def test_is_made_again_from_its_own_parameters(self, component: Component) -> None:
        """Keys and plans store the dumped parameters."""
        assert type(component).model_validate(component.model_dump(mode="json")) == component

    def test_refuses_a_parameter_it_does_not_have(self, component: Component) -> None:
        parameters = component.model_dump(mode="json")
        with pytest.raises(ValidationError, match="no_such_parameter"):
            type(component).model_validate({**parameters, "no_such_parameter": 1})


def _identify(component: Any) -> str:
    return repr(component)


def assert_array(array: Any, shape: tuple[int, ...], dtype: Any) -> None:
    """Fail unless ``array`` has this shape and dtype."""
    assert isinstance(array, np.ndarray)
    assert array.shape == shape
    assert array.dtype == np.dtype(dtype)


def read_only(arrays: Iterable[Any]) -> None:
    """Make arrays refuse to be written to, so that a component which edits its input is found out."""
    for array in arrays:
        array.flags.writeable = False

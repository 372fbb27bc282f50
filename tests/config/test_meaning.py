from __future__ import annotations

import pytest
from pydantic import BaseModel

from ftfkit.config.compose import composer
from ftfkit.config.meaning import ROOT_KEYS, meaning
from ftfkit.config.sections import SECTIONS
from ftfkit.plugins import registry


class Base(BaseModel):
    """Base.

    Attributes
    ----------
    low, high : int
        Bounds, in bars;
        both inclusive.

    Notes
    -----
    other : int
        No field of this one.
    """

    low: int = 0
    high: int = 1
    other: int = 2


class Derived(Base):
    """Derived.

    Attributes
    ----------
    high
        Upper bound.
    """


def test_the_nearest_class_tells_what_a_field_means() -> None:
    assert meaning(Derived, "low") == meaning(Base, "high") == "Bounds, in bars; both inclusive."
    assert meaning(Derived, "high") == "Upper bound."
    assert meaning(Derived, "other") == ""


@pytest.mark.parametrize("group", SECTIONS)
def test_every_key_of_a_section_has_a_meaning(group: str) -> None:
    assert [name for name in SECTIONS[group].model_fields if not meaning(SECTIONS[group], name)] == []


def test_every_key_of_the_config_is_a_section_a_component_or_has_a_meaning() -> None:
    config = composer().compose([]).config
    assert {key for key, value in config.items() if key not in SECTIONS and "name" not in (value or {})} <= {*ROOT_KEYS}


def test_every_parameter_of_a_shipped_plugin_has_a_meaning() -> None:
    found = [one for kind in registry().registrations.values() for one in kind.values()]
    models = [(one.name, one.load()) for one in found]
    fields = [(name, model, field) for name, model in models for field in getattr(model, "model_fields", ())]
    assert len(fields) > 80
    assert [f"{name}.{field}" for name, model, field in fields if not meaning(model, field)] == []

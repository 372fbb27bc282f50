"""What the fields of a section or component mean, as their docstrings say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from ftfkit.config.schema import COMPONENT_GROUPS
from ftfkit.config.sections import SECTIONS
from ftfkit.plugins import registry

ROOT_KEYS: Mapping[str, str] = {  # keys of the config that stand in no section of their own, with their meaning
    "baseline": "option of each factor group that makes up the champion, which variants are compared with",
    "metrics": "plugin metrics that become columns of the rows, each with its parameters",
    "seed": "of the run: with asset and fold it seeds samplers and models, the same for all variants",
    "plan": "pre-registered plan file that the run must equal",
}


def meaning(model: type[BaseModel], name: str) -> str:
    """Meaning of field ``name``: its description, else the entry under Attributes of the class that is nearest.

    Empty where nobody gave one.
    """
    field = model.model_fields[name]
    if field.description:
        return field.description
    for cls in model.__mro__:
        entries = _entries(cls.__dict__.get("__doc__") or "")
        found = entries.get(name) or entries.get(field.alias or "")
        if found:
            return found
    return ""


def _entries(doc: str) -> dict[str, str]:
    """Texts under ``Attributes`` of a numpydoc docstring, by name; ``a, b : int`` tells of both."""
    from docstring_parser import DocstringStyle, parse

    found = [item for item in parse(doc, style=DocstringStyle.NUMPYDOC).params if item.args[0] == "attribute"]
    texts = {item.arg_name: " ".join((item.description or "").split()) for item in found}
    return {name.strip(): text for names, text in texts.items() for name in names.split(",")}


def model_of(config: Mapping[str, Any], key: str) -> tuple[type[BaseModel] | None, list[str], str]:
    """Class that validates the section that ``key`` lies in, the rest of the path, and whose class it is.

    Raises
    ------
    PluginError
        When no plugin has what the section names.
    """
    group, *rest = key.split(".")
    if group in COMPONENT_GROUPS:
        found = registry().find(COMPONENT_GROUPS[group], config[group]["name"])
        return found.load(), rest, found.owner
    if group == "gates" and rest[:1] == ["checks"] and len(rest) > 1:
        found = registry().find("gate_check", rest[1])
        return found.load(), rest[2:], found.owner
    return SECTIONS.get(group), rest, "ftfkit"

"""``explain``: what a configuration key means, its rule, its value and who set it."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ftfkit.cli.arguments import ArgumentParser
from ftfkit.config.compose import Composed, composer
from ftfkit.config.meaning import ROOT_KEYS, meaning, model_of
from ftfkit.config.sections import SECTIONS
from ftfkit.errors import UsageError


def main(arguments: list[str]) -> int:
    """Explain one key (``label.stop_atr``), group (``cv``) or gate (``gates.checks.f1_lift``)."""
    parser = ArgumentParser(prog="python -m ftfkit explain", description=__doc__)
    parser.add_argument("key", help="dotted key (label.stop_atr), group (cv) or gate (gates.checks.f1_lift)")
    parser.add_argument("overrides", nargs="*", default=[], help="context (label=ATR1.0_1.0_H4)")
    parser.add_config_dir()
    options = parser.parse_args(arguments)
    composed = composer(options.config_dir).compose(options.overrides)
    print("\n".join(explanation(composed, options.key)))
    return 0


def explanation(composed: Composed, key: str) -> list[str]:
    """Lines about one key of a composed config.

    Raises
    ------
    UsageError
        When the config has no such key; names the nearest.
    """
    if not composed.config.get(key.split(".", maxsplit=1)[0]) and key.split(".", maxsplit=1)[0] in SECTIONS:
        return _of_no_option(key)
    value = _value(composed, key)
    model, path, owner = model_of(composed.config, key)
    lines = [f"{key} = {value!r}" if not isinstance(value, Mapping) else f"{key}: {len(value)} keys"]
    lines.append(f"set by    {composed.where(key)}")
    if model is None:
        return [*lines, f"meaning   {ROOT_KEYS[key]}"] if key in ROOT_KEYS else lines
    lines.append(f"owner     {owner}")
    field = model.model_fields.get(path[-1]) if path else None
    if field is not None:
        return [*lines, f"rule      {_rule(field)}", f"meaning   {meaning(model, path[-1])}"]
    lines += ["", _about(model), ""]
    return [*lines, *_fields(model, value)]


def _of_no_option(key: str) -> list[str]:
    """Lines about a section that stays empty until an option of its group is chosen, as ``track`` does."""
    group, *inner = key.split(".")
    model = SECTIONS[group]
    if inner:
        if inner[0] not in model.model_fields:
            raise _unknown(key, inner[0], model.model_fields)
        rule = _rule(model.model_fields[inner[0]])
        return [f"{key}: not set; {group}=OPTION sets it", f"rule      {rule}", f"meaning   {meaning(model, inner[0])}"]
    return [f"{group}: not set; {group}=OPTION sets it", "", _about(model), "", *_fields(model, {})]


def _fields(model: type[BaseModel], values: Any) -> list[str]:
    """One line a field: its value where that is one word, rule and meaning."""
    lines = []
    for name, info in model.model_fields.items():
        value = values.get(name) if isinstance(values, Mapping) else None
        shown = "" if value is None or isinstance(value, (Mapping, list)) else f" = {value!r}"
        lines.append(f"  {name}{shown}: {_rule(info)}; {meaning(model, name)}")
    return lines


def _about(model: type[BaseModel]) -> str:
    """Docstring without the entries of its fields, which stand beside their rules."""
    return re.split(r"\n+Attributes\n-+\n", inspect.getdoc(model) or "")[0]


def _value(composed: Composed, key: str) -> Any:
    level: Any = composed.config
    for part in key.split("."):
        if not isinstance(level, Mapping) or part not in level:
            raise _unknown(key, part, map(str, level) if isinstance(level, Mapping) else ())
        level = level[part]
    return level


def _unknown(key: str, part: str, names: Iterable[str]) -> UsageError:
    known = sorted(names)
    near = difflib.get_close_matches(part, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return UsageError(f"command line: {key}: no such key; known here: {', '.join(known)}{hint}")


def _rule(field: FieldInfo) -> str:
    kind = _kind(field.annotation)
    bounds = [
        f"{sign} {getattr(item, name)}"
        for item in field.metadata
        for name, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="))
        if getattr(item, name, None) is not None
    ]
    default = "required" if field.is_required() else f"default {field.get_default(call_default_factory=True)!r}"
    return ", ".join([kind, *bounds, default])


def _kind(annotation: Any) -> str:
    """Type of a field as a reader would write it; the values themselves where there are only so many."""
    origin = get_origin(annotation)
    if origin is Literal:
        return " | ".join(map(repr, get_args(annotation)))
    if origin in {Union, UnionType}:
        return " | ".join(map(_kind, get_args(annotation)))
    if annotation is NoneType:
        return "None"
    return getattr(annotation, "__name__", str(annotation).replace("typing.", ""))

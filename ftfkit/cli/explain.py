"""``explain``: what a configuration key means, its rule, its value and who set it."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ftfkit.cli.arguments import ArgumentParser
from ftfkit.config.compose import Composed, composer
from ftfkit.config.meaning import ROOT_KEYS, meaning, model_of
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
    lines += [f"  {name}: {_rule(info)}; {meaning(model, name)}" for name, info in model.model_fields.items()]
    return lines


def _about(model: type[BaseModel]) -> str:
    """Docstring without the entries of its fields, which stand beside their rules."""
    return re.split(r"\n+Attributes\n-+\n", inspect.getdoc(model) or "")[0]


def _value(composed: Composed, key: str) -> Any:
    level: Any = composed.config
    for part in key.split("."):
        if not isinstance(level, Mapping) or part not in level:
            known = [str(name) for name in level] if isinstance(level, Mapping) else []
            near = difflib.get_close_matches(part, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise UsageError(f"command line: {key}: no such key; known here: {', '.join(sorted(known))}{hint}")
        level = level[part]
    return level


def _rule(field: FieldInfo) -> str:
    kind = getattr(field.annotation, "__name__", str(field.annotation).replace("typing.", ""))
    bounds = [
        f"{sign} {getattr(item, name)}"
        for item in field.metadata
        for name, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="))
        if getattr(item, name, None) is not None
    ]
    default = "required" if field.is_required() else f"default {field.get_default(call_default_factory=True)!r}"
    return ", ".join([kind, *bounds, default])

"""Plain values to validated sections and components; every refusal names place, value, rule and owner."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ftfkit.config.compose import COMMAND_LINE, Composed
from ftfkit.errors import ConfigError, FtfkitError, PluginError
from ftfkit.plugin_checks import brief
from ftfkit.plugins import Registry

_Model = TypeVar("_Model", bound=BaseModel)
_UNITS = {
    "_bars": "a number of bars",
    "_bps": "basis points",
    "_pct": "percent",
    "_frac": "a fraction",
    "_hours": "hours",
    "_atr": "a multiple of the ATR",
    "_rounds": "a number of rounds",
}
_WANTED = {  # first word of pydantic's error type -> what is wanted
    "int": "a valid integer",
    "float": "a valid number",
    "bool": "true or false",
    "string": "text",
    "tuple": "a list",
    "list": "a list",
    "set": "a list",
    "dict": "a mapping of keys to values",
    "mapping": "a mapping of keys to values",
    "model": "a mapping of keys to values",
    "date": "a date such as 2024-01-31",
    "path": "a path",
}
_TEXTS = {
    "literal_error": "must be {expected}",
    "too_short": "must have {min_length} or more entries",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must match {pattern}",
}
_COMPARISONS = {
    "greater_than": (">", "gt"),
    "greater_than_equal": (">=", "ge"),
    "less_than": ("<", "lt"),
    "less_than_equal": ("<=", "le"),
}


def section(composed: Composed, group: str, model: type[_Model]) -> _Model:
    """Validate one group against its schema.

    Raises
    ------
    ConfigError
        With the first rule that is broken.
    """
    return validated(composed, group, composed.config.get(group, {}), model, "ftfkit")


def component(composed: Composed, group: str, kind: str, plugins: Registry, **forced: Any) -> Any:
    """Build the component that ``<group>.name`` selects among the registered plugins of ``kind``.

    ``forced`` sets fields that follow from other groups and so are no business of the config.
    """
    values = dict(composed.config.get(group) or {})
    return named_component(composed, group, values.pop("name", None), values | forced, kind, plugins)


def named_component(
    composed: Composed, key: str, name: Any, values: Mapping[str, Any], kind: str, plugins: Registry
) -> Any:
    """Build component ``name`` of ``kind`` from ``values`` found at ``key``."""
    if not isinstance(name, str):
        raise ConfigError(composed.where(f"{key}.name"), f"{key}.name", name, "must name a registered plugin")
    try:
        registration = plugins.find(kind, name)
    except PluginError as error:
        refused = ConfigError(composed.where(f"{key}.name"), f"{key}.name", name, f"cannot be used: {error}")
        raise (PluginError(str(refused)) if plugins.broken else refused) from error
    return validated(composed, key, values, registration.load(), registration.owner)


def validated(composed: Composed, key: str, values: Any, model: type[_Model], owner: str) -> _Model:
    """Validate ``values`` against ``model``; ``key`` is their dotted place in the config."""
    if not isinstance(values, Mapping):
        raise ConfigError(composed.where(key), key, values, "must be a mapping of keys to values", owner)
    for name, value in values.items():
        if value == "???":
            rule = f"must be given ({key}.{name}=VALUE)"
            raise ConfigError(composed.where(f"{key}.{name}"), f"{key}.{name}", value, rule, owner)
    try:
        made = model.model_validate(dict(values))
    except ValidationError as error:
        raise _refusal(composed, key, values, model, error, owner) from error
    except FtfkitError:
        raise
    except Exception as error:  # a validator that fails, or a schema that pydantic cannot build
        rule = f"cannot be validated: {brief(error)}"
        raise PluginError(f"{composed.where(key)}: {key} {rule} ({owner})") from error
    for dotted, value, rule in _coerced(key, values, made):
        raise ConfigError(composed.where(dotted), dotted, repr(value), rule, owner)
    return made


def _coerced(key: str, given: Any, made: Any) -> Iterator[tuple[str, Any, str]]:
    """Places at which text or a truth value became a number, or something else became a truth value.

    Asked of the result because pydantic's strict mode would refuse lists and dates too, which YAML has no types for.
    """
    if isinstance(given, Mapping):
        for name, value in given.items():
            inner = made.get(name) if isinstance(made, Mapping) else getattr(made, name, None)
            yield from _coerced(f"{key}.{name}", value, inner)
    elif isinstance(given, list | tuple) and isinstance(made, list | tuple):
        for value, inner in zip(given, made, strict=False):
            yield from _coerced(key, value, inner)
    elif isinstance(made, bool) and not isinstance(given, bool):
        yield key, given, "must be true or false"
    elif isinstance(made, int | float) and not isinstance(made, bool) and isinstance(given, str | bool):
        yield key, given, "must be a number"


def _refusal(
    composed: Composed, key: str, given: Any, model: type[BaseModel], error: ValidationError, owner: str
) -> ConfigError:
    # An unknown key first: a misspelt one is also reported as the right one missing.
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    path = _path(given, first["loc"])
    dotted = ".".join([key, *path])
    value = first["input"]
    if first["type"] == "missing":
        place = composed.where(dotted if composed.on_command_line(dotted) else key)
        return ConfigError(place, dotted, "(not given)", "is required", owner)
    whole = isinstance(value, Mapping) and composed.touched_on_command_line(dotted)  # values that do not go together
    return ConfigError(
        COMMAND_LINE if whole else composed.where(dotted), dotted, value, _rule(first, path, model), owner
    )


def _path(given: Any, loc: tuple[int | str, ...]) -> list[str]:
    """Keys that lead to a value; pydantic names validators and, below a single value, members of unions beside them."""
    path = []
    for part in loc:
        if not isinstance(given, Mapping | list | tuple):
            break
        if not str(part).endswith("]"):
            path.append(str(part))
            given = given.get(part) if isinstance(given, Mapping) else given[int(part)]
    return path


def _rule(error: Any, path: list[str], model: type[BaseModel]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(path, model)
    if kind in _COMPARISONS:
        sign, bound = _COMPARISONS[kind]
        return f"must be {sign} {context[bound]:g}"
    wanted = _WANTED.get(kind.partition("_")[0])
    if wanted and kind.endswith(("_parsing", "_type", "_from_float", "_exact")):
        unit = next((text for suffix, text in _UNITS.items() if path and path[-1].endswith(suffix)), None)
        return f"must be {wanted}" + (f": {unit}" if unit else "")
    if kind in _TEXTS:
        return _TEXTS[kind].format(**context)
    message = re.sub("^(Input|String|Value) should ", "must ", str(error["msg"]).removeprefix("Value error, "))
    return message if message.startswith("must") else f"is refused: {message}"


def _unknown(path: list[str], model: type[BaseModel]) -> str:
    known = _fields(model, path[:-1])
    if not known:
        return "is not a parameter here: there are none"
    near = difflib.get_close_matches(path[-1], known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"is not a parameter here; known: {', '.join(known)}{hint}"


def _fields(model: type[BaseModel], path: list[str]) -> list[str]:
    for name in path:
        field = model.model_fields.get(name)
        inner = getattr(field, "annotation", None)
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return sorted(model.model_fields)

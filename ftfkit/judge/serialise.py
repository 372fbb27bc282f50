"""Verdicts as JSON-ready dicts (schema 1) and back, without loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ftfkit.errors import FtfkitError
from ftfkit.types import Verdict

SCHEMA = 1


def verdict_to_dict(verdict: Verdict) -> dict[str, Any]:
    """``verdict.json`` and ``judge --json``: plain Python values, never NaN or inf (they become None)."""
    plain: dict[str, Any] = _plain(asdict(verdict))
    for one in plain["variants"].values():
        del one["variant"]
    order = ("schema", "run_id", "baseline", "gates", "post_hoc", "synthetic", "variants")
    return {name: plain[name] for name in order}


def verdict_from_dict(content: Mapping[str, Any]) -> Verdict:
    """What ``verdict_to_dict`` was given.

    Raises
    ------
    FtfkitError
        When the schema is another one or the content does not fit it.
    """
    if content.get("schema") != SCHEMA:
        raise FtfkitError(f"verdict: schema == {content.get('schema')} must be {SCHEMA} (ftfkit)")
    try:
        variants = {name: {"variant": name, **one} for name, one in content["variants"].items()}
        return _adapter().validate_python({**content, "variants": variants})
    except (KeyError, AttributeError, TypeError) as error:
        raise FtfkitError(f"verdict: variants must map names to verdicts: {error} (ftfkit)") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise FtfkitError(f"verdict: {place}: {first['msg']} (ftfkit)") from error


@cache
def _adapter() -> TypeAdapter[Verdict]:
    return TypeAdapter(Verdict)


def _plain(value: Any) -> Any:
    """Containers as dicts and lists, floats finite."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value

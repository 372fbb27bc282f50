"""Ensemble members: registered models named in a config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ftfkit.components import Model
from ftfkit.errors import PluginError
from ftfkit.plugins import registry


def member(values: Mapping[str, Any], **forced: Any) -> Model:
    """Build a registered model from ``{name: ..., **parameters}``.

    Raises
    ------
    ValueError
        When the name is missing or unknown, or the model refuses its parameters; fit for a pydantic validator.
    """
    parameters = dict(values)
    name = parameters.pop("name", None)
    if not isinstance(name, str):
        raise ValueError("name must name a registered model")
    try:
        model: Model = registry().load("model", name)(**{**parameters, **forced})
    except PluginError as error:
        raise ValueError(f"must name a registered model: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{name}.{'.'.join(map(str, first['loc']))} is refused: {first['msg']}") from error
    return model

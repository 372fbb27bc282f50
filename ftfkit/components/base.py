"""What every kind of component is."""

from __future__ import annotations

from abc import ABC

from pydantic import BaseModel, ConfigDict


class Component(BaseModel, ABC):
    """Base of all kinds: frozen, unknown keys forbidden; text in a config is never taken for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

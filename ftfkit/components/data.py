"""Where bars come from, and what is made of them: features and labels."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import ClassVar

from pydantic import Field, field_validator

from ftfkit.components.base import Component
from ftfkit.types import Asset, Bars, Events, Features, Market, RawBars, Universe


class DataSource(Component):
    """Where native bars come from.

    Attributes
    ----------
    holdout_from : datetime or None
        Start of the reserved hold-out, UTC; the core cuts every asset there and nothing reads past it.
    """

    holdout_from: datetime | None = None
    synthetic: ClassVar[bool] = False

    @field_validator("holdout_from", mode="before")
    @classmethod
    def _is_no_number(cls, value: object) -> object:
        if isinstance(value, int | float) or (isinstance(value, str) and value.strip().lstrip("+-")[:5].isdigit()):
            raise ValueError("must be an ISO date such as 2025-01-01")  # pydantic takes numbers for seconds since 1970
        return value

    @abstractmethod
    def read(self, asset: Asset) -> RawBars:
        """Raw native bars of one asset; the core validates, repairs or refuses them.

        Raises
        ------
        DataError
            When the asset cannot be had; names the places that were searched.
        """


class FeatureSet(Component):
    """Causal features of one asset on its label bars."""

    def needs(self, asset: Asset, universe: Universe) -> tuple[Asset, ...]:
        """Other assets the market must hold; they enter the fit key."""
        return ()

    @abstractmethod
    def compute(self, asset: Asset, market: Market) -> Features:
        """Features aligned with ``market.label[asset.name]``.

        Returns
        -------
        Features
            ``values`` float32, shape (n_label_bars, n_features).

        Notes
        -----
        Row t may use what is known at ``close_time[t]`` only. NaN where a window is not full; no window bridges a gap.
        """


class LabelScheme(Component):
    """Rule that turns bars into labelled events.

    Attributes
    ----------
    bar_hours : int
        Length of a label bar, in hours.
    """

    bar_hours: int = Field(ge=1, le=24)

    @abstractmethod
    def events(self, bars: Bars, native: Bars) -> Events:
        """Events of the label bars ``bars``; ``native`` are the finer bars of the same asset that decide ties.

        Returns
        -------
        Events
            Sorted by ``t0``, the close of the event's bar, ns UTC; ``t1 >= t0`` is the moment from which the label is
            known, and nothing later may decide it. ``y`` is 1 for BUY, else 0.

        Notes
        -----
        No event's window crosses a gap or the end of the bars; one that would is left out and counted in ``dropped``.
        """

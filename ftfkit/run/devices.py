"""What a plan must say about the device that its models are fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def device_note(document: Mapping[str, Any]) -> str | None:
    """One line where a model is not fitted on the CPU, else None.

    Parameters
    ----------
    document : mapping
        As ``plan.json`` holds it.

    Notes
    -----
    The device is part of the fit key: sums run in another order there, so that figures differ in their last digits and
    a search can take another turn.
    """
    found = {name: variant["config"]["model"].get("device", "cpu") for name, variant in document["variants"].items()}
    elsewhere = {name: device for name, device in found.items() if device != "cpu"}
    if not elsewhere:
        return None
    devices = ", ".join(sorted(set(elsewhere.values())))
    note = f"model.device == {devices}: rows from another device are other cells, none of them is reused"
    if len(elsewhere) == len(found):
        return note
    return f"{note}; {', '.join(elsewhere)} and the others differ by their device too"

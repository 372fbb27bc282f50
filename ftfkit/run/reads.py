"""Who has read which bars, and how far: a hold-out that anything has read is spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from ftfkit.errors import PlanError
from ftfkit.run.bars import utc_ns
from ftfkit.run.files import UNREADABLE, brief
from ftfkit.run.ledger import Entry, Ledger
from ftfkit.run.records import PLAN, RunRecord, list_runs


def read_assets(document: Mapping[str, Any]) -> list[str]:
    """Assets whose bars a plan reads, those that only its feature sets look at included."""
    return list(dict.fromkeys((*document["universe"]["assets"], *document.get("market", {}))))


def enter_read(ledger: Ledger, document: Mapping[str, Any]) -> None:
    """Tell the ledger once which bars a plan, a run or a null check reads, so that no file must be there to know it."""
    facts = {"assets": read_assets(document), "end_utc": document["period"]["end_utc"]}
    if not any(entry.kind == "read" and entry.facts == facts for entry in ledger.entries()):
        ledger.append("read", facts)


def refuse_read(
    entries: Sequence[Entry], output: Path, document: Mapping[str, Any], variant: str, period: tuple[int, int]
) -> None:
    """A hold-out counts once: no plan, run, null check or other confirmation may have read any of it.

    Raises
    ------
    PlanError
        Naming the reader, or the folder of a run of which nobody can say what it has read.
    """
    assets = set(read_assets(document))
    for entry in entries:
        facts = entry.facts
        if entry.kind in {"opened", "confirmed"} and assets & set(facts["assets"]) and _overlap(facts, period):
            same = (facts["run_id"], facts["variant"]) == (document["run_id"], variant)
            if entry.kind == "confirmed" or not same:
                told = f"{facts['run_id']} {facts['variant']}"
                raise PlanError(f"the hold-out was used for {told} (ledger line {entry.n}), and counts once (ftfkit)")
    for reader, others, end in sorted(_readers(entries, output)):
        if assets & set(others) and _ns(end) > period[0]:
            start = iso_utc(period[0])
            raise PlanError(f"the hold-out from {start} was read by {reader}, which goes to {end} (ftfkit)")


def _readers(entries: Sequence[Entry], output: Path) -> Iterator[tuple[str, Sequence[str], str]]:
    """Who has read bars, of which assets, and to what end; runs by their folders and by the ledger alike."""
    for entry in entries:
        if entry.kind == "judged":
            yield f"run {entry.facts['run_id']}", entry.facts["assets"], entry.facts["edges_utc"][-1]
        elif entry.kind == "read":
            reader = f"the plan, run or null check of ledger line {entry.n}"
            yield reader, entry.facts["assets"], entry.facts["end_utc"]
    yield from map(_reader, list_runs(output))


def _reader(run: RunRecord) -> tuple[str, Sequence[str], str]:
    try:
        assets, end = read_assets(run.plan), run.plan["period"]["end_utc"]
        _ns(end)
    except UNREADABLE as error:
        rule = "must be a plan: the run may have read the hold-out"
        raise PlanError(f"{run.folder / PLAN}: cannot be read ({brief(error)}), {rule} (ftfkit)") from error
    return f"run {run.run_id}", assets, end


def _overlap(facts: Mapping[str, Any], period: tuple[int, int]) -> bool:
    start, stop = map(_ns, facts["holdout_utc"])
    return start < period[1] and period[0] < stop


def _ns(iso: str) -> int:
    return utc_ns(datetime.fromisoformat(iso))


def iso_utc(ns: int) -> str:
    """A time in ns UTC as the ledger has it."""
    return pd.Timestamp(ns, unit="ns", tz="UTC").isoformat()

"""Where two documents, rows or files part, told in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pandas as pd

from ftfkit.judge.rows import CELL, Cell
from ftfkit.run.keys import canonical

_FIRST = (  # the order in which differences are told; everything else follows by name
    "baseline",
    "family_size",
    "universe",
    "label",
    "folds",
    "cv",
    "gates",
    "stats",
    "decision_rule",
    "hpo",
    "seed",
    "variants",
    "options",
    "period",
    "data",
    "market",
    "versions",
)
_LAST = ("plugins", "cells")  # these follow from something else, or from code
_LONG = 80
_ABSENT = object()


def differences(planned: Any, found: Any, key: str = "") -> Iterator[tuple[str, str, str]]:
    """Each differing value of two JSON documents: dotted key, the one value, the other."""
    if isinstance(planned, Mapping) and isinstance(found, Mapping):
        if planned.keys() != found.keys() and key == "variants":
            yield key, ", ".join(planned), ", ".join(found)
            return
        for name in _ordered({*planned, *found}, top=not key):
            pair = planned.get(name, _ABSENT), found.get(name, _ABSENT)
            yield from differences(*pair, f"{key}.{name}" if key else name)
    elif isinstance(planned, list) and isinstance(found, list) and len(planned) == len(found):
        for place, pair in enumerate(zip(planned, found, strict=True)):
            yield from differences(*pair, f"{key}.{place}")
    elif canonical(_plain(planned)) != canonical(_plain(found)):
        yield key, _told(planned), _told(found)


def told_differences(expected: Any, found: Any, told: str, then: str = "found") -> Iterator[str]:
    """The same in words, a line each."""
    for key, before, after in differences(expected, found):
        yield f"{key}: {told} {before}, {then} {after}"


def row_differences(stored: pd.DataFrame, found: pd.DataFrame) -> Iterator[str]:
    """Cells and values in which rows are not those of the store; what was computed since is none."""
    if list(stored.columns) != list(found.columns):
        odd = sorted({*stored.columns} ^ {*found.columns}) or ["their order"]
        yield f"columns: not in both the store and the file: {', '.join(odd)}"
        return
    own, other = _by_cell(stored), _by_cell(found)
    for place, cell in enumerate(dict.fromkeys((*other, *own)), start=1):
        where = f"row {place} ({cell})"
        if cell in other and other[cell]["status"] == "skipped":
            continue  # holds no result; the recomputed verdict stands on the bound, whatever was computed since
        if cell not in own or cell not in other:
            yield f"{where}: is {'not in the store' if cell in other else 'missing'}"
        elif not _since(own[cell], other[cell]):
            for column, value in own[cell].items():
                if not _same(value, other[cell][column]):
                    yield f"{where}: {column}: stored {value}, found {other[cell][column]}"


def computed_since(stored: pd.DataFrame, found: pd.DataFrame) -> Iterator[str]:
    """Rows that hold an error where the store has a result by now."""
    own = _by_cell(stored)
    for place, (cell, row) in enumerate(_by_cell(found).items(), start=1):
        if cell in own and _since(own[cell], row):
            yield f"row {place} ({cell}): was an error, and has been computed since"


def line_differences(expected: Path, found: Path) -> Iterator[str]:
    """Lines of a text file that are not as rendered; of an image only that it is not."""
    if not found.is_file():
        yield "is missing"
    elif expected.suffix == ".png":
        if expected.read_bytes() != found.read_bytes():
            yield "is not the figure that these rows make"
    else:
        own, other = (file.read_text(encoding="utf-8", errors="replace").split("\n") for file in (expected, found))
        for tag, start, stop, begin, end in SequenceMatcher(None, own, other, autojunk=False).get_opcodes():
            if tag != "equal":
                pairs = zip_longest(own[start:stop], other[begin:end], fillvalue="")
                yield from (f"line {begin + n}: {_around(*pair)}" for n, pair in enumerate(pairs, start=1))


def _around(before: str, after: str, width: int = 60) -> str:
    """The first place where two lines part, with a little of what stands before it."""
    at = next((i for i, pair in enumerate(zip_longest(before, after)) if pair[0] != pair[1]), 0)
    start = max(0, at - width // 2)
    return f"rendered {before[start : start + width]!r}, found {after[start : start + width]!r}"


def _ordered(names: set[str], *, top: bool) -> list[str]:
    if not top:
        return sorted(names)
    first = [name for name in _FIRST if name in names]
    last = [name for name in _LAST if name in names]
    return [*first, *sorted(names - {*first, *last}), *last]


def _plain(value: Any) -> Any:
    return {"absent": True} if value is _ABSENT else value


def _told(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    text = value if isinstance(value, str) else canonical(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}..."


def _by_cell(frame: pd.DataFrame) -> dict[Cell, dict[str, Any]]:
    """Rows as mappings of column to value, in the frame's order."""
    ordered: Iterable[Any] = frame[CELL + [name for name in frame.columns if name not in CELL]].itertuples(index=False)
    return {Cell(*row[:3]): row._asdict() for row in ordered}


def _since(stored: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return bool(found["status"] == "error" and stored["status"] == "ok")


def _same(value: Any, other: Any) -> bool:
    return bool(value == other) or (pd.isna(value) and pd.isna(other))

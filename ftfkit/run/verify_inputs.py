"""What a run was made of, where it can be had: bars by fingerprint, predictions by what they say, plugins by name."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ftfkit.config.origin import placed
from ftfkit.config.schema import Experiment
from ftfkit.errors import FtfkitError
from ftfkit.judge.rows import Cell
from ftfkit.plugins import registry
from ftfkit.run.bars import native_bars, utc_ns
from ftfkit.run.differences import told_differences
from ftfkit.run.files import brief, read_json
from ftfkit.run.predictions import predictions_file, read_predictions
from ftfkit.run.records import MANIFEST, file_hashes
from ftfkit.types import Asset, Predictions

_KEPT = ("params", "rounds", "valid_value", "n_trials", "n_pruned", "n_train", "n_purged", "target_notes")


@dataclass(frozen=True)
class Inputs:
    """Places that do not agree, what could not be checked, and a line on what was."""

    mismatches: tuple[str, ...]
    notes: tuple[str, ...]
    checked: str


def checked_bars(document: Mapping[str, Any], experiment: Experiment) -> Inputs:
    """Fingerprints of a plan's bars against those of the bars that its configuration reads now."""
    spec = experiment.baseline.spec
    bars = {asset: one["sha256"] for asset, one in document["data"].items()} | dict(document["market"])
    end, quote = utc_ns(pd.Timestamp(document["period"]["end_utc"])), document["universe"]["quote"]
    mismatches, notes = [], []
    for name, planned in bars.items():
        try:
            with placed(experiment):
                found = native_bars(spec.data, Asset(name.removesuffix(quote), quote)).up_to(end).sha256()
        except FtfkitError as error:
            notes.append(f"data: {name} cannot be reached: {error}")
            continue
        if found != planned:
            mismatches.append(f"{name}: sha256: planned {planned}, found {found}")
    return Inputs(tuple(mismatches), tuple(notes), f"data: {len(bars) - len(notes)} of {len(bars)} fingerprints")


def checked_predictions(rows: pd.DataFrame, folder: Path) -> Inputs:
    """Stored predictions against the rows that were made of them, as far as neither bars nor labels are needed.

    A file holds a hash of itself, and what the fit found: parameters, rounds, trials, training events. Rows of one fit
    key share its file.
    """
    mismatches: list[str] = []
    found: dict[str, Predictions | None] = {}
    absent = set()
    for _, row in rows[rows["status"] == "ok"].iterrows():
        key, cell = row["fit_key"], Cell(row["variant"], row["asset"], int(row["fold"]))
        if not predictions_file(folder, key).is_file():
            absent.add(key)
            continue
        if key not in found:
            found[key] = read_predictions(folder, key)
            if found[key] is None:
                mismatches.append(f"{cell}: {predictions_file(folder, key).name} is damaged")
        predictions = found[key]
        if predictions is not None:
            mismatches.extend(f"{cell}: {text}" for text in _differences(row, predictions))
    n_all = len(found) + len(absent)
    notes = (f"predictions: {len(absent)} of {n_all} files are not in {folder}",) if absent else ()
    return Inputs(tuple(mismatches), notes, f"predictions: {len(found)} files, as their rows say")


def checked_manifest(folder: Path, told: Collection[str]) -> Inputs:
    """Hashes of a run's files against its manifest, those apart of which a mismatch is ``told`` already."""
    try:
        listed = dict(read_json(folder / MANIFEST))
    except (OSError, ValueError, TypeError) as error:
        return Inputs((f"cannot be read: {brief(error)}",), (), "")
    found = file_hashes(folder)
    mismatches = tuple(
        f"{name}: listed {listed.get(name, 'not')}, found {found.get(name, 'no such file')}"
        for name in sorted({*listed, *found} - {*told})
        if listed.get(name) != found.get(name)
    )
    return Inputs(mismatches, (), f"{MANIFEST}: {len(listed)} files")


def absent_plugins(document: Mapping[str, Any]) -> Iterator[str]:
    """Plugins that took part in a run and are not loaded here, a line each."""
    here = {plugin.name for plugin in registry().plugins}
    for one in document["plugins"]:
        if one["name"] not in here:
            yield f"the run was made with {one['distribution']} {one['version']}, which is not loaded here"


def _differences(row: pd.Series[Any], predictions: Predictions) -> Iterator[str]:
    """What a row holds of its fit, and what the predictions say of it."""
    kept = {name: getattr(predictions, name) for name in _KEPT} | {"n_test": len(predictions.test_index)}
    made, said = ({name: _plain(values[name]) for name in kept} for values in (kept, row))
    return told_differences(made, said, "predictions have", "the row has")


def _plain(value: Any) -> Any:
    """A mapping, or a number as JSON has it; pandas makes floats of integers where a row of the column is empty."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, str):
        return json.loads(value)
    number = float(value)
    return int(number) if number.is_integer() else number

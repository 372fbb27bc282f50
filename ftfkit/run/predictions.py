"""Predictions on disk: one Parquet file a fit key, written whole or not at all."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ftfkit.types import Predictions

PARTS = ("test", "oof", "valid")
_ARRAYS = frozenset(f"{part}_{name}" for part in PARTS for name in ("index", "proba"))
_SCALARS = tuple(field.name for field in fields(Predictions) if field.name not in _ARRAYS)
_METADATA = b"ftfkit"


def predictions_file(folder: Path, fit_key: str) -> Path:
    """Where the predictions of a fit key are, once they are known."""
    return folder / f"{fit_key}.parquet"


def write_predictions(folder: Path, fit_key: str, predictions: Predictions) -> Path:
    """Write the predictions of a fit key; readers see the old file or the new one, never a part.

    The columns are ``part`` (test, oof, valid), ``index`` (event position) and ``proba``; everything else is JSON in
    the file's metadata.
    """
    columns = {
        name: np.concatenate([getattr(predictions, f"{p}_{name}") for p in PARTS]) for name in ("index", "proba")
    }
    part = np.repeat(PARTS, [len(getattr(predictions, f"{p}_index")) for p in PARTS])
    scalars = json.dumps({name: getattr(predictions, name) for name in _SCALARS}, default=dict)
    table = pa.table({"part": pa.array(part).dictionary_encode(), **columns})
    table = table.replace_schema_metadata({_METADATA: scalars.encode()})
    folder.mkdir(parents=True, exist_ok=True)
    target = predictions_file(folder, fit_key)
    unfinished = target.with_suffix(f".{os.getpid()}.tmp")
    pq.write_table(table, unfinished)
    unfinished.replace(target)
    return target


def read_predictions(folder: Path, fit_key: str) -> Predictions | None:
    """Predictions of a fit key; None when there are none, or their file is damaged and must be made anew."""
    try:
        table = pq.read_table(predictions_file(folder, fit_key))
    except (FileNotFoundError, pa.ArrowInvalid):
        return None
    part = np.asarray(table["part"].combine_chunks().dictionary_decode())
    index, proba = table["index"].to_numpy(), table["proba"].to_numpy()
    arrays = {f"{p}_index": index[part == p] for p in PARTS} | {f"{p}_proba": proba[part == p] for p in PARTS}
    return Predictions(**arrays, **json.loads(table.schema.metadata[_METADATA]))

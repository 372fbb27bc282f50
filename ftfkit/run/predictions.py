"""Predictions on disk: one Parquet file a fit key, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from ftfkit.types import Predictions

PARTS = ("test", "oof", "valid")
_ARRAYS = frozenset(f"{part}_{name}" for part in PARTS for name in ("index", "proba"))
_SCALARS = tuple(field.name for field in fields(Predictions) if field.name not in _ARRAYS)
_METADATA, _DIGEST = b"ftfkit", b"sha256"


def predictions_file(folder: Path, fit_key: str) -> Path:
    """Where the predictions of a fit key are, once they are known."""
    return folder / f"{fit_key}.parquet"


def write_predictions(folder: Path, fit_key: str, predictions: Predictions) -> Path:
    """Write the predictions of a fit key; readers see the old file or the new one, never a part.

    The columns are ``part`` (test, oof, valid), ``index`` (event position) and ``proba``; everything else is JSON in
    the file's metadata, beside a hash of it all.
    """
    arrays = {name: getattr(predictions, name) for name in sorted(_ARRAYS)}
    columns = {
        name: np.concatenate([getattr(predictions, f"{p}_{name}") for p in PARTS]) for name in ("index", "proba")
    }
    part = np.repeat(PARTS, [len(getattr(predictions, f"{p}_index")) for p in PARTS])
    scalars = json.dumps({name: getattr(predictions, name) for name in _SCALARS}, default=dict).encode()
    table = pa.table({"part": pa.array(part).dictionary_encode(), **columns})
    table = table.replace_schema_metadata({_METADATA: scalars, _DIGEST: _digest(arrays, scalars)})
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
        part = np.asarray(table["part"].combine_chunks().dictionary_decode())
        index, proba = table["index"].to_numpy(), table["proba"].to_numpy()
        arrays = {f"{p}_index": index[part == p] for p in PARTS} | {f"{p}_proba": proba[part == p] for p in PARTS}
        scalars = table.schema.metadata[_METADATA]
        if table.schema.metadata[_DIGEST] != _digest(arrays, scalars):
            return None
        return Predictions(**arrays, **json.loads(scalars))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException):  # whatever a wrong byte is
        return None


def _digest(arrays: Mapping[str, npt.NDArray[Any]], scalars: bytes) -> bytes:
    digest = hashlib.sha256(scalars)
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} ".encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest().encode()

"""Files of an output folder: written as a whole, read back as JSON, told apart by their hash."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError)  # what a damaged or foreign file raises


def read_json(file: Path) -> Any:
    """What a JSON file holds.

    Raises
    ------
    OSError
        When it cannot be opened.
    ValueError
        When it is not JSON in UTF-8.
    """
    return json.loads(file.read_text(encoding="utf-8"))


def write_json(folder: Path, name: str, document: Any) -> None:
    """Write one JSON file of a folder as a whole; NaN and infinity are refused."""
    write_atomically(folder / name, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def file_sha256(file: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def brief(error: BaseException) -> str:
    """What an error says, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def write_atomically(file: Path, text: str | None) -> None:
    """Replace a file as a whole, or remove it: a reader sees the old text or the new one, never a part.

    A symbolic link stays one: the file that it names is replaced, and keeps its permissions. When this returns, the
    change is on disk; where it cannot be written, nothing of it is left behind.
    """
    file = file.resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    if text is None:
        file.unlink(missing_ok=True)
    else:
        unfinished = file.with_name(f".{file.name}.{os.getpid()}.tmp")
        try:
            with unfinished.open("w", encoding="utf-8", newline="") as stream:
                if file.exists():
                    os.fchmod(stream.fileno(), stat.S_IMODE(file.stat().st_mode))
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.replace(file)
        finally:
            unfinished.unlink(missing_ok=True)
    _synced(file.parent)


def _synced(folder: Path) -> None:
    """Bring a folder's entries to disk."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)

"""The ledger: what was planned, looked at, judged and locked, in order; append-only and hash-chained.

Each line carries the hash of the line before it, so that none can be changed, moved or taken out unnoticed. Lines cut
off at the end leave the chain whole; the file ``ledger.head`` beside it names the last line. A ledger without a head is
an older one, and gets it with its next line.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

from ftfkit.errors import LedgerError
from ftfkit.run.files import read_json, write_atomically
from ftfkit.run.keys import canonical, sha256

Kind = Literal["planned", "looked", "judged", "rejudged", "read", "opened", "confirmed", "locked", "unlocked"]

FILE, HEAD = "ledger.jsonl", "ledger.head"
GENESIS = "0" * 64  # stands for the line before the first
_FIELDS = ("n", "utc", "kind", "facts", "previous")


@dataclass(frozen=True)
class Entry:
    """One line of the ledger.

    Attributes
    ----------
    n : int
        Line number, from 1.
    utc : str
        When it was written, ISO 8601.
    facts : mapping
        JSON-able values; what they are depends on ``kind``.
    previous, hash : str
        SHA-256 of the line before, and of this one without ``hash``.
    """

    n: int
    utc: str
    kind: Kind
    facts: Mapping[str, Any]
    previous: str
    hash: str


class Ledger:
    """``ledger.jsonl`` of an output folder; several drivers may write to it."""

    def __init__(self, output: Path) -> None:
        self.path, self.head = output / FILE, output / HEAD

    def append(
        self, kind: Kind, facts: Mapping[str, Any], check: Callable[[tuple[Entry, ...]], None] | None = None
    ) -> Entry:
        """Add one line; it is on disk when this returns.

        Parameters
        ----------
        check : callable, optional
            Asked about the lines that are there while no other driver can add one; what it raises keeps this one out.

        Raises
        ------
        LedgerError
            When the last line is damaged or cut off, so that there is nothing to chain to.
        """
        with self._locked() as file:
            written = file.read()
            lines = self._lines(written)
            self._check_head(self._read_head(), lines)
            if check is not None:
                check(self._chained(lines))
            last = self._parsed(len(lines), lines[-1]) if lines else None
            entry = _entry(len(lines) + 1, kind, facts, last.hash if last else GENESIS)
            gap = b"\n" if written and not written.endswith(b"\n") else b""  # an editor may have taken it
            file.write(gap + canonical(asdict(entry)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
            write_atomically(self.head, canonical({"n": entry.n, "hash": entry.hash}) + "\n")
            return entry

    def entries(self) -> tuple[Entry, ...]:
        """All lines, once the chain holds.

        Raises
        ------
        LedgerError
            Naming the first line whose content, number or link is not what it was, or the one that was cut off.
        """
        head = self._read_head()  # before the lines: another driver's next one is then no surprise
        lines = self._lines(self.path.read_bytes()) if self.path.is_file() else []
        found = self._chained(lines)
        self._check_head(head, lines)
        return found

    def _chained(self, lines: Sequence[str]) -> tuple[Entry, ...]:
        found: list[Entry] = []
        for n, text in enumerate(lines, start=1):
            entry = self._parsed(n, text)
            previous = found[-1].hash if found else GENESIS
            if entry.n != n or entry.previous != previous:
                rule = f"must follow line {n - 1}: a line was changed, moved or taken out"
                raise LedgerError(f"{self.path}:{n}: previous == {entry.previous[:12]} {rule} (ftfkit)")
            found.append(entry)
        return tuple(found)

    def _lines(self, content: bytes) -> list[str]:
        """Lines end with a line feed alone: what else Unicode knows as a line's end may stand in a name or path."""
        try:
            return content.decode().removesuffix("\n").split("\n") if content else []
        except UnicodeDecodeError as error:
            raise LedgerError(f"{self.path}: is not text: {error} (ftfkit)") from error

    def _read_head(self) -> tuple[int, str] | None:
        """Number and hash of the last line as its writer left them; None of a ledger that has no head yet."""
        try:
            content = read_json(self.head)
            return int(content["n"]), str(content["hash"])
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise LedgerError(f"{self.head}: does not name the ledger's last line: {error} (ftfkit)") from error

    def _check_head(self, head: tuple[int, str] | None, lines: Sequence[str]) -> None:
        """The line that the head names must be there; later ones may have been added by a driver that was stopped."""
        if head is None:
            return
        n, digest = head
        if len(lines) < n:
            rule = f"must be {n} or more, as {self.head.name} says: lines were cut off"
            raise LedgerError(f"{self.path}: lines == {len(lines)} {rule} (ftfkit)")
        entry = self._parsed(n, lines[n - 1])
        if entry.hash != digest:
            rule = f"must be {digest[:12]}, as {self.head.name} says: lines were cut off and others written"
            raise LedgerError(f"{self.path}:{n}: hash == {entry.hash[:12]} {rule} (ftfkit)")

    def _parsed(self, n: int, text: str) -> Entry:
        try:
            content = json.loads(text)
            entry = Entry(**content)
            recomputed = sha256(canonical({name: content[name] for name in _FIELDS}))
        except (ValueError, TypeError) as error:
            raise LedgerError(f"{self.path}:{n}: is not a line of the ledger: {error} (ftfkit)") from error
        if recomputed != entry.hash:
            rule = f"must be {recomputed[:12]}, the hash of its content"
            raise LedgerError(f"{self.path}:{n}: hash == {entry.hash[:12]} {rule} (ftfkit)")
        return entry

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            yield file


def _entry(n: int, kind: Kind, facts: Mapping[str, Any], previous: str) -> Entry:
    content: dict[str, Any] = {
        "n": n,
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "kind": kind,
        "facts": json.loads(canonical(facts)),
        "previous": previous,
    }
    return Entry(**content, hash=sha256(canonical(content)))

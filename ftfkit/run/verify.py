"""``verify``: recompute every number and verdict of a run, and name each place that does not agree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pandas as pd

from ftfkit.config.schema import Experiment
from ftfkit.errors import FtfkitError
from ftfkit.judge.criteria import planned_criteria
from ftfkit.judge.rows import CELL, Cell
from ftfkit.judge.serialise import verdict_to_dict
from ftfkit.run.advice import advice_document
from ftfkit.run.bars import native_bars, utc_ns
from ftfkit.run.keys import canonical, sources
from ftfkit.run.ledger import Entry, Ledger
from ftfkit.run.plan_json import JUDGING, plan_hash
from ftfkit.run.preregistration import differences
from ftfkit.run.recompute import comparisons_of, kept_readiness, planned_verdict, rendered, stored_frame
from ftfkit.run.records import ADVICE, COMPARISONS, MANIFEST, PLAN, READINESS, ROWS, UNLISTED, VERDICT
from ftfkit.run.store import Store, store_url
from ftfkit.run.trials import as_entered, judged_facts
from ftfkit.types import Asset, Verdict

SHOWN = 5  # mismatches told of one file; the others are counted


@dataclass(frozen=True)
class Verification:
    """What ``verify`` found: places that do not agree, and what could not be checked; both one line each."""

    mismatches: tuple[str, ...]
    notes: tuple[str, ...]
    checked: tuple[str, ...]  # what was recomputed and agrees


def verify_run(
    folder: Path, output: Path, experiment: Experiment | None, render: Callable[[Path], Path]
) -> Verification:
    """Recompute a completed run from rows, plan and data fingerprints.

    Parameters
    ----------
    folder : Path
        Of the run.
    output : Path
        Its ``output.dir``, with ledger and store.
    experiment : Experiment or None
        Composed from the plan's overrides, for store and data; None where that is no longer possible.
    render : callable
        Writes the dossier into a folder.
    """
    try:
        document = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        return _Case(folder, output, document, experiment).verified(render)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return Verification((f"{PLAN}: is not a plan: {type(error).__name__}: {error}",), (), ())


@dataclass
class _Case:
    """One run under examination; ``found`` collects mismatches by file."""

    folder: Path
    output: Path
    document: Mapping[str, Any]
    experiment: Experiment | None
    found: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)

    def verified(self, render: Callable[[Path], Path]) -> Verification:
        entries = self._ledger()
        self._plan()
        self._code()
        rows = self._rows()
        verdict = self._verdict(rows) if rows is not None else None
        if rows is not None:
            advice = self._entered(entries, rows, verdict)
            self._dossier(verdict, advice, render)
        self._data()
        self._manifest()
        lines = [line for name, texts in self.found.items() for line in _capped(name, texts)]
        return Verification(tuple(lines), tuple(self.notes), tuple(self.checked))

    def _tell(self, name: str, texts: Iterator[str] | list[str], agrees: str) -> None:
        """Enter what does not agree, or that all does."""
        told = list(texts)
        if told:
            self.found.setdefault(name, []).extend(told)
        elif agrees and name not in self.found:
            self.checked.append(agrees)

    def _ledger(self) -> tuple[Entry, ...]:
        ledger = Ledger(self.output)
        try:
            entries = ledger.entries()
        except FtfkitError as error:
            self.found[ledger.path.name] = [str(error)]
            return ()
        self.checked.append(f"{ledger.path.name}: {len(entries)} lines chained")
        return entries

    def _plan(self) -> None:
        stated, recomputed = self.document["plan_hash"], plan_hash(self.document)
        texts = [] if stated == recomputed else [f"plan_hash: recomputed {recomputed}, found {stated}"]
        if self.document["run_id"] != self.folder.name:
            texts.append(f"run_id: the folder is {self.folder.name}, found {self.document['run_id']}")
        with self._store() as store:
            stored = store.plan(self.folder.name)
        if stored is None:
            self.notes.append("the store has no copy of this plan; its hash alone was checked")
        else:
            texts = [*_differing(stored, self.document, "stored"), *texts]
        self._tell(PLAN, texts, f"{PLAN}: hash {recomputed[:12]}")

    def _code(self) -> None:
        """Say where this is not the code that made the run, since figures and text may differ for that alone."""
        planned, installed = self.document["versions"].get("ftfkit"), version("ftfkit")
        if planned != installed:
            self.notes.append(f"the run was made by ftfkit {planned}, this is {installed}")
        checks = planned_criteria(self.document).checks.values()
        if sources(JUDGING, map(type, checks)) != self.document["decision_rule"]["sources"]:
            self.notes.append("the code that judges is not that of the run")

    def _store(self) -> Store:
        return Store(store_url(self.experiment.store.url if self.experiment else None, self.output))

    def _rows(self) -> pd.DataFrame | None:
        try:
            found = pd.read_parquet(self.folder / ROWS)
            with self._store() as store:
                stored = stored_frame(self.document, store)
        except (OSError, ValueError) as error:
            self.found[ROWS] = [f"cannot be read: {' '.join(str(error).split())}"]
            return None
        if stored.empty:
            self.notes.append("the store has none of these rows; they were checked against the ledger alone")
        else:
            self._tell(ROWS, self._row_differences(stored, found), f"{ROWS}: {len(found)} rows as stored")
        return found

    def _row_differences(self, stored: pd.DataFrame, found: pd.DataFrame) -> Iterator[str]:
        if list(stored.columns) != list(found.columns):
            odd = sorted({*stored.columns} ^ {*found.columns}) or ["their order"]
            yield f"columns: not in both the store and the file: {', '.join(odd)}"
            return
        own, other = ({Cell(*row[:3]): row._asdict() for row in _tuples(frame)} for frame in (stored, found))
        for place, cell in enumerate(dict.fromkeys((*other, *own)), start=1):
            where = f"row {place} ({cell})"
            if cell in other and other[cell]["status"] == "skipped":
                continue  # holds no result; the recomputed verdict stands on the bound, whatever was computed since
            if cell not in own or cell not in other:
                yield f"{where}: is {'not in the store' if cell in other else 'missing'}"
            elif other[cell]["status"] == "error" and own[cell]["status"] == "ok":
                self.notes.append(f"{where}: was an error, and has been computed since")
            else:
                for column, value in own[cell].items():
                    if not _same(value, other[cell][column]):
                        yield f"{where}: {column}: stored {value}, found {other[cell][column]}"

    def _verdict(self, rows: pd.DataFrame) -> Verdict | None:
        readiness = kept_readiness(self.document, self.folder)
        digest = None if readiness.text is None else hashlib.sha256(readiness.text.encode()).hexdigest()
        if digest != self.document["readiness"]["sha256"]:
            self.found[READINESS] = [f"sha256: planned {self.document['readiness']['sha256']}, found {digest}"]
        try:
            verdict = planned_verdict(self.document, rows, readiness)
        except (FtfkitError, ValueError) as error:
            self.found.setdefault(VERDICT, []).append(f"cannot be recomputed: {error}")
            return None
        if verdict is not None:
            document = verdict_to_dict(verdict)
            self._tell(VERDICT, self._json(VERDICT, document), f"{VERDICT}: {len(verdict.variants)} verdicts")
            self._tell(COMPARISONS, self._json(COMPARISONS, comparisons_of(document)), f"{COMPARISONS}")
        return verdict

    def _json(self, name: str, recomputed: Any) -> Iterator[str]:
        try:
            found = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            yield f"cannot be read: {error}"
            return
        yield from _differing(json.loads(canonical(recomputed)), found, "recomputed")

    def _entered(
        self, entries: tuple[Entry, ...], rows: pd.DataFrame, verdict: Verdict | None
    ) -> dict[str, Any] | None:
        """Against the line that the ledger has of this run; the advice that follows from the lines before it."""
        name = Ledger(self.output).path.name
        entry = next((one for one in entries if one.kind == "judged" and one.facts["run_id"] == self.folder.name), None)
        if entry is None:
            self._tell(name, [f"has no line of {self.folder.name}"] if name not in self.found else [], "")
            return None
        recomputed = judged_facts(self.folder, self.document, rows, verdict)
        facts = json.loads(canonical(as_entered(entry.facts, recomputed)))
        texts = [text for text in _differing(entry.facts, facts, "entered", "recomputed") if not self._known(text)]
        self._tell(name, [f"line {entry.n}: {text}" for text in texts], f"{name}: line {entry.n}, this run")
        criteria = planned_criteria(self.document)
        advice = advice_document(entries[: entry.n - 1], self.document, facts, rows, criteria)
        self._tell(ADVICE, self._json(ADVICE, advice), ADVICE)
        return advice

    def _known(self, text: str) -> bool:
        """Whether a changed file hash says again what a mismatch inside the file has said."""
        return any(text.startswith(f"files.{name}:") for name in self.found)

    def _dossier(
        self, verdict: Verdict | None, advice: Mapping[str, Any] | None, render: Callable[[Path], Path]
    ) -> None:
        with rendered(self.folder, verdict, advice, render) as made:
            for file in sorted(path for path in made.rglob("*") if path.is_file()):
                name = file.relative_to(made).as_posix()
                self._tell(name, _line_differences(file, self.folder / name), name)

    def _data(self) -> None:
        """Fingerprints of the bars, where they can be had."""
        if self.experiment is None:
            self.notes.append("data: the plan's configuration cannot be composed here, so no fingerprint was checked")
            return
        spec, n_checked = self.experiment.baseline.spec, 0
        bars = {asset: one["sha256"] for asset, one in self.document["data"].items()} | dict(self.document["market"])
        end, quote = utc_ns(pd.Timestamp(self.document["period"]["end_utc"])), self.document["universe"]["quote"]
        for name, planned in bars.items():
            try:
                found = native_bars(spec.data, Asset(name.removesuffix(quote), quote)).up_to(end).sha256()
            except FtfkitError as error:
                self.notes.append(f"data: {name} cannot be reached: {error}")
                continue
            n_checked += 1
            if found != planned:
                self.found.setdefault("data", []).append(f"{name}: sha256: planned {planned}, found {found}")
        self._tell("data", [], f"data: {n_checked} of {len(bars)} fingerprints")

    def _manifest(self) -> None:
        try:
            listed = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            self.found[MANIFEST] = [f"cannot be read: {error}"]
            return
        files = {path.relative_to(self.folder).as_posix(): path for path in self.folder.rglob("*") if path.is_file()}
        texts = []
        for name in sorted({*listed, *files} - UNLISTED - set(self.found)):
            digest = hashlib.sha256(files[name].read_bytes()).hexdigest() if name in files else "no such file"
            if listed.get(name) != digest:
                texts.append(f"{name}: listed {listed.get(name, 'not')}, found {digest}")
        self._tell(MANIFEST, texts, f"{MANIFEST}: {len(listed)} files")


def _differing(expected: Any, found: Any, told: str, then: str = "found") -> Iterator[str]:
    for key, before, after in differences(expected, found):
        yield f"{key}: {told} {before}, {then} {after}"


def _tuples(frame: pd.DataFrame) -> Iterator[Any]:
    """Rows as named tuples, the cell's three columns first."""
    return iter(frame[CELL + [name for name in frame.columns if name not in CELL]].itertuples(index=False))


def _same(value: Any, other: Any) -> bool:
    return bool(value == other) or (pd.isna(value) and pd.isna(other))


def _line_differences(expected: Path, found: Path) -> Iterator[str]:
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


def _capped(name: str, texts: list[str]) -> list[str]:
    more = len(texts) - SHOWN
    return [f"{name}: {text}" for text in texts[:SHOWN]] + ([f"{name}: and {more} more"] if more > 0 else [])

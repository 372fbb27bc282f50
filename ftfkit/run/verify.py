"""``verify``: recompute every number and verdict of a run, and name each place that does not agree."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from ftfkit.config.schema import Experiment
from ftfkit.errors import FtfkitError
from ftfkit.judge.criteria import planned_criteria
from ftfkit.judge.rows import REQUIRED_COLUMNS
from ftfkit.judge.serialise import verdict_to_dict
from ftfkit.judge.verdict import Criteria, Readiness
from ftfkit.run.advice import advice_document
from ftfkit.run.differences import computed_since, line_differences, row_differences, told_differences
from ftfkit.run.files import UNREADABLE, brief, read_json
from ftfkit.run.keys import canonical, sha256, sources
from ftfkit.run.ledger import Entry, Ledger
from ftfkit.run.plan_json import JUDGING, check_document, plan_hash
from ftfkit.run.recompute import comparisons_of, kept_checks, kept_readiness, planned_verdict, rendered, stored_frame
from ftfkit.run.records import ADVICE, COMPARISONS, MANIFEST, NULL_CHECKS, PLAN, READINESS, ROWS, VERDICT
from ftfkit.run.rescore import rescored
from ftfkit.run.store import Store, store_of_run
from ftfkit.run.trials import judged_facts
from ftfkit.run.verify_inputs import Inputs, absent_plugins, checked_bars, checked_manifest, checked_predictions
from ftfkit.types import Verdict

T = TypeVar("T")

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
        document = read_json(folder / PLAN)
        check_document(document)
    except UNREADABLE as error:
        return Verification((f"{PLAN}: is not a plan: {brief(error)}",), (), ())
    if not any((folder / name).is_file() for name in (ROWS, VERDICT, MANIFEST)):
        return Verification((f"{ROWS}: is missing: the run has not finished, and its command goes on with it",), (), ())
    return _Case(folder, output, document, experiment).verified(render)


@dataclass(frozen=True)
class _Judged:
    """A verdict that could be recomputed; None of a run of the baseline alone."""

    verdict: Verdict | None


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
    rows: pd.DataFrame | None = None  # of the run, as far as they could be read

    def verified(self, render: Callable[[Path], Path]) -> Verification:
        entries = self._ledger()
        self._plan()
        try:
            self._contents(entries, render)
            self._data()
        except UNREADABLE as error:
            damaged = next((name for name in (PLAN, ROWS) if name in self.found), None)
            if damaged is None:
                raise  # plan and rows are what the run wrote, so the fault is in this code
            self.found[damaged].insert(0, f"what follows from it cannot be checked: {brief(error)}")
        self._inputs(MANIFEST, checked_manifest(self.folder, self.found))
        lines = [line for name, texts in self.found.items() for line in _capped(name, texts)]
        return Verification(tuple(lines), tuple(self.notes), tuple(self.checked))

    def _contents(self, entries: tuple[Entry, ...], render: Callable[[Path], Path]) -> None:
        """Everything that follows from plan and rows, as far as it can be recomputed here."""
        criteria, readiness, rows = self._criteria(), self._readiness(), self._rows()
        if rows is None:
            return
        self._inputs("predictions", checked_predictions(rows, self.output / "predictions"))
        judged = self._verdict(rows, criteria, readiness) if criteria and readiness else None
        entry, facts = self._entered(entries, rows, judged)
        if criteria is None or judged is None:
            return
        if entry is None:
            advice = self._kept_advice()
        else:
            advice = advice_document(entries[: entry.n - 1], self.document, facts, rows, criteria)
            self._tell(ADVICE, self._json(ADVICE, advice), ADVICE)
        self._dossier(judged.verdict, advice, render)

    def _kept_advice(self) -> Mapping[str, Any] | None:
        """The advice as the run wrote it, so that a damaged ledger does not make the dossier look changed."""
        self.notes.append(f"{ADVICE}: rests on the ledger and was not recomputed")
        try:
            return dict(read_json(self.folder / ADVICE))
        except UNREADABLE:
            return None

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
        except (FtfkitError, OSError, ValueError) as error:
            self.found[ledger.path.name] = [str(error)]
            return ()
        self.checked.append(f"{ledger.path.name}: {len(entries)} lines chained")
        return entries

    def _plan(self) -> None:
        stated, recomputed = self.document["plan_hash"], plan_hash(self.document)
        texts = [] if stated == recomputed else [f"plan_hash: recomputed {recomputed}, found {stated}"]
        if self.document["run_id"] != self.folder.name:
            texts.append(f"run_id: the folder is {self.folder.name}, found {self.document['run_id']}")
        stored = self._stored(lambda store: store.plan(self.folder.name))
        if stored is None:
            self.notes.append("the store has no copy of this plan; its hash alone was checked")
        else:
            texts = [*told_differences(stored, self.document, "stored"), *texts]
        self._tell(PLAN, texts, f"{PLAN}: hash {recomputed[:12]}")

    def _criteria(self) -> Criteria | None:
        """What the run was judged by, None where it cannot be had; and a note where other code made the run."""
        planned, installed = self.document["versions"].get("ftfkit"), version("ftfkit")
        if planned != installed:
            self.notes.append(f"the run was made by ftfkit {planned}, this is {installed}")
        try:
            criteria = planned_criteria(self.document)
        except (FtfkitError, ValueError) as error:
            self.notes.append(f"verdict, comparisons, advice and dossier cannot be recomputed: {brief(error)}")
            self.notes.extend(absent_plugins(self.document))
            return None
        if sources(JUDGING, map(type, criteria.checks.values())) != self.document["decision_rule"]["sources"]:
            self.notes.append("the code that judges is not that of the run")
        return criteria

    def _stored(self, read: Callable[[Store], T]) -> T | None:
        """Something from the store; None where it has not got it, cannot be opened or is damaged."""
        try:
            with store_of_run(self.experiment, self.output) as store:
                return read(store)
        except FtfkitError as error:
            self.notes = list(dict.fromkeys((*self.notes, str(error))))  # said once, however often it is asked
        except (ValueError, TypeError) as error:
            self.found["store"] = [f"cannot be read: {brief(error)}"]
        return None

    def _rows(self) -> pd.DataFrame | None:
        try:
            found = pd.read_parquet(self.folder / ROWS)
            if absent := [name for name in REQUIRED_COLUMNS if name not in found]:
                raise ValueError(f"lacks column {', '.join(absent)}")
        except (OSError, ValueError) as error:
            self.found[ROWS] = [f"cannot be read: {brief(error)}"]
            return None
        stored = self._stored(lambda store: stored_frame(self.document, store))
        if stored is None or stored.empty:
            self.notes.append("the store has none of these rows; they were checked against the ledger alone")
        else:
            self.notes.extend(computed_since(stored, found))
            self._tell(ROWS, row_differences(stored, found), f"{ROWS}: {len(found)} rows as stored")
        self.rows = found
        return found

    def _readiness(self) -> Readiness | None:
        try:
            readiness = kept_readiness(self.document, self.folder)
        except (OSError, ValueError) as error:
            self.found[READINESS] = [f"cannot be read: {brief(error)}"]
            return None
        digest = None if readiness.text is None else sha256(readiness.text)
        if digest != self.document["readiness"]["sha256"]:
            self.found[READINESS] = [f"sha256: planned {self.document['readiness']['sha256']}, found {digest}"]
        return readiness

    def _verdict(self, rows: pd.DataFrame, criteria: Criteria, readiness: Readiness) -> _Judged | None:
        """Judge the rows once more; None where they cannot be judged."""
        try:
            verdict = planned_verdict(self.document, rows, readiness, criteria)
        except FtfkitError as error:
            self.found.setdefault(VERDICT, []).append(f"cannot be recomputed: {error}")
            return None
        if verdict is not None:
            document = verdict_to_dict(verdict)
            self._tell(VERDICT, self._json(VERDICT, document), f"{VERDICT}: {len(verdict.variants)} verdicts")
            self._tell(COMPARISONS, self._json(COMPARISONS, comparisons_of(document)), COMPARISONS)
        return _Judged(verdict)

    def _json(self, name: str, recomputed: Any) -> Iterator[str]:
        try:
            found = read_json(self.folder / name)
        except (OSError, ValueError) as error:
            yield f"cannot be read: {brief(error)}"
            return
        yield from told_differences(json.loads(canonical(recomputed)), found, "recomputed")

    def _entered(
        self, entries: tuple[Entry, ...], rows: pd.DataFrame, judged: _Judged | None
    ) -> tuple[Entry | None, Mapping[str, Any]]:
        """The ledger's line of this run, and what it should hold; verdicts as entered where none was recomputed."""
        name = Ledger(self.output).path.name
        entry = next((one for one in entries if one.kind == "judged" and one.facts["run_id"] == self.folder.name), None)
        if entry is None:
            self._tell(name, [f"has no line of {self.folder.name}"] if name not in self.found else [], "")
            return None, {}
        recomputed = judged_facts(self.folder, self.document, rows, judged.verdict if judged else None)
        facts = json.loads(canonical(recomputed))
        if judged is None:
            for variant, one in facts["variants"].items():
                one["verdict"] = entry.facts["variants"].get(variant, one)["verdict"]
        parted = told_differences(entry.facts, facts, "entered", "recomputed")
        told = tuple(f"files.{one}:" for one in self.found)  # a hash says again what a mismatch in its file has said
        texts = [text for text in parted if not text.startswith(told)]
        self._tell(name, [f"line {entry.n}: {text}" for text in texts], f"{name}: line {entry.n}, this run")
        return entry, facts

    def _dossier(
        self, verdict: Verdict | None, advice: Mapping[str, Any] | None, render: Callable[[Path], Path]
    ) -> None:
        try:
            checks = kept_checks(self.folder)
        except UNREADABLE as error:
            self.found[NULL_CHECKS] = [f"cannot be read: {brief(error)}"]
            return
        try:
            with rendered(self.folder, verdict, advice, render, checks) as made:
                for file in sorted(path for path in made.rglob("*") if path.is_file()):
                    name = file.relative_to(made).as_posix()
                    self._tell(name, line_differences(file, self.folder / name), name)
        except FtfkitError as error:
            self.notes.append(f"dossier: {error}")

    def _data(self) -> None:
        """Fingerprints of the bars, where they can be had, and the rows once more from bars and predictions."""
        if self.experiment is None:
            self.notes.append("data: the plan's configuration cannot be composed here, so no fingerprint was checked")
            return
        bars = checked_bars(self.document, self.experiment)
        self._inputs("data", bars)
        if self.rows is not None and not bars.mismatches and not bars.notes:
            again = rescored(self.document, self.experiment, self.rows, self.output / "predictions")
            self._inputs("predictions", again)

    def _inputs(self, name: str, inputs: Inputs) -> None:
        self.notes.extend(inputs.notes)
        self._tell(name, list(inputs.mismatches), inputs.checked)


def _capped(name: str, texts: list[str]) -> list[str]:
    more = len(texts) - SHOWN
    return [f"{name}: {text}" for text in texts[:SHOWN]] + ([f"{name}: and {more} more"] if more > 0 else [])

"""What null checks of the same question found: shown in a dossier, and as a report of their own."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftfkit.dossier.markdown import environment
from ftfkit.dossier.results import Results
from ftfkit.dossier.text import Table, assignments, listed, number, percent, table
from ftfkit.judge.rates import TWO_SIDED
from ftfkit.run.files import UNREADABLE, brief, read_json, write_atomically, write_json
from ftfkit.run.null_check import FOLDER, RESULT, SCHEMA
from ftfkit.run.records import NULL_CHECKS

REPORT = "null_check.md"
_NAMES = {
    "naive_t": "naive paired t on all pairs",
    "bootstrap": "bootstrap CI95 of all pairs excludes 0",
    "fold_t": "t on fold means",
    "nadeau_bengio": "Nadeau-Bengio on fold means",
    "published_rule": "rule: lift reached, bootstrap CI95 above 0",
    "dependence_rule": "rule: that, and the dependence gate's test",
    "lock": "verdict LOCK",
}

Document = Mapping[str, Any]

_log = logging.getLogger("ftfkit")


@dataclass(frozen=True)
class ShownCheck:
    """One null check as a page shows it."""

    title: str
    command: str
    sentences: tuple[str, ...]
    rates: Table
    setting: Table


def found(results: Results, folder: Path) -> list[Document]:
    """Null checks beside the run's folder that ask its question: universe, label, folds, gates and kind of data.

    One that is damaged is left out, and the log says so: the run is not at fault.
    """
    question, documents = _question_of(results.plan), []
    for file in sorted(folder.resolve().parents[1].glob(f"{FOLDER}/*/{RESULT}")):
        try:
            one = read_json(file)
            if one["schema"] == SCHEMA and _question(one) == question:
                shown_in(results, [one])  # what cannot be shown is not found
                documents.append(one)
        except UNREADABLE as error:
            _log.warning("%s: cannot be read and is left out: %s", file, brief(error))
    return documents


def keep(folder: Path, documents: Sequence[Document]) -> None:
    """Keep with a run the null checks that its dossier shows: later ones must not change what is verified."""
    (folder / NULL_CHECKS).unlink(missing_ok=True)
    if documents:
        write_json(folder, NULL_CHECKS, list(documents))


def shown_in(results: Results, documents: Sequence[Document]) -> list[ShownCheck]:
    """Null checks in words and tables, those on other bars than the run's with a warning."""
    own = {asset: data["sha256"] for asset, data in results.plan["data"].items()}
    return [shown(one, other_bars=one["data"] != own) for one in documents]


def shown(document: Document, *, other_bars: bool = False) -> ShownCheck:
    """A null check in words and tables; ``other_bars`` warns that the reader's run stands on other data."""
    planted = document["design"]["effect"] > 0
    warning = ("It stands on other bars than this run.",) if other_bars else ()
    return ShownCheck(
        title="Power check: how often a planted effect is locked"
        if planted
        else "Null check: how often noise is locked",
        command=document["command"],
        sentences=(*_done(document), *warning, *(_power(document) if planted else _size(document)), _means(document)),
        rates=_rates(document),
        setting=_setting(document),
    )


def write_report(folder: Path) -> Path:
    """Write ``null_check.md`` from the result in ``folder``."""
    document = read_json(folder / RESULT)
    text = environment().get_template("null_check.md.j2").render(check=shown(document))
    target = folder / REPORT
    write_atomically(target, text)
    return target


def _question(document: Document) -> tuple[Any, ...]:
    setting = document["setting"]
    return (document["universe"], document["gates"], document["synthetic"], setting["label"], setting["cv"])


def _question_of(plan: Mapping[str, Any]) -> tuple[Any, ...]:
    config = plan["variants"][plan["baseline"]]["config"]
    return (plan["universe"], plan["gates"], plan["synthetic"], config.get("label"), config.get("cv"))


def _done(document: Document) -> list[str]:
    design, n_assets, n_folds = document["design"], len(document["universe"]["assets"]), len(document["folds"])
    told = [
        f"{document['n_replicates']} replicates of two arms on {n_assets} assets and {n_folds} folds, "
        f"with hpo {document['hpo']['option']}.",
        f"Each arm has {design['n_columns']} columns of noise of its own (correlation {design['correlation']:g} "
        f"between assets, moving means over {design['memory_bars']} label bars).",
    ]
    lost = document["n_incomplete"]
    return [*told, f"{lost} replicates with failed cells are left out."] if lost else told


def _size(document: Document) -> list[str]:
    """What the rates say where every lift is false."""
    alpha, lock = document["planning"]["alpha"], document["rates"]["lock"]
    low, high = lock["ci95"]
    told = ["The arms are exchangeable, so every rejection is false."]
    if low is None:
        return told
    within = "is within" if low <= alpha else "exceeds"
    return [
        *told,
        f"Noise was locked in {lock['hits']} of {lock['n']} sweeps (CI95 {percent(low)} to {percent(high)}); "
        f"the lower bound {within} the gate's level of {percent(alpha)}.",
    ]


def _power(document: Document) -> list[str]:
    """What the rates say where there is a lift to be found."""
    lock, figures = document["rates"]["lock"], document["means"]
    told = [
        "One column of the variant's block sees the label (a leak on purpose): "
        f"BUY events lie {document['design']['effect']:g} standard deviations above the others in it."
    ]
    if not lock["n"] or not figures["mde80"]:
        return told
    low, high = lock["ci95"]
    return [
        *told,
        f"That lifts {document['stats']['metric']} by {number(figures['lift'], signed=True)}, "
        f"{figures['lift'] / figures['mde80']:.1f} times the minimum detectable effect; it was locked in "
        f"{lock['hits']} of {lock['n']} sweeps (CI95 {percent(low)} to {percent(high)}).",
    ]


def _means(document: Document) -> str:
    figures = document["means"]
    return (
        f"Means over sweeps: lift {number(figures['lift'], signed=True)} (sd {number(figures['lift_sd'])}), minimum "
        f"detectable effect {number(figures['mde80'])}, intraclass correlation of folds "
        f"{number(figures['icc_fold'], 2)}."
    )


def _rates(document: Document) -> Table:
    """How often each test rejected and each rule locked, with Wilson intervals."""
    planning = document["planning"]
    rows = []
    for name, rate in document["rates"].items():
        low, high = rate["ci95"]
        gate = " (the gate's test)" if name == planning["test"] else ""
        rows.append(
            (
                _NAMES[name] + gate,
                "two-sided" if name in TWO_SIDED else "one-sided",
                f"{rate['hits']} of {rate['n']}",
                percent(rate["rate"]),
                f"{percent(low)} to {percent(high)}",
            )
        )
    return table(("Test or rule", "direction", "hits", "share", "Wilson CI95"), rows, n_text=2)


def _setting(document: Document) -> Table:
    """What both arms were; the whole of it is in null_check.json."""
    period, gates, versions = document["period"], document["gates"], document["versions"]
    known = {name: versions[name] for name in ("ftfkit", "numpy", "xgboost") if name in versions}
    rows = [
        ("assets", listed(document["universe"]["assets"])),
        ("bars", "synthetic" if document["synthetic"] else "of a market"),
        ("period (UTC)", f"{period['start_utc'][:10]} to {period['end_utc'][:10]}"),
        ("options", assignments(document["options"])),
        ("gates", f"{gates['name']}, required lift {gates['required_lift']:g}"),
        ("noise", assignments(document["design"])),
        ("versions", assignments(known)),
    ]
    return table(("Both arms", ""), rows, n_text=2)

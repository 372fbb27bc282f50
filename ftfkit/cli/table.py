"""What a run prints: its verdict when it is out, one line a variant, and at the end where the dossier is."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ftfkit.types import VariantVerdict, Verdict

if TYPE_CHECKING:
    from ftfkit.api import RunResult

_HEADINGS = ("verdict", "mean Δ", "CI95", "d_z", "p (BH)", "NB p (BH)")
_PIPED_WIDTH = 1000  # a pipe takes lines of any length: no name is broken in it
_GAP = 2  # blanks between two columns
_LESSER = ("NB p (BH)", "d_z", "p (BH)", "CI95", "mean Δ")  # left out in this order on a narrow terminal
_COLOURS = {"LOCK": "green", "ABANDON": "red", "INCONCLUSIVE": "yellow", "INCOMPLETE": "magenta"}
_MARKS = {"PASS": "green", "FAIL": "red", "ERROR": "magenta", "NOT_APPLICABLE": "dim"}


class Stdout(Console):
    """Standard output, whose reader may leave early, as ``head`` does: what is left to do is then done unseen.

    Names, units and paths are users' words: brackets and colons in them mean nothing.
    """

    def __init__(self) -> None:
        piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
        width = _PIPED_WIDTH if piped else None
        super().__init__(highlight=False, soft_wrap=True, markup=False, emoji=False, width=width)

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_result(result: RunResult) -> None:
    """Print what is said of a run beside its verdict, and the dossier's path, to stdout."""
    console = Stdout()
    if result.verdict is None:
        console.print(f"{len(result.rows)} rows of the baseline; no variant, so no verdict")
    if result.n_failed:
        console.print(f"{result.n_failed} cells failed; their tracebacks are in rows.parquet and in the dossier")
    console.print(f"run {result.run_id}: {len(result.rows)} rows, {result.n_reused} reused, {result.n_failed} failed")
    if result.dossier is not None:
        console.print(f"dossier: {result.dossier}")


def print_verdict(verdict: Verdict, console: Console | None = None, *, planned: bool = True) -> None:
    """Print one verdict as a table; a run that was not ``planned`` before is marked so."""
    console = console or Stdout()
    known = {"synthetic data": verdict.synthetic, "post hoc": verdict.post_hoc, "not pre-registered": not planned}
    marks = [name for name, on in known.items() if on]
    title = f"{verdict.gates}, baseline {verdict.baseline}" + "".join(f" [{mark}]" for mark in marks)
    table = Table(title=Text(title), box=box.SIMPLE_HEAD, title_justify="left", padding=(0, 1, 0, 0), pad_edge=False)
    least = min(18, max(map(len, verdict.variants), default=7))
    table.add_column("variant", overflow="fold", min_width=least)
    found = zip(*map(_cells, verdict.variants.values()), strict=True)
    columns = _fitting(dict(zip(_HEADINGS, found, strict=False)), console.width - least - _GAP)
    for heading in columns:
        table.add_column(heading, no_wrap=True)
    for item, *cells in zip(verdict.variants, *columns.values(), strict=True):
        table.add_row(Text(item), *cells)
    console.print(table)
    for item in verdict.variants.values():
        wraps = not console.is_terminal  # a pipe gets whole lines, a terminal lines broken between words
        console.print(Text(f"{item.variant}: {item.verdict}").append(_missed(item)), soft_wrap=wraps)
        for reason in item.reasons:
            shown = Text(f"  {reason}") if wraps else Padding(Text(reason), (0, 0, 0, 2))
            console.print(shown, soft_wrap=wraps)


def _fitting(columns: Mapping[str, Sequence[Text | str]], width: int) -> dict[str, Sequence[Text | str]]:
    """Columns that fit beside the variant's; where there is no room, those go first that others imply."""
    kept = dict(columns)
    for heading in _LESSER:
        if sum(_GAP + max(map(len, (name, *cells))) for name, cells in kept.items()) <= width:
            break
        kept.pop(heading, None)
    return kept


def print_gates(verdict: Verdict, console: Console | None = None) -> None:
    """Print gate by gate what was observed, chosen set first, advice after it."""
    console = console or Stdout()
    for item in verdict.variants.values():
        table = Table(title=Text(item.variant), box=box.SIMPLE_HEAD, title_justify="left")
        for heading in ("gate", "status", "observed", "threshold", "unit"):
            table.add_column(heading, overflow="fold")
        beside = {f"{name} (advice)": gate for name, gate in item.advice.items()}
        for name, gate in {**item.gates, **beside}.items():
            status = Text(gate.status, style=_MARKS[gate.status])
            table.add_row(Text(name), status, _value(gate.observed), _value(gate.threshold), Text(gate.unit))
        console.print(table)
        for name, gate in item.advice.items():
            if gate.status != "PASS":
                console.print(Text(f"  {name} (advice) {gate.status}: {gate.reason}"))


def _value(value: float | str | None) -> Text:
    return Text("" if value is None else value if isinstance(value, str) else f"{value:.4g}")


def _cells(item: VariantVerdict) -> Sequence[Text | str]:
    comparison = item.comparison
    low, high = comparison.ci95
    verdict = Text(item.verdict + (" (fragile)" if item.fragile else ""), style=_COLOURS[item.verdict])
    return (
        verdict,
        _number(comparison.mean, "+.4f"),
        f"{_number(low, '+.4f')} {_number(high, '+.4f')}",
        _number(comparison.d_z, "+.2f"),
        _number(comparison.p_bh, ".2g"),
        _number(comparison.nadeau_bengio.p_bh, ".2g"),
    )


def _missed(item: VariantVerdict) -> Text:
    """Gates that did not pass, in the colour of their status."""
    open_gates = {name: gate for name, gate in item.gates.items() if gate.status not in {"PASS", "NOT_APPLICABLE"}}
    named = [
        Text(name if gate.status == "FAIL" else f"{name} {gate.status}", style=_MARKS[gate.status])
        for name, gate in open_gates.items()
    ]
    return Text("; gates not passed: ").append(Text(", ").join(named)) if named else Text("; every gate passed")


def _number(value: float | None, form: str) -> str:
    return "n/a" if value is None else format(value, form)

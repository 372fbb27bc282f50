"""A run once more, from what it stands on: rows from the store, verdict and advice from rows, dossier from all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from ftfkit.judge import Grid, Readiness, judge_rows
from ftfkit.judge.criteria import planned_criteria
from ftfkit.judge.serialise import verdict_to_dict
from ftfkit.judge.verdict import Criteria
from ftfkit.run.files import read_json, write_json
from ftfkit.run.null_check import FOLDER, RESULT
from ftfkit.run.records import ADVICE, COMPARISONS, NULL_CHECKS, PLAN, READINESS, ROWS, VERDICT, rows_table
from ftfkit.run.store import Store
from ftfkit.types import Verdict


def stored_frame(document: Mapping[str, Any], store: Store) -> pd.DataFrame:
    """Rows of a plan's cells as the store has them, in the plan's order; cells without a row are left out."""
    rows = store.get_rows(cell["row_key"] for cell in document["cells"])
    ordered = [(cell["variant"], rows[cell["row_key"]]) for cell in document["cells"] if cell["row_key"] in rows]
    frame: pd.DataFrame = rows_table(ordered).to_pandas()
    return frame


def kept_readiness(document: Mapping[str, Any], folder: Path) -> Readiness:
    """The readiness document as it was when the run was planned."""
    file = folder / READINESS
    text = file.read_bytes().decode("utf-8") if file.is_file() else None
    return Readiness(text, expected=document["track"] is not None)


def planned_verdict(
    document: Mapping[str, Any],
    rows: pd.DataFrame,
    readiness: Readiness,
    criteria: Criteria | None = None,
    *,
    post_hoc: bool = False,
) -> Verdict | None:
    """Judge rows of a plan by its own criteria, or by others; None where only the baseline was planned.

    Raises
    ------
    RowsError
        When the rows cannot be judged at all.
    PluginError
        When the plugin of a gate check is not installed.
    """
    names = tuple(name for name in document["variants"] if name != document["baseline"])
    if not names:
        return None
    return judge_rows(
        rows,
        baseline=document["baseline"],
        criteria=criteria or planned_criteria(document),
        grid=Grid(names, tuple(sorted(document["universe"]["assets"])), tuple(document["folds"])),
        readiness=readiness,
        run_id=document["run_id"],
        post_hoc=post_hoc,
        synthetic=document["synthetic"],
    )


def comparisons_of(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """What comparisons.json holds beside a verdict.json."""
    return {name: found["comparison"] for name, found in verdict["variants"].items()}


@contextmanager
def rendered(
    folder: Path,
    verdict: Verdict | None,
    advice: Mapping[str, Any] | None,
    render: Callable[[Path], Path],
    checks: Sequence[Any],
) -> Iterator[Path]:
    """A folder with everything that ``render`` makes of a run under its recomputed verdict and advice.

    Beside it are ``checks``, the null checks that the run's dossier shows, and none that were made since.
    """
    with tempfile.TemporaryDirectory(prefix="ftfkit-verify-") as name:
        made = Path(name) / "runs" / folder.name
        made.mkdir(parents=True)
        for n, check in enumerate(checks):
            check_folder = Path(name) / FOLDER / f"{n:06d}"
            check_folder.mkdir(parents=True)
            write_json(check_folder, RESULT, check)
        for file in (PLAN, ROWS):
            shutil.copyfile(folder / file, made / file)
        if advice is not None:
            write_json(made, ADVICE, advice)
        if verdict is not None:
            document = verdict_to_dict(verdict)
            write_json(made, VERDICT, document)
            write_json(made, COMPARISONS, comparisons_of(document))
        given = {path.name for path in made.iterdir()}
        render(made)
        for unneeded in given:
            (made / unneeded).unlink()
        yield made


def kept_checks(folder: Path) -> list[Any]:
    """The null checks that the dossier of a run shows."""
    file = folder / NULL_CHECKS
    return list(read_json(file)) if file.is_file() else []

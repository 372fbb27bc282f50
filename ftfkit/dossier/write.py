"""From a run folder to its dossier: Markdown, HTML and figures, the same bytes for the same files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ftfkit.components import DossierSection
from ftfkit.dossier import configuration, decisions, effects, figures, gates, narrative, overview, supporting
from ftfkit.dossier.markdown import render
from ftfkit.dossier.page import html_page
from ftfkit.dossier.record import Record, read_record
from ftfkit.dossier.sections import registered_sections, render_sections

_PARTS = (overview, configuration, effects, gates, narrative, supporting, decisions)  # what the template asks
_ALT = {
    "forest.png": "Mean change by variant with bootstrap and Nadeau-Bengio intervals and the required lift",
    "heatmap.png": "Mean change by asset and variant",
    "reliability.png": "Predicted probability against observed BUY frequency by variant",
}


def write_dossier(folder: Path, *, sections: Mapping[str, DossierSection] | None = None) -> Path:
    """Write ``dossier.md``, ``dossier.html`` and ``figures/*.png`` into a run folder.

    Parameters
    ----------
    folder : Path
        Holds ``plan.json``, ``rows.parquet`` and, unless only the baseline was run, ``verdict.json``. Where there is a
        ``reliability.parquet`` (test events with columns variant, y, proba, calibrated) a reliability diagram is drawn.
    sections : mapping of str to DossierSection, optional
        Extra sections; those of all loaded plugins when not given.

    Returns
    -------
    Path
        ``dossier.md``.

    Raises
    ------
    RowsError
        When plan or rows are missing.
    PluginError
        When a plugin's section cannot be loaded.
    """
    record = read_record(folder)
    drawn = _figures(record, folder)
    (folder / "figures").mkdir(exist_ok=True)
    for name, png in drawn.items():
        (folder / "figures" / name).write_bytes(png)
    markdown = render(
        record=record,
        effect_figures=_images(drawn, ("forest.png", "heatmap.png")),
        calibration_figures=_images(drawn, ("reliability.png",)),
        plugin_sections=render_sections(record, registered_sections() if sections is None else sections),
        **{module.__name__.rpartition(".")[2]: module for module in _PARTS},
    )
    page = html_page(markdown, overview.title(record), _marks(record), drawn)
    (folder / "dossier.html").write_text(page, encoding="utf-8")
    target = folder / "dossier.md"
    target.write_text(markdown, encoding="utf-8")
    return target


def _figures(record: Record, folder: Path) -> dict[str, bytes]:
    mark = f" ({_marks(record).lower()})" if _marks(record) else ""
    drawn = {}
    if record.verdict and record.verdict.variants:
        verdicts = list(record.verdict.variants.values())
        metric = verdicts[0].comparison.metric
        drawn["forest.png"] = figures.forest(verdicts, record.required_lift, mark)
        delta = record.delta_by_asset(metric)[[verdict.variant for verdict in verdicts]]
        for verdict in verdicts:
            if verdict.comparison.mean is None:
                delta[verdict.variant] = np.nan  # scored on other events, so its F1 is not comparable
        drawn["heatmap.png"] = figures.heatmap(delta, record.required_lift, metric, mark)
    if (folder / "reliability.parquet").is_file():
        predictions = pd.read_parquet(folder / "reliability.parquet")
        present = [name for name in record.names if (predictions["variant"] == name).any()]
        drawn["reliability.png"] = figures.reliability(predictions, present, mark)
    return drawn


def _marks(record: Record) -> str:
    marks = ["SYNTHETIC DATA"] if record.synthetic else []
    return ", ".join(marks + (["POST HOC"] if record.post_hoc else []))


def _images(drawn: Mapping[str, bytes], names: Sequence[str]) -> list[Mapping[str, str]]:
    return [{"name": name, "alt": _ALT[name]} for name in names if name in drawn]

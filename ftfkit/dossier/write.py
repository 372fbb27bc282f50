"""From a run folder to its dossier: Markdown, HTML and figures, the same bytes for the same files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ftfkit.components import DossierSection
from ftfkit.dossier import configuration, decisions, effects, gates, narrative, null_checks, overview, supporting, trust
from ftfkit.dossier.drawing import DESCRIPTIONS, draw
from ftfkit.dossier.markdown import render
from ftfkit.dossier.page import html_page
from ftfkit.dossier.results import read_results
from ftfkit.dossier.sections import registered_sections, render_sections
from ftfkit.plugins import registry
from ftfkit.run.files import write_atomically

_PARTS = (overview, configuration, effects, gates, narrative, supporting, decisions, trust)  # what the template asks


def write_dossier(folder: Path, *, sections: Mapping[str, DossierSection] | None = None) -> Path:
    """Write ``dossier.md``, ``dossier.html`` and ``figures/*.png`` into a run folder.

    Parameters
    ----------
    folder : Path
        Holds ``plan.json``, ``rows.parquet`` and, unless only the baseline was run, ``verdict.json``. No plugin of the
        run has to be installed. Null checks of the same question are looked for beside ``runs/``.
    sections : mapping of str to DossierSection, optional
        Extra sections; those of all installed plugins that the run did not block when not given.

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
    results = read_results(folder)
    if sections is None:
        sections = registered_sections(registry(results.plan.get("blocked", ())))
    extra = render_sections(results, sections)
    checks = null_checks.found(results, folder)
    marks = overview.marks(results)
    figures = draw(results, f" ({marks.lower()})" if marks else "")
    markdown = render(
        results=results,
        effect_figures=_images(figures, ("forest.png", "heatmap.png")),
        calibration_figures=_images(figures, ("reliability.png",)),
        plugin_sections=extra,
        null_checks=null_checks.shown_in(results, checks),
        **{module.__name__.rpartition(".")[2]: module for module in _PARTS},
    )
    page = html_page(markdown, overview.title(results), marks, figures)
    null_checks.keep(folder, checks)
    (folder / "figures").mkdir(exist_ok=True)
    for name, png in figures.items():
        (folder / "figures" / name).write_bytes(png)
    write_atomically(folder / "dossier.html", page)
    target = folder / "dossier.md"
    write_atomically(target, markdown)
    return target


def _images(figures: Mapping[str, bytes], names: Iterable[str]) -> list[Mapping[str, str]]:
    return [{"name": name, "alt": DESCRIPTIONS[name]} for name in names if name in figures]

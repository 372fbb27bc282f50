"""Extra sections that installed plugins offer; a run can be reported without the plugins it used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from ftfkit.components import DossierSection
from ftfkit.errors import PluginError
from ftfkit.plugins import Registration, Registry

if TYPE_CHECKING:
    from ftfkit.dossier.results import Results

HIGHEST_HEADING = "h4"  # a section stands under an h3 of the dossier


@dataclass(frozen=True)
class RenderedSection:
    """Title and Markdown of one plugin section."""

    title: str
    body: Markup


def registered_sections(plugins: Registry) -> dict[str, DossierSection]:
    """Sections of all these plugins, by name.

    Raises
    ------
    PluginError
        When one cannot be imported or built without parameters, or has no title of one line.
    """
    return {name: _built(found) for name, found in sorted(plugins.registrations["dossier_section"].items())}


def _built(found: Registration) -> DossierSection:
    place = f"{found.owner}: dossier section {found.name!r}"
    kind = found.load()
    try:
        section: DossierSection = kind()
        title = getattr(section, "title", None)
    except (Exception, SystemExit) as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise PluginError(f"{place} must build without parameters: {told}") from error
    if not isinstance(title, str) or not title.strip() or len(title.splitlines()) > 1:
        raise PluginError(f"{place}: title == {title!r}, must be one line of text")
    return section


def render_sections(results: Results, sections: Mapping[str, DossierSection]) -> list[RenderedSection]:
    """Each section's Markdown; one that fails is shown as its error, since the run itself is not at fault."""
    verdicts = results.verdict.variants if results.verdict else {}
    comparisons = {name: verdict.comparison for name, verdict in verdicts.items()}
    rendered = []
    for name, section in sections.items():
        try:
            body = _checked(section.render(results.rows.copy(), dict(comparisons)))
        except (Exception, SystemExit) as error:
            body = f"    section {name!r} failed: {type(error).__name__}: {' '.join(str(error).split())}"
        rendered.append(RenderedSection(section.title, Markup(body)))  # Markdown of installed code
    return rendered


def _checked(body: object) -> str:
    """The body, unable to change how the rest is read; refused where it could pass for another part."""
    from ftfkit.dossier.inert import inert
    from ftfkit.dossier.markdown import parser

    if not isinstance(body, str):
        raise TypeError(f"gave {body!r}, must give text")
    body, known = inert(body), dict[str, object]()
    tokens = parser().parse(body, known)
    if known.get("references"):
        raise ValueError("its links must stand in place: a reference definition holds for the whole dossier")
    if any(token.type == "heading_open" and token.tag < HIGHEST_HEADING for token in tokens):
        raise ValueError("its headings must be of level 4 (####) or below")
    return body

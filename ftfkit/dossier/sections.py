"""Extra sections that installed plugins offer; a run can be reported without the plugins it used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from ftfkit.components import DossierSection
from ftfkit.errors import PluginError
from ftfkit.plugins import Registry

if TYPE_CHECKING:
    from ftfkit.dossier.results import Results


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
        When one cannot be imported or built without parameters.
    """
    found = plugins.registrations["dossier_section"]
    made = {}
    for name in sorted(found):
        try:
            made[name] = found[name].load()()
        except ValueError as error:  # pydantic's, for a section with parameters that lack defaults
            raise PluginError(f"{found[name].owner}: dossier section {name!r} must build without parameters") from error
    return made


def render_sections(results: Results, sections: Mapping[str, DossierSection]) -> list[RenderedSection]:
    """Each section's Markdown; one that fails is shown as its error, since the run itself is not at fault."""
    verdicts = results.verdict.variants if results.verdict else {}
    comparisons = {name: verdict.comparison for name, verdict in verdicts.items()}
    rendered = []
    for name, section in sections.items():
        try:
            body = section.render(results.rows.copy(), comparisons)
        except Exception as error:
            body = f"    section {name!r} failed: {type(error).__name__}: {' '.join(str(error).split())}"
        rendered.append(RenderedSection(section.title, Markup(body)))  # Markdown of installed code
    return rendered

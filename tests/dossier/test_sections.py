import sys
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from ftfkit.components import DossierSection
from ftfkit.dossier.markdown import parser
from ftfkit.dossier.sections import registered_sections
from ftfkit.dossier.write import write_dossier
from ftfkit.errors import PluginError
from ftfkit.plugins import Registration, registry


class Turnover(DossierSection):
    title: ClassVar[str] = "Turnover | cost"

    def render(self, rows, comparisons):
        rows["turnover"] = 0  # a section cannot change the run's rows
        return f"Mean delta of **good**: {comparisons['good'].mean:+.4f}"


class Broken(DossierSection):
    title: ClassVar[str] = "Broken"

    def render(self, rows, comparisons):
        raise KeyError("no such column")


def test_sections_stand_before_the_decisions(make_run, make_rows):
    folder = make_run(make_rows({"none": 0.0, "good": 0.05}))
    markdown = write_dossier(folder, sections={"turnover": Turnover(), "broken": Broken()}).read_text(encoding="utf-8")
    body = markdown[markdown.index("## 5.") : markdown.index("## 6.")]
    assert "Turnover \\| cost\n\nMean delta of **good**: +0.0" in body
    assert "section 'broken' failed: KeyError: 'no such column'" in body
    assert "| none | 12.5 |" in body


class Says(DossierSection):
    """Gives what it was made with; its dossiers are of the baseline alone, which draws no figures."""

    title: ClassVar[str] = "Says"
    body: Any = None

    def render(self, rows, comparisons):
        return sys.exit(0) if self.body == "exit" else self.body


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, "TypeError: gave None, must give text"),
        ("exit", "SystemExit: 0"),
        ("# 1. Verdict\n**LOCK**", "ValueError: its headings must be of level 4"),
        ("Fine.\n\nVerdict\n---\n**LOCK**", "ValueError: its headings must be of level 4"),
        ("> ### 6.1 Lock variant", "ValueError: its headings must be of level 4"),
        ("<!--\n## 6. Decisions\n", "ValueError: its headings must be of level 4"),
        ("[a]: https://example.org", "ValueError: its links must stand in place"),
    ],
)
def test_a_section_that_breaks_or_passes_for_another_part_is_shown_as_its_error(make_run, make_rows, body, reason):
    folder = make_run(make_rows({"none": 0.0}))
    markdown = write_dossier(folder, sections={"says": Says(body=body)}).read_text(encoding="utf-8")
    assert f"    section 'says' failed: {reason}" in markdown
    assert "## 6." in markdown


def test_a_section_may_have_headings_of_its_own_and_code(make_run, make_rows):
    body = "#### By year\n\n```sh\n# a comment\n```"
    folder = make_run(make_rows({"none": 0.0}))
    assert body in write_dossier(folder, sections={"says": Says(body=body)}).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "body",
    [
        "Open:\n\n```sh\nrm x",
        "~~~~\na\n~~~",
        "<!-- open",
        "<script>\n\na",
        "a <b>b\n\n<details>\n",
        "| <u> |\n|---|\n| <i> |",
    ],
)
def test_what_a_section_leaves_open_does_not_reach_the_rest(make_run, make_rows, body):
    folder = make_run(make_rows({"none": 0.0}))
    without = write_dossier(folder, sections={}).read_text(encoding="utf-8")
    markdown = write_dossier(folder, sections={"says": Says(body=body)}).read_text(encoding="utf-8")
    rest = without[without.index("## 6.") :]
    assert markdown.endswith(rest)
    for html in (True, False):  # readers that let raw HTML through, and ours
        tokens = parser(html=html).parse(markdown)
        assert "html" not in {token.type[:4] for one in tokens for token in (one, *(one.children or ()))}
        told = parser(html=html).render(markdown)
        assert told.endswith(parser(html=html).render(rest))
    page = (folder / "dossier.html").read_text(encoding="utf-8")
    assert '<h2 id="6-decisions">' in page
    assert "<script" not in page


class Untitled(DossierSection):
    def render(self, rows, comparisons):
        return ""


class TwoLines(Untitled):
    title: ClassVar[str] = "One\n# Two"


class Unbuildable(Untitled):
    title: ClassVar[str] = "Unbuildable"

    def __init__(self):
        raise RuntimeError("no\nlicence")


@pytest.mark.parametrize(
    ("section", "rule"),
    [
        (Untitled, ": title == None, must be one line of text"),
        (TwoLines, ": title == 'One\\n# Two', must be one line of text"),
        (Unbuildable, " must build without parameters: RuntimeError: no licence"),
    ],
)
def test_a_section_that_no_dossier_could_hold_is_refused(section, rule):
    offered = Registration("dossier_section", "acme", section, "acme", "acme", "1.0")
    plugins = replace(registry(), registrations={"dossier_section": {"acme": offered}})
    with pytest.raises(PluginError) as refused:
        registered_sections(plugins)
    assert str(refused.value) == f"plugin acme: dossier section 'acme'{rule}"


def test_a_baseline_alone_has_no_comparisons(make_run, make_rows):
    class Count(DossierSection):
        title: ClassVar[str] = "Count"

        def render(self, rows, comparisons):
            return f"{len(rows)} rows, {len(comparisons)} comparisons"

    markdown = write_dossier(make_run(make_rows({"none": 0.0})), sections={"count": Count()}).read_text(
        encoding="utf-8"
    )
    assert "25 rows, 0 comparisons" in markdown


def test_registered_sections_are_built_by_name():
    assert all(isinstance(section, DossierSection) for section in registered_sections(registry()).values())


@pytest.mark.parametrize("blocked", [(), ("gate_cost_sensitivity",)])
def test_a_plugin_that_the_run_blocked_adds_no_section(make_run, make_rows, blocked):
    pytest.importorskip("ftfkit_gate_cost_sensitivity")
    rows = make_rows({"none": 0.0, "good": 0.05})
    markdown = write_dossier(make_run(rows, blocked=blocked)).read_text(encoding="utf-8")
    assert (registry().registrations["dossier_section"]["cost_sensitivity"].load().title in markdown) == (not blocked)

from typing import ClassVar

import pytest

from ftfkit.components import DossierSection
from ftfkit.dossier.sections import registered_sections
from ftfkit.dossier.write import write_dossier
from ftfkit.plugins import registry


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

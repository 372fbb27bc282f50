from __future__ import annotations

from dataclasses import replace

import pytest

from ftfkit.builtin.gates.mlops_readiness import SECTIONS, MlopsReadiness, incomplete_sections

BODY = "The champion's settings are restored with one command."


def document(**bodies: str) -> str:
    """A complete document but for the named sections (``Model_card="..."``)."""
    texts = {name: bodies.get(name.replace(" ", "_"), BODY) for name in SECTIONS}
    return "# Readiness\n\n" + "\n".join(f"## {name}\n\n{text}\n" for name, text in texts.items())


def test_a_complete_document_passes(evidence) -> None:
    result = MlopsReadiness().check(evidence(document=document()))
    assert (result.status, result.observed, result.threshold, result.unit) == ("PASS", 6, 6, "sections")


def test_no_document_is_an_error_only_where_one_is_expected(evidence) -> None:
    given = evidence()
    assert MlopsReadiness().check(given).status == "NOT_APPLICABLE"
    assert MlopsReadiness().check(replace(given, readiness_expected=True)).status == "ERROR"


def test_an_empty_document_misses_every_section(evidence) -> None:
    result = MlopsReadiness().check(evidence(document=""))
    assert (result.status, result.observed) == ("FAIL", 0)
    assert result.reason.count("is missing") == 6


@pytest.mark.parametrize("name", SECTIONS)
def test_each_section_must_be_there(evidence, name: str) -> None:
    result = MlopsReadiness().check(evidence(document=document().replace(f"## {name}", "## Else")))
    assert (result.status, result.reason) == ("FAIL", f"{name} is missing")


@pytest.mark.parametrize("body", ["", "   ", "<!-- what to monitor -->", "### Alerts", "---", "...", "-", "- \n- "])
def test_empty_sections_are_found(body: str) -> None:
    assert incomplete_sections(document(Monitoring=body), SECTIONS) == {"Monitoring": "is empty"}


@pytest.mark.parametrize(
    "body",
    [
        "TODO",
        "The dashboard: to be filled.",
        "To be filled in by the desk.",
        "todo.",
        "TBD",
        "n/a",
        "N/A.",
        "None",
        "placeholder",
        "Lorem ipsum dolor sit amet.",
        "To be written.",
        "Coming soon",
        "<describe the monitors>\n\n[link to the dashboard]",
        "[describe the monitors]",
        "{{ monitors }}",
        "Fill this in",
        "Drift is watched daily.\n\nTODO: name the dashboard.",
        "| metric | owner |\n|---|---|\n| drift | TBD |",
        "- [ ] drift alert\n- [x] latency alert",
        "### Alerts\n\nFIXME",
        "```\nXXX\n```",
        "_TODO_",
        "[**todo**](https://example.com)",
        "(todo) describe the rollback",
        "todo: describe the rollback",
        "Drift is watched daily.\n\n- tbd, see ticket",
        "Tbd later",
        "WIP",
        "To do: write",
        "to-do",
        "placeholder text",
        "Add content here",
        "fixme please",
        "To be\nwritten.",
        "```\n# todo: the command\n```",
    ],
)
def test_placeholders_are_found(body: str) -> None:
    assert incomplete_sections(document(Monitoring=body), SECTIONS) == {"Monitoring": "is a placeholder"}


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        "- [x] drift alert",
        "```bash\nftfkit lock --undo\n```",
        "| metric | owner |\n|---|---|\n| drift | desk |",
        "### Alerts\n\nDrift is watched daily.",
        "None of the alerts may be muted.",
        "See [the dashboard](https://example.com).",
        "A todo list is kept by the desk.",
        "> Drift is watched daily.",
        "Template placeholders are replaced on deployment.",
        "To do so, run `ftfkit lock --undo`.",
        "What is still to do is kept as tickets; a wip\ntodo or fixme never ships, and no placeholder does.",
        "Todoist tells the desk.",
        "See [the list](https://example.com/TODO).",
        "Add the alert of the new metric. Its dashboard is linked here.",
    ],
)
def test_content_is_not_taken_for_a_placeholder(body: str) -> None:
    assert incomplete_sections(document(Monitoring=body), SECTIONS) == {}


@pytest.mark.parametrize(
    "heading",
    [
        "## 4. Monitoring",
        "# MONITORING",
        "### Monitoring:",
        "## **Monitoring**",
        "## Section 4: Monitoring",
        "## 4) monitoring",
    ],
)
def test_numbering_case_level_and_emphasis_do_not_matter(heading: str) -> None:
    alone = f"{heading}\n\n{BODY}\n"
    assert incomplete_sections(alone, ("Monitoring",)) == {}


def test_underlined_headings_count_and_those_in_code_do_not() -> None:
    assert incomplete_sections(f"Monitoring\n----------\n\n{BODY}\n", ("Monitoring",)) == {}
    assert incomplete_sections(f"```\n# Monitoring\n{BODY}\n```\n", ("Monitoring",)) == {"Monitoring": "is missing"}


def test_a_section_ends_at_the_next_of_its_level() -> None:
    text = f"# Readiness\n## Monitoring\n## Rollback\n{BODY}\n"
    assert incomplete_sections(text, ("Monitoring", "Rollback")) == {"Monitoring": "is empty"}


def test_sections_are_a_parameter(evidence) -> None:
    gate = MlopsReadiness(sections=("Runbook",))
    assert gate.check(evidence(document=f"# Runbook\n{BODY}")).status == "PASS"

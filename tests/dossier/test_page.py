import re
from html.parser import HTMLParser

import pytest

from ftfkit.dossier.page import html_page
from ftfkit.dossier.write import write_dossier

HOSTILE = '<script>alert("x")</script>'


class Tags(HTMLParser):
    """Tags of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def page(make_run, make_rows):
    rows = make_rows({"none": 0.0, HOSTILE: 0.05, "a|b*c`d": -0.05})
    rows["asset"] = rows["asset"].replace("A000USDC", '"><img src=x onerror=alert(1)>')
    rows.loc[rows.index[-1], "status"] = "error"
    rows.loc[rows.index[-1], "error"] = f"ValueError: {HOSTILE}"
    track = {"id": HOSTILE, "title": "</title></style><script>", "links": [f"[x](javascript:alert(1)) {HOSTILE}"]}
    folder = make_run(rows, track=track, command=f"python {HOSTILE} ```", synthetic=True)
    write_dossier(folder, sections={})
    return (folder / "dossier.html").read_text(encoding="utf-8")


def test_names_from_configs_are_text_and_nothing_else(page):
    tags = Tags(page).found
    assert not [tag for tag, _ in tags if tag in {"script", "iframe", "object"}]
    assert not [attrs for _, attrs in tags if any(name.startswith("on") for name in attrs)]
    assert len([tag for tag, _ in tags if tag == "title"]) == 1
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" in page
    assert "a|b*c`d" in page


def test_the_page_loads_nothing(page):
    tags = Tags(page).found
    images = [attrs["src"] for tag, attrs in tags if tag == "img"]
    assert len(images) == 2
    assert all(source.startswith("data:image/png;base64,") for source in images)
    assert not [tag for tag, _ in tags if tag == "link"]
    assert not re.search(r"url\(|@import", page)
    assert all(attrs["href"].startswith("#") for tag, attrs in tags if tag == "a")


def test_sections_can_be_reached_and_states_are_marked(page):
    tags = Tags(page).found
    anchors = {attrs["id"] for tag, attrs in tags if tag in {"h2", "h3"}}
    targets = [attrs["href"].removeprefix("#") for tag, attrs in tags if tag == "a"]
    assert len(targets) == 8
    assert set(targets) <= anchors
    assert {"td"} == {tag for tag, attrs in tags if attrs.get("class") in {"pass", "fail"}}


def test_an_unknown_image_becomes_its_description():
    page = html_page(
        "![a remote figure](https://example.org/x.png)\n\n![known](figures/k.png)", "t", "", {"k.png": b"PNG"}
    )
    images = [attrs for tag, attrs in Tags(page).found if tag == "img"]
    assert [image["src"] for image in images] == ["data:image/png;base64,UE5H"]
    assert "a remote figure" in page


def test_tables_and_figures_can_be_scrolled_by_keyboard_and_have_names():
    text = "## 3. Deltas\n\n| A | n |\n|---|---:|\n| x | 1 |\n\n| B |\n|---|\n| y |\n\n![what it shows](figures/k.png)"
    tags = Tags(html_page(text, "t", "", {"k.png": b"PNG"})).found
    boxes = [attrs for _, attrs in tags if attrs.get("class") == "scroll"]
    assert [box["aria-label"] for box in boxes] == [
        "Table 1 of 3. Deltas",
        "Table 2 of 3. Deltas",
        "Figure: what it shows",
    ]
    assert all((box["role"], box["tabindex"]) == ("region", "0") for box in boxes)
    assert [attrs["scope"] for tag, attrs in tags if tag == "th"] == ["col", "col", "row", "col", "row"]


def test_names_in_tables_break_between_their_parts_and_times_nowhere():
    text = "| Gate | n |\n|---|---|\n| operating_point | 2024-01-02 03:04 |\n| a[b_c=7]+d | _e |"
    page = html_page(text, "t", "", {})
    assert '<th scope="row">operating_<wbr />point</th>' in page
    assert '<td class="time">2024-01-02 03:04</td>' in page
    assert '<th scope="row">a[b_<wbr />c=7]+<wbr />d</th>\n<td>_e</td>' in page

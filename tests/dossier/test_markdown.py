from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ftfkit.dossier.markdown import code, escape, fence, markdown_table
from ftfkit.dossier.text import table

HOSTILE = [
    "<script>alert(1)</script>",
    "a|b",
    "_x_ and __y__",
    "*x*",
    "`x`",
    "[a](javascript:alert(1))",
    "![a](figures/forest.png)",
    "&lt;b&gt;",
    "# heading",
    "1. one",
    "2) two",
    "- item",
    "+ item",
    "> quote",
    ">= 0",
    "---",
    "===",
    "~~x~~",
    "back\\slash",
    "<https://example.org>",
    "a@b.org",
    "line\nbreak",
    "-0.07",
    "mild_focus",
]


def parsed(markdown: str) -> str:
    """Text of the only paragraph; fails where anything else was made of it."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown)
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children
    assert {child.type for child in children} <= {"text", "text_special"}
    return "".join(child.content for child in children)


@pytest.mark.parametrize("value", HOSTILE)
def test_escaped_text_reads_as_it_was_written(value):
    assert parsed(escape(value)) == " ".join(value.split())


@given(st.text(alphabet="ab1 .)-+=_*`<>|~[]()!&;#:\\/\n", min_size=1, max_size=30).filter(str.strip))
def test_no_text_escapes_its_paragraph(value):
    assert parsed(escape(value)) == " ".join(value.split())


@given(st.text(alphabet="ab |\\`*_<>", max_size=12))
def test_a_table_keeps_its_cells(value):
    markdown = str(markdown_table(table(("Name", "n"), [(value, "1"), ("x", value)])))
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    cells = [after for token, after in pairwise(tokens) if token.type == "td_open"]
    shown = ["".join(child.content for child in cell.children) for cell in cells]
    assert shown == [" ".join(value.split()), "1", "x", " ".join(value.split())]


def test_names_of_this_field_need_no_escaping():
    plain = "mild_focus ATR0.5_1.5_H4 -0.07 [-0.1, +0.2] < 0.05"
    assert escape(plain) == plain


@pytest.mark.parametrize("body", ["plain", "with ``` inside", "````"])
def test_a_fence_is_longer_than_any_inside(body):
    (token,) = MarkdownIt().parse(str(fence(body)))
    assert (token.type, token.content) == ("fence", body + "\n")


@pytest.mark.parametrize("body", ["plain", "a `tick`", "`a", "<b>"])
def test_code_shows_its_text_untouched(body):
    inline = MarkdownIt().parse(str(code(body)))[1]
    assert [(child.type, child.content) for child in inline.children] == [("code_inline", body)]

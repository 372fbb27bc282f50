import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftfkit.dossier.inert import inert
from ftfkit.dossier.markdown import parser


@pytest.mark.parametrize(
    "markdown",
    [
        "#### By year\n\n```sh\n# <comment>\n```",
        "1 < 2, `<b>` and ``a ` <b>``",
        "<https://example.org> and &lt;b>",
        "- a\n\n      <in code>",
        "~~~\n```\n~~~~",
        "> ```\n> open in a quote",
    ],
)
def test_what_is_complete_and_has_no_html_is_left_alone(markdown):
    assert inert(markdown) == markdown


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("a <b>x</b> `<i>`", "<p>a &lt;b&gt;x&lt;/b&gt; <code>&lt;i&gt;</code></p>\n"),
        ("<!-- a\n\n*b*", "<p>&lt;!-- a</p>\n<p><em>b</em></p>\n"),
        ("\\`<b>`", "<p>`&lt;b&gt;`</p>\n"),
        ("```\n<b>", "<pre><code>&lt;b&gt;\n</code></pre>\n"),
    ],
)
def test_html_is_shown_as_text_and_code_as_code(markdown, shown):
    assert parser(html=True).render(inert(markdown)) == shown


@given(st.text(alphabet="ab <>/!-`~\\\n|&", max_size=40))
def test_nothing_is_html_and_nothing_reaches_what_follows(markdown):
    safe = inert(markdown)
    tokens = parser(html=True).parse(f"{safe}\n\n# After\n")
    assert "html" not in {token.type[:4] for one in tokens for token in (one, *(one.children or ()))}
    assert [token.tag for token in tokens[-3:]] == ["h1", "", "h1"]

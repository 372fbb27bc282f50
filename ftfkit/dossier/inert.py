"""Markdown of others that cannot reach beyond its own place: raw HTML becomes text, an open fence is closed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ftfkit.dossier.markdown import parser

_LINE_END = re.compile(r"\r\n|\r|\n")  # what CommonMark calls a line ending
_SPAN_OR_TAG = re.compile(
    r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)|(?<!\\)<", re.DOTALL
)  # a code span, or what opens a tag


def inert(markdown: str) -> str:
    """The same Markdown for every reader, with HTML allowed or not, and complete in itself.

    Examples
    --------
    >>> inert("a <b>bold</b> word, `<i>` in code")
    'a &lt;b>bold&lt;/b> word, `<i>` in code'
    """
    return _closed(_without_html("\n".join(_LINE_END.split(markdown))))


def _without_html(markdown: str) -> str:
    """Every tag and comment as text; escaping one may reveal another, so until none is left."""
    careful = True  # a second look at the same lines also escapes what seems to be code
    while found := list(_html_lines(markdown)):
        lines = markdown.split("\n")
        for first, last in found:
            lines[first:last] = _escaped("\n".join(lines[first:last]), careful).split("\n")
        escaped = "\n".join(lines)
        careful, markdown = escaped != markdown, escaped
    return markdown


def _html_lines(markdown: str) -> Iterator[tuple[int, int]]:
    """First and last line (exclusive) of what a reader would take for HTML; of a block its first line."""
    for token in parser(html=True).parse(markdown):
        if token.map and token.type == "html_block":
            yield token.map[0], token.map[0] + 1
        elif token.map and any(child.type == "html_inline" for child in token.children or ()):
            yield token.map[0], token.map[1]


def _escaped(lines: str, careful: bool) -> str:
    if not careful:
        return lines.replace("<", "&lt;")
    return _SPAN_OR_TAG.sub(lambda found: "&lt;" if found[0] == "<" else found[0], lines)


def _closed(markdown: str) -> str:
    """A fence that runs to the end is ended, or all that follows would be code."""
    last = next((token for token in reversed(parser().parse(markdown)) if token.level == 0), None)
    if last is None or last.type != "fence" or last.map is None:
        return markdown
    lines = markdown.split("\n")[slice(*last.map)]
    mark = re.escape(last.markup[0])
    ended = len(lines) > 1 and re.fullmatch(rf" {{0,3}}{mark}{{{len(last.markup)},}}[ \t]*", lines[-1])
    return markdown if ended else f"{markdown}\n{last.markup}"

"""The dossier as one self-contained HTML file: the Markdown rendered without raw HTML, style and figures inline."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from ftfkit.dossier.markdown import environment

_STATES = {"PASS", "FAIL", "ERROR", "NOT_APPLICABLE", "LOCK", "ABANDON", "INCONCLUSIVE", "INCOMPLETE"}


@dataclass(frozen=True)
class _Page:
    body: str
    sections: tuple[tuple[str, str], ...]  # (anchor, heading)


def html_page(markdown: str, title: str, marks: str, figures: Mapping[str, bytes]) -> str:
    """HTML page of a dossier.

    Parameters
    ----------
    markdown : str
        Text of ``dossier.md``; HTML in it is shown as text.
    title, marks : str
        Page title, and the line that stays in sight while scrolling (synthetic, post hoc); empty for none.
    figures : mapping of str to bytes
        PNG by file name. An image that is not among them is replaced by its description: the page loads nothing.
    """
    page = _render(markdown, figures)
    css = files("ftfkit.dossier").joinpath("templates/dossier.css").read_text(encoding="utf-8")
    template = environment().overlay(finalize=None).get_template("dossier.html.j2")
    return template.render(
        title=title,
        marks=marks,
        style=Markup(css),  # our own file
        sections=page.sections,
        body=Markup(page.body),  # rendered with raw HTML off
    )


def _render(markdown: str, figures: Mapping[str, bytes]) -> _Page:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    sections = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            anchor = _anchor(inline.content)
            opening.attrSet("id", anchor)
            sections += [(anchor, _plain(inline))] if opening.tag == "h2" else []
        elif opening.type in ("td_open", "th_open"):
            _mark_cell(opening, inline)
    for token in tokens:
        _embed(token.children or (), figures)
    body = parser.renderer.render(tokens, parser.options, {})
    body = body.replace("<table>", '<div class="scroll"><table>').replace("</table>", "</table></div>")
    return _Page(body, tuple(sections))


def _mark_cell(cell: Token, inline: Token) -> None:
    """Classes in place of markdown-it's inline style, and the state that a verdict or gate cell shows."""
    names = ["right"] if "right" in str(cell.attrs.pop("style", "")) else []
    names += [inline.content.lower()] if inline.content in _STATES and cell.type == "td_open" else []
    if names:
        cell.attrSet("class", " ".join(names))


def _embed(tokens: Sequence[Token], figures: Mapping[str, bytes]) -> None:
    for token in tokens:
        if token.type != "image":
            continue
        png = figures.get(str(token.attrs["src"]).removeprefix("figures/"))
        if png is None:
            token.type, token.children = "text", None
        else:
            token.attrs["src"] = f"data:image/png;base64,{b64encode(png).decode('ascii')}"


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or ())


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")

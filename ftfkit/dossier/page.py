"""The dossier as one self-contained HTML file: the Markdown rendered without raw HTML, style and figures inline."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

from ftfkit.dossier.markdown import environment, parser

_JOINT = re.compile(r"(?<=[A-Za-z0-9\])][_/+])(?=[A-Za-z0-9(\[])")  # where a name like operating_point may break
_LONG = 40  # characters of a cell that needs room
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")
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
    read = parser()
    tokens = read.parse(markdown)
    sections, tables, heading = [], Counter[str](), ""
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            anchor, heading = _anchor(inline.content), _plain(inline)
            opening.attrSet("id", anchor)
            sections += [(anchor, heading)] if opening.tag == "h2" else []
            _let_names_break(inline)
        elif opening.type == "table_open":
            tables[heading] += 1
            opening.meta["label"] = f"Table {tables[heading]} of {heading}" if heading else "Table"
        elif opening.type in ("td_open", "th_open"):
            _mark_cell(opening, inline)
            _let_names_break(inline)
        elif opening.type == "paragraph_open" and any(child.type == "image" for child in inline.children or ()):
            opening.attrs |= _scrolling(f"Figure: {_plain(inline)}")
    _mark_row_heads(tokens)
    for token in tokens:
        _embed(token.children or (), figures)
    read.add_render_rule("table_open", _open_table)
    read.add_render_rule("table_close", lambda *_: "</table>\n</div>\n")
    return _Page(read.renderer.render(tokens, read.options, {}), tuple(sections))


def _scrolling(label: str) -> dict[str, str | int | float]:
    """Attributes of what may be wider than the screen: the keyboard reaches it and a screen reader names it."""
    return {"class": "scroll", "role": "region", "aria-label": " ".join(label.split()), "tabindex": "0"}


def _open_table(renderer: RendererHTML, tokens: Sequence[Token], at: int, *_: object) -> str:
    box = Token("box", "div", 1, attrs=_scrolling(tokens[at].meta["label"]))
    return f"<div{renderer.renderAttrs(box)}>\n<table>\n"


def _mark_cell(cell: Token, inline: Token) -> None:
    """Classes in place of markdown-it's inline style, and the state that a verdict or gate cell shows."""
    names = ["right"] if "right" in str(cell.attrs.pop("style", "")) else []
    names += ["long"] if len(inline.content) > _LONG else []
    names += ["time"] if _TIME.fullmatch(inline.content) else []
    names += [inline.content.lower()] if inline.content in _STATES and cell.type == "td_open" else []
    if names:
        cell.attrSet("class", " ".join(names))
    if cell.type == "th_open":
        cell.attrSet("scope", "col")


def _mark_row_heads(tokens: Sequence[Token]) -> None:
    """The first cell of a row names the row."""
    for row, cell, _, closing in zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False):
        if row.type == "tr_open" and cell.type == "td_open":
            cell.tag = closing.tag = "th"
            cell.attrSet("scope", "row")


def _let_names_break(inline: Token) -> None:
    """Long names may break after the signs that join their parts, and nowhere else."""
    broken: list[Token] = []
    for child in inline.children or ():
        if child.type != "text":
            broken.append(child)
            continue
        for at, part in enumerate(_JOINT.split(child.content)):
            broken += [Token("wbr", "wbr", 0)] if at else []
            broken.append(Token("text", "", 0, content=part))
    inline.children = broken


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

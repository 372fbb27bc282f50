"""Markdown that stays what it says: every value put into a template is escaped unless it is marked as Markdown."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from ftfkit.dossier import text
from ftfkit.dossier.text import Table

_SPECIAL = re.compile(
    r"[\\`*|~]|<(?=[A-Za-z/!?])"  # spans, cell borders, tags and autolinks
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # an underscore inside a word is plain text
    r"|!(?=\[)|\](?=[\[(:])"  # images and links
    r"|&(?=#?\w+;)"  # entities
)
_OPENING = re.compile(r"^(?:>|[-=](?=[-= ]*$)|(?:#+|[+-]|\d+(?=[.)]))(?=[.)]?(?:\s|$)))")  # quote, rule, heading, list


def escape(value: object) -> Markup:
    """One line of literal Markdown: line breaks become spaces, nothing in it is markup.

    Examples
    --------
    >>> print(escape("mild_focus | <b>*x*</b>"))
    mild_focus \\| \\<b>\\*x\\*\\</b>
    """
    if isinstance(value, Markup):
        return value
    line = _SPECIAL.sub(r"\\\g<0>", " ".join(str(value).split()))
    opening = _OPENING.match(line)
    if opening:
        cut = opening.end() if opening.group()[0].isdigit() else 0  # "1." is defused at its dot
        line = f"{line[:cut]}\\{line[cut:]}"
    return Markup(line)  # escaped for Markdown; the HTML page is rendered from it without raw HTML


def code(value: object) -> Markup:
    """Inline code; the fence of backticks is longer than any inside."""
    line = " ".join(str(value).split())
    ticks = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return Markup(f"{ticks}{pad}{line}{pad}{ticks}")


def fence(value: object, language: str = "text") -> Markup:
    """Fenced block; the fence is longer than any run of backticks inside."""
    body = str(value).rstrip("\n")
    ticks = "`" * max(3, _longest_run(body) + 1)
    return Markup(f"{ticks}{language}\n{body}\n{ticks}")


def markdown_table(table: Table) -> Markup:
    """Pipe table with its note below; text aligned left, numbers right."""
    marks = ["---" if column < table.n_text else "---:" for column in range(len(table.columns))]
    lines = ["| " + " | ".join(map(str, map(escape, table.columns))) + " |", "|" + "|".join(marks) + "|"]
    lines += ["| " + " | ".join(map(str, map(escape, row))) + " |" for row in table.rows]
    if table.note:
        lines += ["", str(escape(table.note))]
    return Markup("\n".join(lines))


def parser(*, html: bool = False) -> MarkdownIt:
    """The Markdown that a dossier is written in; with ``html`` as a reader that lets raw HTML through takes it."""
    return MarkdownIt("commonmark", {"html": html}).enable("table")


@cache
def environment() -> Environment:
    """Templates of the dossier; autoescape is on so that only `Markup` passes unescaped."""
    made = Environment(
        loader=PackageLoader("ftfkit.dossier"),
        autoescape=True,
        finalize=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "code": code,
        "fence": fence,
        "table": markdown_table,
        "number": text.number,
        "count": text.count,
        "percent": text.percent,
        "listed": text.listed,
    }
    return made


def render(**context: Any) -> str:
    """``dossier.md`` from its template; runs of blank lines collapsed."""
    body = environment().get_template("dossier.md.j2").render(**context)
    return re.sub(r"\n{3,}", "\n\n", body).strip() + "\n"


def _longest_run(line: str) -> int:
    return max((len(run) for run in re.findall(r"`+", line)), default=0)

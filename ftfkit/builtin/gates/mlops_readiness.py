"""Gate: the track's readiness document is complete."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ftfkit.components import GateCheck, GateEvidence
from ftfkit.types import GateResult, GateStatus

if TYPE_CHECKING:
    from markdown_it.token import Token

SECTIONS = ("Model card", "Data lineage", "Reproducibility", "Monitoring", "Rollback", "Ownership")

_MARKER = re.compile(
    r"\b(TODO|TBD|TBA|FIXME|XXX)\b|(?i:\blorem ipsum\b|\bto be (announced|completed|decided|defined|determined|done|"
    r"filled|written)\b|\bcoming soon\b)"
)
_STARTS_UNFINISHED = re.compile(  # "to do so, ..." is an honest start, "to do: ..." is not
    r"(?i)[\W_]*((todo|tbd|tba|fixme|wip|placeholder)\b|to[ -]do\s*([:.,;!\u2013\u2014-]|$))"
)
_PLACEHOLDER = re.compile(
    r"(?i)(xxx|n/?a|none|nothing yet|fill( (this|me))? in|write (this|me)|(add|insert|put|write|your)\b[^.]* here|"
    r"<[^<>]*>|\[[^\[\]]*\]|\{+[^{}]*\}+)[\s.:!]*"
)
_OPEN_TASK = re.compile(r"\[ \]\s")
_NUMBER = re.compile(r"^(section\s+)?\d+(\.\d+)*[.):]?\s+", re.IGNORECASE)


class MlopsReadiness(GateCheck):
    """PASS iff the document has every section and none is empty or a placeholder.

    NOT_APPLICABLE where neither a track nor the user names a document. A heading counts at any level; case,
    numbering and punctuation at its ends are ignored.

    Attributes
    ----------
    sections : tuple of str
        Headings that must be there with text of their own.
    """

    sections: tuple[str, ...] = Field(default=SECTIONS, min_length=1)

    requires: ClassVar[tuple[str, ...]] = ()

    def check(self, evidence: GateEvidence) -> GateResult:
        if evidence.readiness is None:
            if evidence.readiness_expected:
                return self._result("ERROR", None, "the readiness document is missing")
            return self._result("NOT_APPLICABLE", None, "no track and no readiness document")
        wrong = self.incomplete(evidence.readiness)
        complete = len(self.sections) - len(wrong)
        if wrong:
            return self._result("FAIL", complete, "; ".join(f"{name} {why}" for name, why in wrong.items()))
        return self._result("PASS", complete, f"all {complete} sections complete")

    def incomplete(self, document: str) -> Mapping[str, str]:
        """Sections that are not complete, and what is wrong with each."""
        return incomplete_sections(document, self.sections)

    def _result(self, status: GateStatus, complete: int | None, reason: str) -> GateResult:
        return GateResult(status, complete, len(self.sections), "sections", reason)


def incomplete_sections(document: str, sections: tuple[str, ...]) -> Mapping[str, str]:
    """What is wrong with each section that is not complete: ``is missing``, ``is empty`` or ``is a placeholder``.

    Parameters
    ----------
    document : str
        Markdown (CommonMark). A section runs to the next heading of its own level or above.
    sections : tuple of str
        Headings that must be there.

    Examples
    --------
    >>> incomplete_sections("# Rollback\\nSet the old loss.\\n# Monitoring\\nTODO\\n", ("Rollback", "Monitoring"))
    {'Monitoring': 'is a placeholder'}
    """
    from markdown_it import MarkdownIt  # no run without a document should wait for it

    tokens = MarkdownIt("commonmark").parse(document)
    wrong = {}
    for name in sections:
        starts = [i for i, token in enumerate(tokens) if _opens(token) and _title(tokens[i + 1]) == _normal(name)]
        blocks = [text for start in starts for text in _blocks(tokens, start)]
        if not starts:
            wrong[name] = "is missing"
        elif not any(re.search(r"\w", text) for text in blocks):
            wrong[name] = "is empty"
        elif any(map(_unfinished, blocks)) or all(map(_PLACEHOLDER.fullmatch, blocks)):
            wrong[name] = "is a placeholder"
    return wrong


def _unfinished(text: str) -> bool:
    return bool(_MARKER.search(text) or _STARTS_UNFINISHED.match(text) or _OPEN_TASK.match(text))


def _opens(token: Token) -> bool:
    return token.type == "heading_open"


def _title(inline: Token) -> str:
    return _normal(_shown(inline))


def _shown(token: Token) -> str:
    """Text as a reader sees it: without emphasis and addresses of links, on one line where it is not code."""
    if token.type != "inline":
        return token.content
    return "".join(" " if child.type.endswith("break") else child.content for child in token.children or [])


def _normal(title: str) -> str:
    return _NUMBER.sub("", title.strip()).strip(" \t.:;-*_").casefold()


def _blocks(tokens: list[Token], start: int) -> list[str]:
    """Texts of one section, one a paragraph, list item or code block; headings and HTML comments do not count."""
    texts = []
    for i in range(start + 3, len(tokens)):
        token = tokens[i]
        if _opens(token) and token.tag <= tokens[start].tag:
            break
        if token.type in {"inline", "fence", "code_block"} and not _opens(tokens[i - 1]):
            texts.append(_shown(token).strip())
    return [text for text in texts if text]

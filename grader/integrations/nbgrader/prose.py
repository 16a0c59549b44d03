"""A stranger's Markdown, as it goes into the autograded notebook.

It is harmless there on its own, also for a page that is made without `configure`. Markdown of which
nbconvert makes nothing but text, formulas, pictures and ordinary links stays as it was written. Any
other is kept as the page that it gives, sanitised; what would take too long to read, as plain text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from grader.integrations.nbgrader.outputs import OutputBudget
from grader.integrations.nbgrader.pages import language, page
from grader.integrations.nbgrader.pictures import ATTACHMENT, Picture, pasted, taken_out
from grader.integrations.nbgrader.sanitizing import ADDRESSES
from grader.text import code_block

MAX_CELL_CHARS = 50_000
MAX_NOTEBOOK_CHARS = 400_000
MAX_PICTURES_BYTES = 16 << 20
MAX_OPENINGS = 200
"""Each opening of these formulas has nbconvert look for its end in the whole cell, and each block
of code has a lexer of its own."""

_OPENINGS = ("\\\\[", "\\\\(", "\\begin{", "```", "~~~")
# MathJax, where a page has it, makes links of its own, and finds formulas also in what is none
_LINK_IN_FORMULA = "\\href"
# of these signs, nbconvert reads some also in HTML
_IN_ONE_LINE = {"\n": "&#10;", "\r": "&#13;", "$": "&#36;", "\\": "&#92;"}

Cell = dict[str, Any]


@dataclass
class Allowance:
    """What a notebook may bring along of prose, and of pictures that were pasted into it."""

    prose: OutputBudget = field(default_factory=lambda: OutputBudget(MAX_NOTEBOOK_CHARS))
    pictures: OutputBudget = field(default_factory=lambda: OutputBudget(MAX_PICTURES_BYTES))


def harmless_prose(text: str, attachments: object, allowance: Allowance) -> tuple[Cell, list[str]]:
    """Make a cell of a stranger's Markdown.

    Returns:
        The cell, and in plain words what of it could not be kept.
    """
    text, in_text = taken_out(text)
    pictures = {**pasted(attachments), **in_text}
    if not _is_quick(text) or not allowance.prose.allows(len(text)):
        return markdown_cell(code_block(text)), ["prose that is very long is shown as plain text"]
    try:
        reader = _Reader(pictures)
        MarkdownWithMath(renderer=reader).render(text)
        shown = {
            name: {one.kind: one.content}
            for name, one in reader.shown(text).items()
            if allowance.pictures.allows(len(one.content))
        }
        lost = (reader.names - shown.keys()) | reader.unknown
        plain = reader.is_plain and _LINK_IN_FORMULA not in html.unescape(text) and not lost
        source = text if plain else _as_html(page(text, shown))
    except Exception:  # a stranger's text: whatever it was, nobody's page shall end at it
        return markdown_cell(code_block(text)), ["prose that can't be read is shown as plain text"]
    cell = markdown_cell(source)
    if shown and source == text:
        cell["attachments"] = shown
    return cell, ["a pasted picture is missing, none or too large: it is left out"] * bool(lost)


def markdown_cell(source: str) -> Cell:
    """A cell of prose."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _is_quick(text: str) -> bool:
    openings = sum(text.count(opening) for opening in _OPENINGS)
    return len(text) <= MAX_CELL_CHARS and openings <= MAX_OPENINGS


def _as_html(made: str) -> str:
    """A page as Markdown: one block of HTML, in which nothing is read as Markdown again."""
    for sign, entity in _IN_ONE_LINE.items():
        made = made.replace(sign, entity)
    return made


class _Reader(IPythonRenderer):
    """Sees what nbconvert makes of a text, and takes note; what it writes is not used."""

    def __init__(self, pictures: dict[str, Picture]) -> None:
        super().__init__(escape=True, exclude_anchor_links=True)
        self.is_plain = True
        self.names: set[str] = set()
        self.unknown: set[str] = set()
        self._pictures = pictures

    def shown(self, text: str) -> dict[str, Picture]:
        """The pictures that the text refers to, by the names that it uses for them."""
        found = {name: self._pictures[_known(name, self._pictures)] for name in self.names}
        if not self.is_plain:  # it may refer to some in HTML
            found |= {name: one for name, one in self._pictures.items() if name in text}
        return found

    def block_html(self, markup: str) -> str:
        self.is_plain = False
        return ""

    inline_html = block_html

    def block_code(self, code: str, info: str | None = None) -> str:
        if info and not language(info):
            self.is_plain = False
        return ""

    def link(self, text: str, url: str, title: str | None = None) -> str:
        self._note(is_plain=_is_ordinary(url))
        return text

    def image(self, text: str, url: str, title: str | None = None) -> str:
        if not url.startswith(ATTACHMENT):
            self._note(is_plain=_is_ordinary(url))
        elif _known(name := url.removeprefix(ATTACHMENT), self._pictures):
            self.names.add(name)
        else:
            self.unknown.add(name)
        return text

    def _note(self, *, is_plain: bool) -> None:
        self.is_plain = self.is_plain and is_plain


def _known(name: str, pictures: Iterable[str]) -> str:
    """What an attachment is really called: its name may be written like a part of an address."""
    return next((one for one in (name, unquote(name)) if one in pictures), "")


def _is_ordinary(url: str) -> bool:
    """Whether it leads to a page, a mail or a file beside the notebook, as a browser reads it."""
    seen = re.sub(r"[\x00-\x20]", "", html.unescape(url)).lower()
    before, colon, _ = re.split(r"[/?#]", seen, maxsplit=1)[0].partition(":")
    return not colon or before in ADDRESSES

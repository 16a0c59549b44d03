"""Markdown that is a notebook: Quarto's `.qmd`, and `.md` as Jupytext and MyST write it.

A cell is a fenced block of Python that the tool would run. A line is looked at once, so that all of
it is linear, whatever the text holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from grader.errors import IntakeError
from grader.model import Value

ENDINGS = (".qmd", ".md")

_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)")
MAX_INFO_CHARS = 400
"""What is longer says nothing of a block; so no pattern meets a long text."""
_PYTHON = re.compile(r"i?python[\d.]*")
_BRACED = re.compile(r"\{(?P<language>[\w.+-]+)(?P<options>[^{}]*)\}")  # Quarto, knitr
_MYST = re.compile(r"\{code-cell\}[ \t]*(?P<language>[\w.+-]*)")
_PLAIN = re.compile(r"(?P<language>[\w+-]+)(?P<options>(?:[.\s{].*)?)", re.S)  # Jupytext
# Jupytext shows these and runs none of them.
_SHOWN_ALONE = re.compile(r"\.noeval\b|\bactive=\"(?!(?:[\w,-]*,)?(?:ipynb|py)\b)")
_NOT_RUN = re.compile(r"#\|[ \t]*eval[ \t]*:[ \t]*false[ \t]*", re.I)
_OPTION = re.compile(r":[\w-]+:.*")
# Between these Jupytext keeps prose that may hold fences of its own.
_REGION = re.compile(r"<!-- #(?P<end>end)?(?:region|md|markdown|raw)\b.*-->[ \t]*")
_ASSIGNMENT = re.compile(r"grader:[ \t]*\n[ \t]+assignment:[ \t]*['\"]?([\w.-]+)['\"]?[ \t]*")


_CodeCell = tuple[str, Sequence[str]]
"""The language and the lines of what is run."""


class _Block(Value, frozen=True):
    """A fenced block: what its first line says after the fence, and the lines within."""

    info: str
    lines: tuple[str, ...]


def read_markdown(text: str, *, quarto: bool) -> list[str]:
    """Return the code cells of a notebook in Markdown, in their order.

    Args:
        text: the whole file, with Unix line ends.
        quarto: whether it is Quarto's, which runs only what stands in braces.

    Raises:
        IntakeError: it has no cells that are Python.
    """
    blocks = list(_blocks(text.split("\n")))
    found = list(
        _quarto_cells(blocks) if quarto else _myst_cells(blocks) or _jupytext_cells(blocks)
    )
    cells = ["\n".join(lines) for language, lines in found if _PYTHON.fullmatch(language)]
    if not cells:
        others = ", ".join(sorted({language for language, _ in found})[:3])
        raise IntakeError(
            "it has no cells in Python" + (f", only in {others[:60]}" if others else ""),
            hint="a cell of Quarto begins with ```{python}, one of Jupytext with ```python",
        )
    return cells


def markdown_assignment(text: str) -> str | None:
    """Return the assignment that the head of a file names, as a notebook's metadata does."""
    head = _head(text.split("\n"))
    found = _ASSIGNMENT.search("\n".join(head))
    return found[1] if found else None


def _head(lines: Sequence[str]) -> Sequence[str]:
    """The YAML before the text, without its rules; nothing where there is none."""
    if lines and lines[0].rstrip() == "---":
        for number, line in enumerate(lines[1:], 1):
            if line.rstrip() in ("---", "..."):
                return lines[1:number]
    return ()


def _blocks(lines: Sequence[str]) -> Iterator[_Block]:
    head = _head(lines)
    fence, info = "", ""
    inside: list[str] = []
    in_region = False
    for line in lines[len(head) + 2 if head else 0 :]:
        found = _FENCE.fullmatch(line)
        if fence:
            if found and not found["info"].strip() and found["fence"].startswith(fence):
                yield _Block(info=info, lines=tuple(inside))
                fence, inside = "", []
            else:
                inside.append(line)
        elif region := _REGION.fullmatch(line):
            in_region = not region["end"]
        elif found and not in_region:
            fence, info = found["fence"], found["info"].strip()[:MAX_INFO_CHARS]
    if fence:  # never closed: it goes on to the end
        yield _Block(info=info, lines=tuple(inside))


def _quarto_cells(blocks: Sequence[_Block]) -> Iterator[_CodeCell]:
    for block in blocks:
        options = takewhile(lambda line: line.startswith("#|"), block.lines)
        found = _BRACED.fullmatch(block.info)
        if found and not any(_NOT_RUN.fullmatch(option) for option in options):
            yield found["language"].lower(), block.lines


def _myst_cells(blocks: Sequence[_Block]) -> list[_CodeCell]:
    found = ((_MYST.fullmatch(block.info), block.lines) for block in blocks)
    return [
        ((match["language"] or "python").lower(), _without_options(lines))
        for match, lines in found
        if match
    ]


def _without_options(lines: Sequence[str]) -> Sequence[str]:
    """The lines of a MyST cell without what is said of it first: `:tags: [x]`, or YAML."""
    head = _head(lines)
    if head:
        return lines[len(head) + 2 :]
    start = next((i for i, line in enumerate(lines) if not _OPTION.fullmatch(line)), len(lines))
    if start and lines[start : start + 1] == ("",):  # sets the options apart
        start += 1
    return lines[start:]


def _jupytext_cells(blocks: Sequence[_Block]) -> Iterator[_CodeCell]:
    for block in blocks:
        found = _PLAIN.fullmatch(block.info)
        if found and not _SHOWN_ALONE.search(block.info):
            yield found["language"].lower(), block.lines

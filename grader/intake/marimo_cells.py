"""marimo notebooks: Python files in which each cell is a function.

When marimo saves a notebook it writes down what its own analysis has found: a cell's parameters are
the names that it needs, and it returns those that it defines. So the cells are put in order by
that, as marimo runs them, and nothing is compiled or run to find it out. All of it is linear.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from grader.errors import IntakeError
from grader.lesson.comments import spans_of_strings
from grader.model import Value

_APP = re.compile(r"^app = marimo\.App\(", re.M)
_STATEMENT = re.compile(r"^(?=[^\s#)\]}])", re.M)
_CELL = re.compile(r"@app\.cell(?P<options>\([^\n]*\))?[ \t]*\n")
_HEAD = re.compile(r"(?:async[ \t]+)?def[ \t]+\w+\((?P<needs>[^()]*)\)[^\n:]*:")
_SETUP = re.compile(r"with app\.setup(?:\([^\n]*\))?:")
_DEFINITION = re.compile(r"@app\.(?:function|class_definition)(?:\([^\n]*\))?[ \t]*\n")
_DEFINED = re.compile(r"(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)")
_UNPARSABLE = re.compile(r"app\._unparsable_cell\(")
_RETURN = re.compile(r"^    return\b", re.M)
_NAME = re.compile(r"[^\W\d]\w*")
_DISABLED = re.compile(r"\bdisabled[ \t]*=[ \t]*True\b")


class MarimoCell(Value, frozen=True):
    """A cell: its code, the names that it needs, and those that it defines."""

    source: str
    needs: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()


def is_marimo(text: str) -> bool:
    """Whether a script is a marimo notebook."""
    return _APP.search(text) is not None


def read_marimo(text: str) -> tuple[list[str], tuple[str, ...]]:
    """Return the sources of a notebook's cells in the order in which they run, and notes.

    Raises:
        IntakeError: two cells define one name, or cells need one another in a circle.
    """
    strings = spans_of_strings(text)
    starts = _outside([match.start() for match in _STATEMENT.finditer(text)], strings)
    setup: list[MarimoCell] = []
    first: list[MarimoCell] = []
    cells: list[MarimoCell] = []
    unparsable = 0
    for start, end in pairwise([*_blocks(text, starts), len(text)]):
        if _SETUP.match(text, start):
            begin = text.index("\n", start) + 1 if "\n" in text[start:end] else end
            setup.append(MarimoCell(_dedented(text, begin, end, _within(strings, begin, end))))
        elif match := _DEFINITION.match(text, start):
            defined = _DEFINED.match(text, match.end())
            names = (defined[1],) if defined else ()
            first.append(MarimoCell(text[match.end() : end].rstrip(), defines=names))
        elif match := _CELL.match(text, start):
            if not _DISABLED.search(match["options"] or ""):
                cells.append(_cell(text, match.end(), end, strings))
        elif _UNPARSABLE.match(text, start):
            unparsable += 1
    notes = f"marimo could not read {unparsable} of its cells: left out"
    ordered = _in_order([*setup, *first, *cells])
    return [cell.source for cell in ordered], (notes,) if unparsable else ()


def _blocks(text: str, starts: Sequence[int]) -> list[int]:
    """Return where top-level statements begin; a decorator belongs to what it decorates."""
    blocks = []
    decorated = False
    for start in starts:
        if not decorated:
            blocks.append(start)
        decorated = text.startswith("@", start)
    return blocks


def _outside(places: Sequence[int], spans: Sequence[tuple[int, int]]) -> list[int]:
    """Return the places that lie in none of some spans; both in order."""
    found = []
    rest = iter(spans)
    span = next(rest, None)
    for place in places:
        while span is not None and span[1] <= place:
            span = next(rest, None)
        if span is None or place <= span[0]:
            found.append(place)
    return found


def _within(spans: Sequence[tuple[int, int]], start: int, end: int) -> Sequence[tuple[int, int]]:
    """Return the spans that begin between two places."""
    return spans[bisect_left(spans, (start, 0)) : bisect_left(spans, (end, 0))]


def _cell(text: str, start: int, end: int, strings: Sequence[tuple[int, int]]) -> MarimoCell:
    head = _HEAD.match(text, start)
    if head is None:
        raise IntakeError(
            "a cell of this marimo notebook is no function",
            hint="open it in marimo, save it and hand it in again",
        )
    inside = _within(strings, start, end)
    returns = _outside([match.start() for match in _RETURN.finditer(text, start, end)], inside)
    stop = returns[-1] if returns else end
    return MarimoCell(
        source=_dedented(text, head.end(), stop, inside),
        needs=tuple(_NAME.findall(head["needs"])),
        defines=tuple(_NAME.findall(text[stop:end])[1:]),
    )


def _dedented(text: str, start: int, end: int, strings: Sequence[tuple[int, int]]) -> str:
    """Return a function's body as top-level code. What a string holds stays as it is."""
    lines = [match.start() for match in re.finditer(r"^    ", text[start:end], re.M)]
    cut = _outside([start + line for line in lines], strings)
    edges = [start, *(edge for place in cut for edge in (place, place + 4)), end]
    return "".join(text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)).strip("\n")


def _in_order(cells: Sequence[MarimoCell]) -> list[MarimoCell]:
    """Put cells behind those that define what they need, and else leave them where they are."""
    definer: dict[str, int] = {}
    for place, cell in enumerate(cells):
        for name in dict.fromkeys(cell.defines):
            if definer.setdefault(name, place) != place:
                raise IntakeError(
                    f"two cells of this marimo notebook define {name[:60]!r}",
                    hint="rename one of the two: marimo runs neither",
                )
    before = [
        sorted({definer[name] for name in cell.needs if name in definer} - {place})
        for place, cell in enumerate(cells)
    ]
    ordered: list[int] = []
    done: set[int] = set()
    open_: set[int] = set()
    for place in range(len(cells)):
        pending = [place]
        while pending:
            now = pending[-1]
            waiting = [] if now in open_ else [one for one in before[now] if one not in done]
            if now in done or not waiting:
                pending.pop()
                open_.discard(now)
                if now not in done:
                    done.add(now)
                    ordered.append(now)
                continue
            if open_.intersection(waiting):
                raise IntakeError(
                    "cells of this marimo notebook need one another in a circle",
                    hint="open it in marimo, which shows the circle, and take it apart",
                )
            open_.add(now)
            pending += reversed(waiting)
    return [cells[place] for place in ordered]

"""What a student is told of the words of a worker that has heard what hidden checks ask.

A worker may say anything, and what it has heard may be in it. So a hidden check tells of an
exception its name, if that is a built-in one, and its place, if the judge knows such a line; and
since the choice of a name or a place says something too, there is little to choose from:

- what public checks have told already may be told again: those have heard nothing hidden;
- beyond that, a submission names one place in all, in a notebook of at most 1,000 lines of code,
  and four exceptions. That is 10 bits for the place, and at most three for each hidden check.

Source lines are always the judge's own copy.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence

import msgspec

from grader.model import Cell, Ending, EndingKind
from grader.testing.links import StudentError

BUILTIN_EXCEPTIONS = frozenset(
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
)
SOME_EXCEPTION = "an exception"

NEW_PLACES = 1
NEW_NAMES = 4
LINES_TO_CHOOSE_FROM = 1_000
MAX_SOURCE_LINE = 200

GENERAL_WORDS = {
    EndingKind.EXITED: "its code ended the process",
    EndingKind.SIGNAL: "its process crashed",
    EndingKind.PROTOCOL: "it disturbed the exchange with the grader",
}
"""Endings in which a worker can choose a number or a text."""


def in_confidence(ending: Ending) -> Ending:
    """An ending without what the worker could choose about it: exit codes, signals."""
    words = GENERAL_WORDS.get(ending.kind)
    return ending if words is None else msgspec.structs.replace(ending, message=words)


def builtin_name(name: str) -> str:
    """The name of an exception if it is a built-in one: any other was chosen."""
    return name if name in BUILTIN_EXCEPTIONS else SOME_EXCEPTION


def line_of(cells: Sequence[Cell], cell: int | None, line: int | None) -> str | None:
    """A line of code in the judge's copy of the cells; None if there is none in that place."""
    source = next((one.source for one in cells if one.number == cell), None)
    if source is None or line is None:
        return None
    lines = source.splitlines()
    return lines[line - 1] if 1 <= line <= len(lines) and _is_code(lines[line - 1]) else None


def _is_code(line: str) -> bool:
    text = line.strip()
    return bool(text) and not text.startswith("#")


class Tellings:
    """What one submission's student may be told of exceptions, and has been told.

    Args:
        cells: the submission's, as the judge read them.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._cells = cells
        lines = sum(_is_code(line) for cell in cells for line in cell.source.splitlines())
        self._places_left = NEW_PLACES if lines <= LINES_TO_CHOOSE_FROM else 0
        self._names_left = NEW_NAMES
        self._names: set[str] = set()
        self._places: set[tuple[str, int | None, int | None]] = set()

    def placed(self, error: StudentError) -> StudentError:
        """The same exception with its line in the judge's copy, or without a place."""
        source_line = line_of(self._cells, error.cell, error.line)
        place = (None, None) if source_line is None else (error.cell, error.line)
        return _said(error.kinds, error.message, place, source_line or "")

    def shown(self, error: StudentError, public: bool) -> StudentError:
        """What a student may see of a placed exception, which counts as told from now on.

        Args:
            error: what `placed` returned.
            public: whether nothing hidden can be in it.
        """
        if public:
            self._remember(error.kinds[0], error)
            return error
        name = builtin_name(error.kinds[0])
        if not self._may_place(name, error):
            name = self._may_name(name)
            return _said((name, *error.kinds[1:]))
        self._remember(name, error)
        place = (error.cell, error.line)
        return _said((name, *error.kinds[1:]), "", place, error.source_line)

    def _remember(self, name: str, error: StudentError) -> None:
        self._names.add(name)
        self._places.add((name, error.cell, error.line))

    def _may_place(self, name: str, error: StudentError) -> bool:
        if error.line is None or name == SOME_EXCEPTION:
            return False
        if (name, error.cell, error.line) in self._places:
            return True
        self._places_left -= 1
        return self._places_left >= 0

    def _may_name(self, name: str) -> str:
        if name in self._names or name == SOME_EXCEPTION:
            return name
        self._names_left -= 1
        if self._names_left < 0:
            return SOME_EXCEPTION
        self._names.add(name)
        return name


def _said(
    kinds: tuple[str, ...],
    message: str = "",
    place: tuple[int | None, int | None] = (None, None),
    source_line: str = "",
) -> StudentError:
    cell, line = place
    shown = source_line[:MAX_SOURCE_LINE]
    return StudentError(kinds, message, cell=cell, line=line, source_line=shown)

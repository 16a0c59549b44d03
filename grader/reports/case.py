"""What explains a lost point: the check's code, what it compared, the student's code it was about.

Pure functions of a gradebook's values and of cells, for the terminal and for pages.
"""

from __future__ import annotations

import ast
import difflib
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from grader.gradebook import AssignmentReport
from grader.model import Cell

CONTEXT = 12
"""Lines of a cell that are shown before and after the one that matters."""

MOST_LINES = 40
MOST_CHARACTERS = 240
"""Of a line that are shown."""

_ASKED = re.compile(r"\bsubmission\.(\w+)")


class Told(Protocol):
    """An outcome, as a run gives it or as a gradebook keeps it."""

    @property
    def asked(self) -> tuple[str, ...]:
        """What it asked of the submission."""

    @property
    def cell(self) -> int | None:
        """The cell in which the submission raised."""

    @property
    def line(self) -> int | None:
        """The line of that cell."""


class Line(NamedTuple):
    """A line of code with its number; `marked` where it failed."""

    number: int
    text: str
    marked: bool


class Excerpt(NamedTuple):
    """A part of a cell; `name` is the answer that it defines, if that is why it is shown."""

    cell: int
    name: str
    lines: tuple[Line, ...]


class Piece(NamedTuple):
    """A part of a text that the other one has, too, or has not."""

    same: bool
    text: str


class Neighbours(NamedTuple):
    """The pages before and after one, relative to it; empty where there are none."""

    before: str = ""
    after: str = ""


def code_lines(source: str, marked: int | None = None) -> tuple[Line, ...]:
    """The lines of a check's code, the one at which it failed marked."""
    return tuple(
        Line(number, _cut(text), number == marked)
        for number, text in enumerate(source.split("\n"), 1)
    )


def asked_names(outcome: Told) -> tuple[str, ...]:
    """The student's names that a check asked for, in the order in which it did."""
    return tuple(dict.fromkeys(n for line in outcome.asked for n in _ASKED.findall(line)))


def excerpts(outcome: Told, cells: Sequence[Cell]) -> Iterator[Excerpt]:
    """The student's code that a failed check is about.

    That is where it raised; else what defines the names that the check asked for.
    """
    raised = next((cell for cell in cells if cell.number == outcome.cell), None)
    if raised is not None and outcome.line:
        lines = raised.source.split("\n")
        around = range(outcome.line - CONTEXT, outcome.line + CONTEXT + 1)
        yield Excerpt(raised.number, "", _numbered(lines, around, outcome.line))
        return
    for name in asked_names(outcome):
        found = definition(name, cells)
        if found is not None:
            cell, first, last = found
            lines = cell.source.split("\n")
            shown = range(first, min(last, first + MOST_LINES - 1) + 1)
            yield Excerpt(cell.number, name, _numbered(lines, shown, None))


def definition(name: str, cells: Sequence[Cell]) -> tuple[Cell, int, int] | None:
    """The last cell that defines a name, and the first and last line of what does."""
    for cell in reversed(cells):
        if name not in cell.source:
            continue
        for node in reversed(_statements(cell.source)):
            if name in _defined(node):
                first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
                return cell, first, node.end_lineno or node.lineno
    return None


def _statements(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # magics, or no Python
        return []


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


def _numbered(lines: Sequence[str], shown: Iterable[int], marked: int | None) -> tuple[Line, ...]:
    return tuple(
        Line(number, _cut(lines[number - 1]), number == marked)
        for number in shown
        if 1 <= number <= len(lines)
    )


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def difference(expected: str, actual: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Two short texts, in pieces that they share and pieces that they don't."""
    matcher = difflib.SequenceMatcher(None, expected, actual, autojunk=False)
    left, right = [], []
    for kind, a, b, c, d in matcher.get_opcodes():
        same = kind == "equal"
        left.append(Piece(same, expected[a:b]))
        right.append(Piece(same, actual[c:d]))
    return tuple(p for p in left if p.text), tuple(p for p in right if p.text)


def anchors(assignment: AssignmentReport) -> dict[str, str]:
    """Where each check stands on a student's page: a check's id may hold what no address takes."""
    checks = [check for question in assignment.questions for check in question.checks]
    return {check.id: f"check-{assignment.id}-{n}" for n, check in enumerate(checks, 1)}


def without_values(told: str, expected: str, actual: str) -> str:
    """What a check said, without the values that it compared, where these are shown beside it."""
    both = f"; expected {expected}, got {actual}" if expected and actual else ""
    one = f"; expected {expected}" if expected else f"; got {actual}"
    return told.removesuffix(both or one)


def rerun(student: str, assignment: str, check: str = "", results: str = "reports") -> str:
    """The command that runs a check of a student again, as a shell takes it.

    Args:
        student: whose.
        assignment: for what.
        check: its id; all if empty.
        results: the folder of the reports, as it was named.
    """
    words = [word for word in (student, assignment, check) if word]
    where = [] if results == "reports" else ["--results", results]
    dashes = ["--"] if any(word.startswith("-") for word in words) else []
    return shlex.join(["grader", "try", *where, *dashes, *words])

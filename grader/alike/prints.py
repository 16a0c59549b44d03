"""From a file's cells to the fingerprints of its answers. Only the standard library."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from grader.alike.answers import find_answers, stub_names, top_statements
from grader.alike.winnowing import fingerprints
from grader.alike.words import Names, Speller, read_names

MOST_CHARACTERS = 200_000
"""Of a file that is looked into: whoever writes more is read by nobody either."""

_COMMAND = re.compile(r"^([ \t]*)(?:[%!?].*|.*\?[ \t]*)$", re.M)
_CELL_COMMAND = re.compile(r"\s*%%(?:time|timeit|capture|prun)\b.*")


class Prints(NamedTuple):
    """What is known of a file.

    Attributes:
        spans: first and last line of each statement that belongs to its answers, counted from 1
            through all of its cells.
        lines: the lines of each fingerprint.
        answers: the fingerprints of each answer, helpers included.
        notes: what could not be read, in plain words.
    """

    spans: list[tuple[int, int]]
    lines: dict[int, list[int]]
    answers: dict[str, list[int]]
    notes: list[str]


def read_prints(sources: Sequence[str], asked: Collection[str] | None) -> Prints:
    """Return the fingerprints of a file's answers.

    Args:
        sources: its cells.
        asked: the names of the answers; none means all functions and classes, and None all that
            the cells hold.
    """
    statements, notes = _parse(sources)
    answers = {"": statements} if asked is None else find_answers(statements, asked)
    kept = {id(one): one for own in answers.values() for one in own}
    names = read_names(kept.values(), top_statements(statements))
    lines: dict[int, list[int]] = {}
    by_statement: dict[int, list[int]] = {}
    for key, statement in kept.items():
        try:
            found = _prints_of(statement, names)
        except RecursionError:
            notes.append(f"line {statement.lineno}: too deeply nested to be compared")
            found = {}
        by_statement[key] = list(found)
        for value, where in found.items():
            lines[value] = sorted({*lines.get(value, ()), *where})
    return Prints(
        spans=sorted((_first_line(one), one.end_lineno or one.lineno) for one in kept.values()),
        lines=lines,
        answers={
            name: sorted({value for one in own for value in by_statement[id(one)]})
            for name, own in answers.items()
        },
        notes=notes,
    )


def read_stubs(sources: Sequence[str]) -> list[str]:
    """Return the names of what the cells of a template leave to students."""
    return stub_names(_parse(sources)[0])


def _prints_of(statement: ast.stmt, names: Names) -> dict[int, set[int]]:
    """A statement's fingerprints, and the lines of each."""
    speller = Speller(names)
    speller.add(statement)
    found: dict[int, set[int]] = {}
    for sequence in speller.sequences:
        for value, start, end in fingerprints([word.text for word in sequence]):
            found.setdefault(value, set()).update(word.line for word in sequence[start:end])
    return found


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(one.lineno for one in decorators)])


# ---------------------------------------------------------------- text -> tree


def _parse(sources: Sequence[str]) -> tuple[list[ast.stmt], list[str]]:
    """Return all statements of some cells, their lines counted through, and what is no Python."""
    statements: list[ast.stmt] = []
    notes: list[str] = []
    before = characters = 0
    for number, source in enumerate(sources, 1):
        characters += len(source)
        if characters > MOST_CHARACTERS:
            notes.append(f"only the first {MOST_CHARACTERS} characters are compared")
            break
        above = "\n" * before
        tree = next(filter(None, (_tree(above + one) for one in _readings(source))), None)
        if tree is None:
            notes.append(f"cell {number} is no Python and is not compared")
        else:
            statements += tree.body
        before += source.count("\n") + 1
    return statements, notes


def _readings(source: str) -> Iterator[str]:
    """A cell as it is, and without the commands of IPython; lines keep their numbers."""
    yield source
    yield _COMMAND.sub(r"\1pass", _CELL_COMMAND.sub("", source, count=1))


def _tree(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None

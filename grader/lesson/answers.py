"""Wrong and whole answers among a lesson's cells: mutants, fakes, and answers in other styles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.errors import SuiteError
from grader.lesson.cells import SourceCell
from grader.lesson.functions import parse
from grader.lesson.values import in_words, names_of, number_of, require_keys, text_of
from grader.model import Value


class WrongCell(Value, frozen=True):
    """A mutant, by definitions or one replacement. `loses` are questions, `bug` what is wrong.

    `within` is the definition that the replacement is made in, `Order.add`; "" where that is plain.
    """

    cell: SourceCell
    name: str
    loses: tuple[str, ...]
    bug: str
    old: str = ""
    new: str = ""
    within: str = ""


class WholeCell(Value, frozen=True):
    """A whole answer: a fake, with the most that it may earn, or one in another style."""

    cell: SourceCell
    name: str
    pretends: str = ""
    at_most: float | None = None


def read_mutant(cell: SourceCell, questions: Sequence[str]) -> WrongCell:
    """Read a mutant of an assignment with these questions.

    Raises:
        SuiteError: it does not say what it changes, or what it loses.
    """
    name = require_keys(cell, ("loses", "replace", "by", "in", "bug"), words=2, named=True)[1]
    loses = names_of(cell, "loses")
    if not loses:
        raise SuiteError(
            f"mutant `{name}` does not say what it loses",
            where=cell.where,
            hint=f"name the question: # %% mutant {name} loses={next(iter(questions), 'QUESTION')}",
        )
    for lost in loses:
        if lost not in questions:
            raise SuiteError(
                f"`loses` names no question: `{lost}`", where=cell.where,
                hint=f"questions: {', '.join(questions) or 'none'}",
            )  # fmt: skip
    old, new = text_of(cell, "replace"), text_of(cell, "by")
    code, within = _code(cell), text_of(cell, "in")
    said_by = "by" in cell.marker.values
    if bool(old) == code or said_by != bool(old) or (within and not old):
        raise SuiteError(
            f"mutant `{name}` is either definitions or one replacement",
            where=cell.where,
            hint='write the wrong function into the cell, or replace="OLD" by="NEW"',
        )
    bug = text_of(cell, "bug") or _comment(cell) or in_words(name)
    return WrongCell(
        cell=cell, name=name, loses=loses, bug=bug, old=old, new=new, within=within
    )  # fmt: skip


def read_fake(cell: SourceCell) -> WholeCell:
    """Read a fake.

    Raises:
        SuiteError: it has no name, or does not say what it may earn.
    """
    name = require_keys(cell, ("at_most", "pretends"), words=2, named=True)[1]
    at_most = number_of(cell, "at_most", least=0.0)
    if at_most is None:
        raise SuiteError(
            f"fake `{name}` does not say what it may earn",
            where=cell.where,
            hint=f"# %% fake {name} at_most=0",
        )
    pretends = text_of(cell, "pretends") or _comment(cell) or in_words(name)
    _code(cell)
    return WholeCell(cell=cell, name=name, pretends=pretends, at_most=at_most)


def read_style(cell: SourceCell) -> WholeCell:
    """Read a right answer in another style.

    Raises:
        SuiteError: it has no name, or is not valid Python.
    """
    name = require_keys(cell, (), words=2, named=True)[1]
    _code(cell)
    return WholeCell(cell=cell, name=name)


def _code(cell: SourceCell) -> bool:
    """Whether a cell holds code, which must be Python."""
    return bool(parse(cell).body)


def _comment(cell: SourceCell) -> str:
    """The comment that a cell begins with, in one line."""
    return " ".join(_leading_comments(cell.source))


def _leading_comments(source: str) -> Iterator[str]:
    for line in source.split("\n"):
        if not line.startswith("#"):
            return
        yield line.lstrip("# ").rstrip()

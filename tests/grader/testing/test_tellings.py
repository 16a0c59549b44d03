"""What reaches a student of the words of a worker that has heard a hidden check."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Cell, Check, Ending, EndingKind
from grader.testing.links import NotDefined, StudentError, WorkerStopped
from grader.testing.tellings import (
    BUILTIN_EXCEPTIONS,
    LINES_TO_CHOOSE_FROM,
    NEW_NAMES,
    NEW_PLACES,
    Tellings,
    in_confidence,
    line_of,
)
from grader.testing.verdicts import outcome_of

CELLS = (
    Cell(number=1, source="import math\n\n# a comment\ndef f(x):\n    raise ValueError(x)"),
    Cell(number=2, source="\n".join(f"lines[{n}]()" for n in range(40))),
)
names = st.sampled_from(sorted(BUILTIN_EXCEPTIONS)) | st.text(max_size=9)
numbers = st.none() | st.integers(-2, 60)
errors = st.builds(
    lambda kind, message, cell, line: StudentError((kind,), message, cell=cell, line=line),
    names, st.text(max_size=9), numbers, numbers,
)  # fmt: skip


def a_check(*, public: bool) -> Check:
    return Check(id="test_x", question="q", title="t", points=1.0, public=public)


def told(error: Exception, tellings: Tellings, *, public: bool = False) -> str:
    return outcome_of(a_check(public=public), error, 0.1, tellings=tellings).message


@given(st.lists(errors, max_size=40))
def test_hidden_checks_choose_from_next_to_nothing(raised: list[StudentError]) -> None:
    tellings = Tellings(CELLS)
    messages = {told(error, tellings) for error in raised}
    places = {m.group() for m in (re.search(r"code cell .*", text) for text in messages) if m}
    assert len(places) <= NEW_PLACES
    # each name alone, one with its place, "an exception", "not implemented yet" with and without
    assert len(messages) <= NEW_NAMES + NEW_PLACES + 3


@given(errors)
def test_a_line_is_the_judges_own_and_a_name_python_s(error: StudentError) -> None:
    message = told(error, Tellings(CELLS))
    lines = {line.strip() for cell in CELLS for line in cell.source.splitlines()}
    matched = re.fullmatch(
        r"(?:your code raised (an exception|\w+)|not implemented yet)"
        r"(?: \(code cell [12], line \d+: (.*)\))?",
        message,
    )
    assert matched is not None, message
    assert matched[1] in BUILTIN_EXCEPTIONS | {"an exception", None}
    assert matched[2] is None or matched[2] in lines


def test_what_public_checks_have_told_may_be_told_again() -> None:
    tellings = Tellings(CELLS)
    where = [StudentError(("KeyError",), "x", cell=2, line=line) for line in range(1, 9)]
    for error in where:
        assert "lines[" in told(error, tellings, public=True)
    assert [told(error, tellings) for error in where] == [
        f"your code raised KeyError (code cell 2, line {n}: lines[{n - 1}]())" for n in range(1, 9)
    ]


def test_a_notebook_of_very_many_lines_tells_of_none() -> None:
    cells = (Cell(number=1, source="f()\n" * (LINES_TO_CHOOSE_FROM + 1)),)
    error = StudentError(("KeyError",), "x", cell=1, line=77)
    assert told(error, Tellings(cells)) == "your code raised KeyError"
    assert math.log2(LINES_TO_CHOOSE_FROM) < 10


@pytest.mark.parametrize(
    ("cell", "line", "expected"),
    [
        (1, 1, "import math"),
        (1, 2, None),  # empty
        (1, 3, None),  # a comment
        (1, 5, "    raise ValueError(x)"),
        (1, 6, None),
        (1, 0, None),
        (1, -1, None),
        (3, 1, None),
        (None, 1, None),
        (1, None, None),
    ],
)
def test_only_lines_of_code_are_places(cell: int | None, line: int | None, expected: str) -> None:
    assert line_of(CELLS, cell, line) == expected


def test_what_a_worker_says_of_the_line_is_not_looked_at() -> None:
    error = StudentError(("KeyError",), "x", cell=1, line=5, source_line="hidden 47")
    outcome = outcome_of(a_check(public=True), error, 0.1, tellings=Tellings(CELLS))
    assert "raise ValueError(x)" in outcome.message
    assert "47" not in outcome.message + outcome.detail


@pytest.mark.parametrize("kind", list(EndingKind))
def test_of_an_ending_nothing_is_told_that_could_be_chosen(kind: EndingKind) -> None:
    exits = {EndingKind.EXITED, EndingKind.SIGNAL, EndingKind.PROTOCOL}
    ending = in_confidence(Ending(kind=kind, message="exit code 47"))
    assert ("47" in ending.message) is (kind not in exits)
    error = WorkerStopped("exit code 47")
    hidden = outcome_of(a_check(public=False), error, 0.1, ending=ending)
    assert hidden.message == ending.message
    assert "47" in hidden.detail


def test_a_public_check_after_a_hidden_one_is_told_like_a_hidden_one() -> None:
    for error in (StudentError(("E",), "x 47"), AssertionError("x 47")):
        outcome = outcome_of(
            a_check(public=True), error, 0.1, tellings=Tellings(CELLS), public=False
        )
        assert "47" not in outcome.message


def test_a_missing_name_is_one_that_the_check_asked_for() -> None:
    assert "`f` is not defined" in told(NotDefined("f"), Tellings(CELLS))

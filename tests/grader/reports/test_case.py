"""What explains a lost point, from outcomes and cells alone."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Cell, Outcome, Status
from grader.reports.case import (
    MOST_LINES,
    code_lines,
    definition,
    difference,
    excerpts,
    rerun,
    without_values,
)

CELLS = (
    Cell(1, "import math\nx = 1"),
    Cell(2, "def add(a, b):\n    return a\n\n@cached\ndef twice(a):\n    return 2 * a"),
    Cell(3, "%matplotlib inline\nadd = 3"),
    Cell(4, "add(1, 2)\nclass Counter:\n    add: int = 3"),
)


def failed(**told: object) -> Outcome:
    return Outcome(check="test_x", status=Status.FAILED, **told)  # type: ignore[arg-type]


def test_an_answer_is_found_where_it_is_defined_last_with_its_decorators() -> None:
    assert definition("add", CELLS) == (CELLS[1], 1, 2)  # what Python can't read defines nothing
    assert definition("twice", CELLS) == (CELLS[1], 4, 6)
    assert definition("x", CELLS) == (CELLS[0], 2, 2)
    assert definition("nothing", CELLS) is None
    assert definition("x", (*CELLS, Cell(5, "x: int = 3"))) == (Cell(5, "x: int = 3"), 1, 1)


def test_the_line_that_raised_comes_before_what_was_asked() -> None:
    asked = ("v1 = submission.Counter(submission.twice(2))", "submission.Counter(3) -> 4")
    (part,) = excerpts(failed(asked=asked, cell=2, line=2), CELLS)
    assert (part.cell, part.name) == (2, "")
    assert [line.number for line in part.lines if line.marked] == [2]
    assert [(p.cell, p.name, p.lines[0].number) for p in excerpts(failed(asked=asked), CELLS)] == [
        (4, "Counter", 2),
        (2, "twice", 4),
    ]


def test_a_long_answer_is_cut() -> None:
    cells = [Cell(1, "def f():\n" + "    x = 1\n" * 500)]
    (part,) = excerpts(failed(asked=("submission.f()",)), cells)
    assert len(part.lines) == MOST_LINES


def test_the_failing_line_of_a_check_is_marked() -> None:
    assert [line.marked for line in code_lines("a\nb\nc", 2)] == [False, True, False]


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_difference_is_both_texts_and_marks_no_more_than_differs(left: str, right: str) -> None:
    expected, actual = difference(left, right)
    assert "".join(piece.text for piece in expected) == left
    assert "".join(piece.text for piece in actual) == right
    assert "".join(p.text for p in expected if p.same) == "".join(p.text for p in actual if p.same)
    if left == right:
        assert all(piece.same for piece in (*expected, *actual))


@given(
    st.text(min_size=1).filter(lambda text: "\0" not in text), st.sampled_from(["", "test_a[-1 x]"])
)
def test_the_command_says_exactly_these_words(student: str, check: str) -> None:
    words = shlex.split(rerun(student, "adding", check, "week 1"))
    assert words[:4] == ["grader", "try", "--results", "week 1"]
    rest = words[5:] if words[4] == "--" else words[4:]
    assert rest == [word for word in (student, "adding", check) if word]
    assert (words[4] == "--") is student.startswith("-")


@pytest.mark.parametrize(
    ("told", "left"), [("wrong; expected 1, got 2", "wrong"), ("expected 1", "expected 1")]
)
def test_values_that_are_shown_beside_are_not_said_twice(told: str, left: str) -> None:
    assert without_values(told, "1", "2") == left

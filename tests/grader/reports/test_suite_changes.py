"""What changed in a suite, check by check."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from generated import assignment

from grader.gradebook import AssignmentReport
from grader.reports.suite_changes import SuiteChange, suite_changes, words

OLD = assignment("Blocks", 2, 2)
replace = msgspec.structs.replace


def changed(new: AssignmentReport, before: str = "a", after: str = "b") -> list[str]:
    found = suite_changes({"blocks": OLD}, {"blocks": new}, {"blocks": before}, {"blocks": after})
    return [line for change in found for line in words(change)]


def edited(place: int = 0, **changes: Any) -> AssignmentReport:
    """The assignment with another first check in a question."""
    questions = list(OLD.questions)
    check, *rest = questions[place].checks
    questions[place] = replace(questions[place], checks=(replace(check, **changes), *rest))
    return replace(OLD, questions=tuple(questions))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"points": 2}, "test_0_0: 0.5 points → 2 points"),
        ({"points": 1}, "test_0_0: 0.5 points → 1 point"),
        ({"public": False}, "test_0_0: public → hidden"),
        ({"title": "New"}, "test_0_0: title “Claim 0 about `thing_0` holds for every input” → “New”"),
        ({"hint": ""}, "test_0_0: hint “Compare it with the formula in the notebook.” → “”"),
    ],
)  # fmt: skip
def test_each_difference_is_a_line(changes: dict[str, Any], line: str) -> None:
    assert changed(edited(**changes)) == [line]


def test_a_renamed_check_is_one_less_and_one_more() -> None:
    assert changed(edited(id="test_new")) == [
        "test_0_0: removed, 0.5 points",
        "test_new: added, 0.5 points",
    ]


def test_a_check_in_another_question_is_said() -> None:
    first, second = OLD.questions
    moved = replace(second, checks=(*second.checks, first.checks[0]))
    new = replace(OLD, questions=(replace(first, checks=first.checks[1:]), moved))
    assert changed(new) == ["test_0_0: question q0 → q1"]


def test_a_question_that_becomes_a_bonus_is_said() -> None:
    first, second = OLD.questions
    new = replace(OLD, questions=(first, replace(second, bonus=True)))
    assert changed(new) == ["question q1: regular → bonus"]


def test_code_is_compared_where_both_know_it() -> None:
    with_code = edited(code="1")
    assert changed(with_code, "a", "a") == []  # the old gradebook doesn't know
    found = suite_changes({"blocks": with_code}, {"blocks": edited(code="2")}, {}, {})
    assert [words(one) for one in found] == [("test_0_0: it tests otherwise",)]


def test_files_that_differ_are_said_where_no_check_does() -> None:
    (line,) = changed(OLD)
    assert "do or use" in line
    assert changed(OLD, "a", "a") == []
    assert suite_changes({"blocks": OLD}, {"blocks": OLD}, {}, {"blocks": "b"}) == ()


def test_assignments_of_one_side_alone_are_left_out() -> None:
    assert suite_changes({}, {"blocks": OLD}, {}, {}) == ()
    assert suite_changes({"blocks": OLD}, {}, {}, {}) == ()
    assert words(SuiteChange("blocks")) == ()

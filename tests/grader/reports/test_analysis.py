"""Item analysis and concerns, on classes small enough to count by hand."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.gradebook import (
    SCHEMA_VERSION,
    AssignmentReport,
    CheckReport,
    Gradebook,
    QuestionReport,
    RunInfo,
    Score,
    ScoredOutcome,
    State,
)
from grader.model import Ending, EndingKind, Problem, Status
from grader.reports.analysis import BINS, analyse, concerns, correlation

PASSED, FAILED, ERROR = Status.PASSED, Status.FAILED, Status.ERROR
ASSIGNMENT = AssignmentReport(
    id="adding",
    title="Adding",
    points=4,
    questions=(
        QuestionReport(
            id="q",
            title="Q",
            points=4,
            checks=(
                CheckReport(id="easy", title="Easy", points=1, public=True),
                CheckReport(id="hard", title="Hard", points=3, public=False),
            ),
        ),
    ),
)


def scored(student: str, *statuses: Status, message: str = "", **more: object) -> Score:
    outcomes = tuple(
        ScoredOutcome(
            check=check.id,
            question="q",
            status=status,
            earned=check.points if status is PASSED else 0.0,
            possible=check.points,
            message="" if status is PASSED else message,
        )
        for check, status in zip(ASSIGNMENT.questions[0].checks, statuses, strict=True)
    )
    earned = sum(outcome.earned for outcome in outcomes)
    values = {
        "state": State.GRADED, "ending": Ending(), "questions": {"q": earned}, **more,
    }  # fmt: skip
    return Score(
        student=student, assignment="adding", earned=earned, possible=4, outcomes=outcomes, **values
    )


def book(*scores: Score, problems: tuple[Problem, ...] = ()) -> Gradebook:
    return Gradebook(
        schema_version=SCHEMA_VERSION,
        course="sums",
        assignments=(ASSIGNMENT,),
        scores=scores,
        problems=problems,
        isolation=None,
        run=RunInfo(),
    )


def nothing(student: str, state: State) -> Score:
    return Score(
        student=student, assignment="adding", state=state, earned=0, possible=4, ending=Ending()
    )


def test_only_graded_scores_count() -> None:
    (found,) = analyse(
        book(
            scored("a", PASSED, PASSED),
            scored("b", PASSED, FAILED),
            nothing("c", State.MISSING),
            nothing("d", State.UNGRADED),
        )
    )
    assert (found.graded, found.ungraded, found.missing) == (2, 1, 1)
    assert (found.mean, found.median) == (62.5, 62.5)
    assert (found.lowest, found.highest) == (25, 100)
    assert found.spread == pytest.approx(statistics.stdev([100, 25]))
    assert found.histogram == (0, 0, 1, 0, 0, 0, 0, 0, 0, 1)


def test_difficulty_is_the_share_that_was_earned() -> None:
    (found,) = analyse(
        book(*(scored(name, PASSED, PASSED if name == "a" else FAILED) for name in "abcd"))
    )
    assert [item.difficulty for item in found.checks] == [1.0, 0.25]
    assert found.questions[0].difficulty == pytest.approx((4 + 3 * 1) / 16)


def test_a_check_that_the_strong_lose_discriminates_negatively() -> None:
    strong = [scored(name, FAILED, PASSED) for name in "abc"]
    weak = [scored(name, PASSED, FAILED) for name in "def"]
    (found,) = analyse(book(*strong, *weak))
    assert [item.discrimination for item in found.checks] == [-1.0, -1.0]


def test_the_most_common_failure_is_named_with_its_count() -> None:
    (found,) = analyse(
        book(
            scored("a", PASSED, FAILED, message="too small\nby 3"),
            scored("b", PASSED, FAILED, message="too small (code cell 4, line 2: x)"),
            scored("c", PASSED, ERROR, message="KeyError"),
        )
    )
    failure = found.checks[1].failure
    assert failure is not None
    assert (failure.status, failure.message, failure.count, failure.among) == (
        FAILED, "too small", 2, 3,
    )  # fmt: skip
    assert found.checks[0].failure is None


def test_an_empty_class_has_no_numbers() -> None:
    (found,) = analyse(book())
    assert (found.mean, found.spread, found.questions[0].difficulty) == (None, None, None)
    assert found.histogram == (0,) * BINS


def test_concerns_are_ordered_by_urgency() -> None:
    found = concerns(
        book(
            nothing("a", State.MISSING),
            scored("b", PASSED, FAILED),
            scored("c", FAILED, FAILED, ending=Ending(kind=EndingKind.MEMORY, message="too much")),
            nothing("d", State.UNGRADED),
            scored("e", FAILED, FAILED),
            scored("f", PASSED, PASSED),
            problems=(
                Problem(kind="late", message="marked as late", student="e"),
                Problem(kind="duplicate", message="two files", student="f"),
            ),
        )
    )
    assert [(concern.kind, concern.student) for concern in found] == [
        ("ungraded", "d"),
        ("stopped", "c"),
        ("hidden", "b"),
        ("problem", "f"),
        ("time", "e"),
        ("missing", "a"),
    ]


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), max_size=40))
def test_a_correlation_lies_between_minus_one_and_one(pairs: list[tuple[float, float]]) -> None:
    found = correlation([x for x, _ in pairs], [y for _, y in pairs])
    assert found is None or -1 <= found <= 1


def test_a_correlation_agrees_with_the_standard_library() -> None:
    first, second = [1.0, 4, 2, 8, 5, 7], [2.0, 3, 1, 9, 9, 4]
    assert correlation(first, second) == pytest.approx(statistics.correlation(first, second))

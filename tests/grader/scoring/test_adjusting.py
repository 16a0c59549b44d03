"""A gradebook with other adjustments is what a run with them would have given."""

from __future__ import annotations

import msgspec
import pytest
from generated import gradebook as generated
from hypothesis import given
from hypothesis import strategies as st

from grader.config.policy import Adjustment
from grader.gradebook import State
from grader.model import ProblemKind, total
from grader.scoring.adjusting import readjust

BOOK = generated(5, assignments=3, questions=2, checks=2)
GRADED = [score for score in BOOK.scores if score.state is State.GRADED]


def lines(draw: st.DrawFn) -> Adjustment:
    score = draw(st.sampled_from(GRADED))
    outcome = draw(st.sampled_from(score.outcomes))
    question, check = draw(
        st.sampled_from([("", ""), (outcome.question, ""), ("", outcome.check), ("", "gone")])
    )
    return Adjustment(
        student=score.student,
        assignment=score.assignment,
        points=draw(st.integers(-8, 8).filter(bool)) / 4,
        because="fair",
        question=question,
        check=check,
    )


LINES = st.lists(st.composite(lines)(), max_size=6)


@given(LINES, LINES)
def test_what_was_adjusted_before_makes_no_difference(first, second):
    assert readjust(readjust(BOOK, first), second) == readjust(BOOK, second)
    assert readjust(readjust(BOOK, first), ()) == readjust(BOOK, ())


@given(LINES)
def test_a_question_gives_no_more_than_it_is_worth(adjustments):
    for score in readjust(BOOK, adjustments).scores:
        parts = {one.question for one in score.outcomes}
        in_question = {one.check: one.question for one in score.outcomes}
        for question in parts:
            inside = [one for one in score.outcomes if one.question == question]
            by_hand = [
                one.difference
                for one in score.applied
                if question in (one.question, in_question.get(one.check))
            ]
            least = -total(one.earned for one in inside)
            most = total([*(one.possible for one in inside), least])
            assert least - 1e-6 <= total(by_hand) <= most + 1e-6


@given(LINES)
def test_totals_are_those_of_the_scores(adjustments):
    book = readjust(BOOK, adjustments)
    for one in book.totals:
        scores = [score for score in book.scores if score.student == one.student]
        assert one.earned == pytest.approx(total(score.earned for score in scores))


def test_what_a_total_leaves_out_is_found_again():
    whole = readjust(BOOK, ())
    assert {len(one.dropped) for one in whole.totals} == {0}
    dropped = [msgspec.structs.replace(one, dropped=("x",)) for one in whole.totals]
    book = readjust(msgspec.structs.replace(whole, totals=tuple(dropped)), ())
    assert {len(one.dropped) for one in book.totals} == {1}


def test_an_adjustment_of_what_is_gone_is_a_problem():
    score = GRADED[0]
    gone = Adjustment(score.student, score.assignment, 1, "fair", check="test_gone")
    (problem,) = readjust(BOOK, [gone]).problems
    assert (problem.kind, problem.student) == (ProblemKind.ADJUSTMENT, score.student)
    assert "test_gone" in problem.message
    assert readjust(readjust(BOOK, [gone]), ()).problems == ()

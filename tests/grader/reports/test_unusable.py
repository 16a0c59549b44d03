"""What students are told whose files can't be used."""

from __future__ import annotations

import msgspec
import pytest

from grader.gradebook import Score
from grader.model import KEEP_FROM_GRADING, Ending, EndingKind, Problem, ProblemKind
from grader.reports.feedback import compose
from grader.reports.feedback_markdown import render
from grader.reports.unusable import NOT_THEIRS, OPEN_IT, TO_HAND_IN, next_step, what
from grader.scoring.points import unusable


def ending(problem: ProblemKind | None, hint: str = "") -> Ending:
    return Ending(EndingKind.UNREADABLE, "the reason", problem, hint)


def test_each_kind_that_keeps_from_grading_has_its_own_next_step():
    assert TO_HAND_IN.keys() | NOT_THEIRS | {ProblemKind.UNREADABLE} == KEEP_FROM_GRADING
    assert not TO_HAND_IN.keys() & NOT_THEIRS


@pytest.mark.parametrize("kind", sorted(KEEP_FROM_GRADING - {ProblemKind.UNREADABLE}))
def test_only_an_unreadable_file_is_said_to_be_one(kind):
    """Hints of these kinds are for instructors: `rename one of them`."""
    told = ending(kind, "rename one of the folders")
    assert "could not be read" not in what(told)
    assert "Open the file" not in next_step(told)
    assert "rename" not in next_step(told)
    assert "instructor" in next_step(told)


@pytest.mark.parametrize("kind", [None, ProblemKind.UNREADABLE])
def test_what_can_not_be_read_is_told_with_its_hint(kind):
    assert what(ending(kind)) == "The file could not be read:"
    told = next_step(ending(kind, "unpack it, and hand in its files"))
    assert told == "Unpack it, and hand in its files. Then tell your instructor."
    assert next_step(ending(kind)).startswith(OPEN_IT)


def test_feedback_says_what_is_wrong_with_the_files(suite, assignment):
    def told(score: Score) -> str:
        return render(score, assignment, None)

    problem = Problem(ProblemKind.DUPLICATE, "2 different files", hint="keep the one that counts")
    text = told(unusable("bo", suite, problem))
    assert "> **Your work could not be graded:** 2 different files" in text
    assert "Hand in one file for this assignment" in text
    broken = Problem(ProblemKind.UNREADABLE, "it is a web page", hint="download `x_y_z` itself")
    text = told(unusable("bo", suite, broken))
    assert "> **The file could not be read:** it is a web page" in text
    assert "Download" in text
    odd = msgspec.structs.replace(broken, hint="<b>*&")
    assert compose(unusable("bo", suite, odd), assignment, None).advice.startswith("<b>*&")
    assert "<b>" not in told(unusable("bo", suite, odd))

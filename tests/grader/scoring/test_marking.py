"""What people give for answers is added within bounds; what waits for them is no score."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.config.policy import Mark
from grader.gradebook import Score, ScoredOutcome, State
from grader.model import Ending, Question, RubricItem, Status
from grader.scoring import marking
from grader.scoring.marking import Ledger, as_checks_gave, points_of, with_marks, without_marks
from grader.store.lines import digest

ITEMS = (
    RubricItem("moon", "Moon", 1.5),
    RubricItem("far", "Far", 2.5),
    RubricItem("sun", "Sun", -1),
)
WHY = Question("why", "Why?", 4, manual=True, rubric=ITEMS)
MORE = Question("more", "More", 1, bonus=True, manual=True)
CHECKED = Score(
    student="ann", assignment="tides", state=State.GRADED, earned=2, possible=3, ending=Ending(),
    questions={"heights": 2.0},
    outcomes=(ScoredOutcome("test_a", "heights", Status.PASSED, 2, 2), ScoredOutcome("test_b", "heights", Status.FAILED, 0, 1)),
)  # fmt: skip
ANSWERS = {"why": "d1", "more": "d2"}


def mark(question: str = "why", **said: object) -> Mark:
    usual = {"answer": ANSWERS[question], "by": "ina"}
    return msgspec.convert(
        {"student": "ann", "assignment": "tides", "question": question, **usual, **said}, Mark
    )


def scored(*marks: Mark, questions: tuple[Question, ...] = (WHY, MORE)) -> Score:
    return with_marks(CHECKED, questions, ANSWERS, Ledger(marks))


def test_an_answer_that_nobody_marked_leaves_the_score_unmarked() -> None:
    found = scored()
    assert (found.state, found.earned, found.possible) == (State.UNMARKED, 2, 7)
    assert [one.waits for one in found.marks] == [marking.NOT_MARKED] * 2
    assert found.questions == {"heights": 2.0}


def test_marks_complete_a_score() -> None:
    found = scored(mark(rubric=("moon", "far"), comment=" Well said "), mark("more", points=0.5))
    assert (found.state, found.earned, found.possible) == (State.GRADED, 6.5, 7)
    assert found.questions == {"heights": 2.0, "why": 4.0, "more": 0.5}
    why = found.marks[0]
    assert (why.comment, why.by, [one.id for one in why.rubric]) == (
        "Well said",
        "ina",
        ["moon", "far"],
    )


@given(
    st.lists(st.sampled_from(["moon", "far", "sun"]), unique=True),
    st.floats(-20, 20, allow_nan=False),
)
def test_a_mark_gives_no_less_than_nothing_and_no_more_than_there_is(
    rubric: list[str], points: float
) -> None:
    given_ = points_of(WHY, mark(rubric=tuple(rubric), points=points))
    wanted = points + sum(one.points for one in ITEMS if one.id in rubric)
    assert 0 <= given_ <= 4
    assert given_ == pytest.approx(min(max(wanted, 0), 4), abs=1e-5)


def why(*marks: Mark) -> tuple[float | None, str]:
    found = scored(*marks).marks[0]
    return found.earned, found.waits


def test_markers_who_do_not_agree_are_waited_for() -> None:
    first = mark(points=1)
    mine = mark(points=2, after=(digest(first),))
    yours = mark(points=3, after=(digest(first),), by="ben")
    assert why(first, mine, yours) == (None, marking.CONFLICT)
    settled = mark(points=2.5, after=(digest(mine), digest(yours)))
    assert why(first, mine, yours, settled) == (2.5, "")
    same = msgspec.structs.replace(mine, by="ben", comment=" ")
    assert why(first, mine, same)[0] == 2


def test_a_mark_is_about_the_answer_that_was_read() -> None:
    old = mark(answer="of last week", points=2)
    assert why(old) == (None, marking.CHANGED)
    assert why(old, mark(points=1)) == (1, "")


def test_what_is_withdrawn_or_of_a_rubric_that_is_gone_counts_for_nothing() -> None:
    one = mark(points=2)
    gone = mark(after=(digest(one),), withdrawn=True)
    assert why(one, gone) == (None, marking.NOT_MARKED)
    assert why(mark(rubric=("moon", "venus"))) == (None, marking.GONE)


@pytest.mark.parametrize("state", [State.MISSING, State.UNGRADED])
def test_who_has_no_points_gets_none_by_hand(state: State) -> None:
    empty = msgspec.structs.replace(CHECKED, state=state, earned=0.0, questions={}, outcomes=())
    found = with_marks(empty, (WHY,), ANSWERS, Ledger([mark(points=4)]))
    assert (found.state, found.earned, found.possible) == (state, 0, 7)


@pytest.mark.parametrize("marks", [(), (mark(points=2),), (mark(points=2), mark("more", points=1))])
def test_marks_are_put_in_and_taken_out_without_a_trace(marks: tuple[Mark, ...]) -> None:
    found = scored(*marks)
    assert without_marks(found) == CHECKED
    assert as_checks_gave(found) == CHECKED
    assert with_marks(found, (WHY, MORE), ANSWERS, Ledger(marks)) == found
    assert with_marks(found, (), {}, Ledger()) == CHECKED

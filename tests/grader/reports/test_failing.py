"""Who fails a check in the same way is told as one group."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grader.gradebook import Score, ScoredOutcome, State
from grader.model import Ending, Status
from grader.reports.failing import Way, in_words, ways_to_fail

FAILED, ERROR = Status.FAILED, Status.ERROR


def failed(student: str, said: str, status: Status = FAILED, **more: object) -> Score:
    outcome = ScoredOutcome(
        check="c", question="q", status=status, earned=0, possible=1, message=said, **more
    )
    return Score(
        student=student, assignment="adding", state=State.GRADED, earned=0, possible=1,
        ending=Ending(), outcomes=(outcome,),
    )  # fmt: skip


def compared(student: str, expected: str, actual: str, said: str = "the sum") -> Score:
    whole = f"{said}; expected {expected}, got {actual}"
    return failed(student, whole, expected=expected, actual=actual)


def ways(*scores: Score) -> list[tuple[str, str]]:
    return [(in_words(way), "".join(way.students)) for way in ways_to_fail(scores).get("c", ())]


def test_the_same_wrong_value_is_one_way_and_the_most_common_one_comes_first() -> None:
    assert ways(
        compared("a", "2.0", "3.0"), compared("b", "2.0", "1.0"), compared("c", "2.0", "3.0"),
        compared("d", "2.0", "3.0"), compared("e", "2.0", "7.0"),
    ) == [
        ("the sum; expected 2.0, got 3.0", "acd"),
        ("the sum; expected 2.0, got various values", "be"),
    ]  # fmt: skip


def test_values_of_random_inputs_are_one_way_and_none_of_them_is_told_for_all() -> None:
    assert ways(compared("a", "2", "3"), compared("b", "5", "4"), compared("c", "9", "0")) == [
        ("the sum; got various values", "abc")
    ]


def test_what_differs_between_notebooks_does_not_part_them() -> None:
    assert ways(
        failed("a", "NameError: name 'x' is not defined (code cell 3, line 4: x)", ERROR),
        failed("b", "NameError: name 'y1' is not defined (code cell 9)", ERROR),
        failed("c", "NameError: name 'x' is not defined\nmore", ERROR),
    ) == [("NameError: name … is not defined", "abc")]
    assert ways(
        failed("a", "<f at 0x7f00aa> has 3 of 12, first at (0, 1)"),
        failed("b", "<f at 0x7f11bb> has 4 of 12, first at (1, 0, 7)"),
    ) == [("<f at …> has … of …, first at (…)", "ab")]


def test_what_all_have_in_common_is_told_in_full() -> None:
    assert ways(failed("a", "too small by 3"), failed("b", "too small by 3"))[0] == (
        "too small by 3",
        "ab",
    )


def test_another_exception_or_another_status_is_another_way() -> None:
    found = ways_to_fail(
        [failed("a", "KeyError: 1", ERROR), failed("b", "ValueError: 1", ERROR), failed("c", "KeyError: 1")]
    )["c"]  # fmt: skip
    assert len(found) == 3


def test_of_an_exception_the_instructor_sees_more_than_the_student() -> None:
    score = failed("a", "your code raised KeyError", ERROR, detail="KeyError: 'b'")
    assert ways(score) == [("KeyError: 'b'", "a")]


def test_who_passes_or_is_not_graded_fails_in_no_way() -> None:
    passed = failed("a", "", Status.PASSED)
    assert ways_to_fail([passed]) == {}


TEXTS = st.text(max_size=30) | st.sampled_from(["'" * 500, "1" * 500, "0x" * 300, "\"'" * 200, "…"])


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=12))
def test_everybody_is_in_exactly_one_group_in_whatever_order_they_come(
    told: list[tuple[str, str, str]],
) -> None:
    scores = [
        compared(f"s{n}", expected, actual, said) for n, (said, expected, actual) in enumerate(told)
    ]
    found = ways_to_fail(scores).get("c", ())
    assert sorted(name for way in found for name in way.students) == sorted(
        score.student for score in scores
    )
    assert list(map(told_of, found)) == list(
        map(told_of, ways_to_fail(reversed(scores)).get("c", ()))
    )


def told_of(way: Way) -> tuple[str, frozenset[str]]:
    return in_words(way), frozenset(way.students)

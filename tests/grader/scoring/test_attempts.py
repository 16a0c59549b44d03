"""Which of several attempts counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.config.policy import Amount, Due, Late, Policy
from grader.gradebook import Score, State
from grader.model import Ending, EndingKind, Submission
from grader.scoring.attempts import best, settle_attempts, to_grade
from grader.times import parse_time

DUE = Due(at=parse_time("2026-03-01 12:00Z"))


def handed(number: int, at: str | None = None, student: str = "ann") -> Submission:
    return Submission(
        student=student, assignment="blocks", path="p", name=f"blocks-{number}.ipynb",
        digest=f"{student}{number}",
        submitted_at=parse_time(f"2026-03-01T{at}:00+00:00") if at else None, attempt=number,
    )  # fmt: skip


def scored(
    earned: float, state: State = State.GRADED, kind: EndingKind = EndingKind.COMPLETED
) -> Score:
    return Score(
        student="ann", assignment="blocks", state=state, earned=earned, possible=10,
        ending=Ending(kind=kind),
    )  # fmt: skip


def rules(attempts: str, **more: object) -> Callable[[str], Policy]:
    return lambda _: Policy(attempts=attempts, **more)  # type: ignore[arg-type]


def always_due(_student: str, _assignment: str) -> Due:
    return DUE


@pytest.mark.parametrize(
    ("policy", "times", "numbers"),
    [
        ("latest", ["10:00", "11:00", "13:00"], [3]),
        ("on-time", ["10:00", "11:00", "13:00"], [2]),
        ("on-time", ["13:00", "14:00"], [2]),
        ("on-time", [None, None], [2]),
        ("on-time", ["10:00", None], [1]),
        ("best", ["10:00", "11:00", "13:00"], [1, 2, 3]),
    ],
)
def test_what_is_graded(policy: str, times: list[str | None], numbers: list[int]) -> None:
    work = [handed(number, at) for number, at in enumerate(times, start=1)]
    chosen = to_grade(work, rules(policy), always_due)
    assert [one.attempt for one in chosen] == numbers


def test_within_the_grace_is_in_time() -> None:
    late = Late(penalty=Amount(number=1), grace_s=3600)
    work = [handed(1, "11:00"), handed(2, "13:00")]
    assert to_grade(work, rules("on-time", late=late), always_due) == [work[1]]


@given(st.permutations([handed(n, f"{9 + n}:00", who) for who in ("ann", "bo") for n in (1, 2, 3, 4)]),
       st.sampled_from(["latest", "on-time", "best"]))  # fmt: skip
def test_the_order_of_files_decides_nothing(work: list[Submission], policy: str) -> None:
    chosen = to_grade(work, rules(policy), always_due)
    assert chosen == to_grade(sorted(work, key=lambda w: w.digest), rules(policy), always_due)
    assert {one.student for one in chosen} == {"ann", "bo"}


@given(st.lists(st.integers(0, 20), min_size=1, max_size=5))
def test_the_best_is_no_worse_than_any_and_of_equals_the_latest(points: list[int]) -> None:
    scores = [scored(number) for number in points]
    chosen = best(scores)
    assert chosen.earned == max(points)
    last = max(place for place, number in enumerate(points) if number == max(points))
    assert chosen is scores[last]


def test_a_file_that_nobody_can_read_yields_to_one_that_was_graded() -> None:
    unreadable = scored(0, State.UNGRADED, EndingKind.UNREADABLE)
    assert best([scored(3), unreadable]).earned == 3
    assert best([unreadable]) is unreadable


def test_what_the_grader_has_failed_to_grade_could_have_been_the_best() -> None:
    failed = scored(0, State.UNGRADED, EndingKind.FAULT)
    assert best([scored(3), failed]) is failed


def test_all_attempts_are_listed_beside_the_score() -> None:
    work = [handed(1, "10:00"), handed(2, "11:00"), handed(3)]
    (score,) = settle_attempts(work, {work[0]: scored(4), work[1]: scored(7)})
    assert score.earned == 7
    assert [(a.number, a.counts, a.earned) for a in score.attempts] == [
        (1, False, 4), (2, True, 7), (3, False, None),
    ]  # fmt: skip


def test_a_single_attempt_needs_no_list() -> None:
    work = [handed(1)]
    (score,) = settle_attempts(work, {work[0]: scored(4)})
    assert score.attempts == ()

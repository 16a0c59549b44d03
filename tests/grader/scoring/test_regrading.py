"""Which of two scores counts after a suite was changed: nothing is lost, whatever came of the run."""

from __future__ import annotations

import msgspec
from generated import gradebook as generated
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.config.course import Course
from grader.config.policy import Adjustment
from grader.gradebook import Gradebook, Score, State
from grader.model import Ending, EndingKind, total
from grader.scoring.policies import without_adjustments
from grader.scoring.regrading import concerned, regrade

replace = msgspec.structs.replace
STATES = (State.UNGRADED, State.MISSING, State.GRADED)


def a_class() -> Gradebook:
    """Six students in two assignments; two of them are ungraded, two missing."""
    book = generated(6, assignments=2, questions=2, checks=2)
    scores = [
        replace(one, state=STATES[place // 2 % 3], applied=())
        for place, one in enumerate(book.scores)
    ]
    return replace(book, scores=tuple(scores))


BEFORE = a_class()
ONE, OTHER = (one.id for one in BEFORE.assignments)
THEN, NOW = {ONE: "then", OTHER: "same"}, {ONE: "now", OTHER: "same"}
WHY = "the better score counts"


def again(old: Score, earned: float | None, digest: str) -> Score:
    """What a new run gives: so many points, or none because the grader or the file is broken."""
    if earned is None:
        kind = EndingKind.FAULT if digest == old.digest else EndingKind.UNREADABLE
        ending = Ending(kind=kind, message="broken")
        return replace(
            old, state=State.UNGRADED, earned=0.0, ending=ending, outcomes=(), digest=digest,
            applied=(),
        )  # fmt: skip
    return replace(
        old, state=State.GRADED, earned=earned, applied=(), digest=digest, ending=Ending()
    )


def a_run(results: list[tuple[float | None, bool, bool]]) -> Gradebook:
    """A run about the first assignment: points, whether it was found, whether handed in again."""
    mine = [score for score in BEFORE.scores if score.assignment == ONE]
    scores = [
        again(old, earned, "1" * 64 if other else old.digest)
        for old, (earned, found, other) in zip(mine, results, strict=True)
        if found
    ]
    run = replace(BEFORE.run, graded_with={ONE: "now"})
    return replace(BEFORE, assignments=BEFORE.assignments[:1], scores=tuple(scores), run=run)


RESULTS = st.lists(
    st.tuples(st.none() | st.integers(0, 8).map(lambda n: n / 4), st.booleans(), st.booleans()),
    min_size=6,
    max_size=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RESULTS, st.sampled_from(["", WHY]), st.integers(-4, 4).filter(bool))
def test_no_score_is_lost_and_with_only_gains_none_falls(
    toy_course: Course, results: list[tuple[float | None, bool, bool]], reason: str, points: int
) -> None:
    course = replace(toy_course, assignments=())
    before = replace(BEFORE, run=replace(BEFORE.run, graded_with=THEN))
    new = a_run(results)
    found = {score.student: score for score in new.scores}
    by_hand = [
        Adjustment(student=one.student, assignment=ONE, points=points, because="x")
        for one in BEFORE.scores[:2]
    ]
    done = regrade(before, new, course, graded_with=NOW, adjustments=by_hand, only_gains=reason)
    after = {(one.student, one.assignment): one for one in done.merged.gradebook.scores}
    left = {one.student for one in done.left}
    held = [one for one in after.values() if any(a.rule == "regrade" for a in one.applied)]
    assert {one.student for one in done.kept} == {one.student for one in held}
    assert after.keys() == {(one.student, one.assignment) for one in before.scores}
    for old in before.scores:
        score = after[old.student, old.assignment]
        if old.assignment == OTHER:
            assert score == old
            continue
        if old.state is State.GRADED:
            assert score.state is State.GRADED
        if old.state is State.MISSING:
            assert score.state is State.MISSING
        elif old.student not in found or found[old.student].ending.ours:
            assert old.student in left
        elif old.student in left:
            assert score.outdated
            assert without_adjustments(score) == without_adjustments(old)
            assert (score.state, score.digest) == (old.state, old.digest)
        else:
            mine = found[old.student]
            better = reason and old.state is State.GRADED and mine.digest == old.digest
            worth = max(mine.earned, old.earned) if better else mine.earned
            assert without_adjustments(score) == worth
            kept = [one for one in score.applied if one.rule == "regrade"]
            assert [one.reason for one in kept] == [WHY] * (worth > mine.earned)
            assert total([mine.earned, *(one.difference for one in score.applied)]) == score.earned


def test_only_assignments_whose_scores_could_be_others_are_concerned() -> None:
    before = replace(BEFORE, run=replace(BEFORE.run, graded_with=THEN))
    assert concerned(before, NOW) == (ONE,)
    assert concerned(before, THEN) == ()
    assert concerned(before, {OTHER: "same"}) == ()  # the course has the first one no more
    scores = tuple(replace(one, outdated=one.assignment == OTHER) for one in before.scores)
    assert concerned(replace(before, scores=scores), THEN) == (OTHER,)


def test_who_handed_nothing_in_has_missed_what_there_is_now(toy_course: Course) -> None:
    missing = tuple(
        replace(one, state=State.MISSING) if place == 0 else one
        for place, one in enumerate(BEFORE.scores)
    )
    before = replace(BEFORE, scores=missing)
    new = a_run([(1.0, True, False)] * 6)
    new = replace(new, scores=tuple(replace(one, possible=7.0) for one in new.scores))
    done = regrade(before, new, replace(toy_course, assignments=()), graded_with=NOW)
    mine = missing[0]
    (first,) = [
        one
        for one in done.merged.gradebook.scores
        if (one.student, one.assignment) == (mine.student, ONE)
    ]
    assert (first.state, first.possible, first.earned) == (State.MISSING, 7.0, mine.earned)

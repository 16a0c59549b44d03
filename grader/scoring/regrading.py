"""A class graded anew after a suite was changed: whom that concerns, and which score counts.

A regrading replaces scores of submissions that were graded before, and none of them by no score:
who can't be graded now keeps the score of before. Who was not in the gradebook is left to the next
run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from grader.config.course import Course
from grader.config.policy import Adjustment
from grader.gradebook import Gradebook, KeptScore, Score, State
from grader.model import Value, total
from grader.scoring.marking import by_hand
from grader.scoring.merging import Key, Merged, Narrowed, merge
from grader.scoring.policies import adjust_again, without_adjustments


class Left(Value, frozen=True):
    """A score that stands as it was, because its submission could not be graded again."""

    student: str
    assignment: str
    reason: str


class Regraded(Value, frozen=True):
    """The gradebook of the class after a regrading, before anything is written."""

    merged: Merged
    left: tuple[Left, ...]
    kept: tuple[KeptScore, ...]


def concerned(before: Gradebook, graded_with: Mapping[str, str]) -> tuple[str, ...]:
    """Return the assignments with scores that could be others today.

    Args:
        before: what was graded.
        graded_with: what scores would be given with now, as in `RunInfo`.
    """
    outdated = {score.assignment for score in before.scores if score.outdated}
    return tuple(
        one.id
        for one in before.assignments
        if one.id in graded_with
        and (one.id in outdated or graded_with[one.id] != before.run.graded_with.get(one.id))
    )


def to_regrade(before: Gradebook, assignments: Collection[str]) -> list[Score]:
    """Return the scores of what somebody has handed in for these assignments."""
    return [
        score
        for score in before.scores
        if score.assignment in assignments and score.state is not State.MISSING
    ]


def regrade(
    before: Gradebook,
    new: Gradebook,
    course: Course,
    *,
    graded_with: Mapping[str, str],
    adjustments: Sequence[Adjustment] = (),
    only_gains: str = "",
) -> Regraded:
    """Put a run about some assignments into the gradebook of before.

    Args:
        before: what was graded.
        new: what the run has given, for everybody whom it has found.
        course: the course of both.
        graded_with: what scores would be given with now, by assignment.
        adjustments: what instructors have changed by hand up to now.
        only_gains: the reason for which the better of two scores counts; empty if the new one does.
    """
    found = {(score.student, score.assignment): score for score in new.scores}
    assignments = {assignment.id for assignment in new.assignments}
    asked = to_regrade(before, assignments)
    left = tuple(_left(asked, found))
    stand = {(one.student, one.assignment) for one in left}
    given = [one for one in asked if (one.student, one.assignment) not in stand]
    kept = tuple(_better_before(given, found, only_gains)) if only_gains else ()
    scores = [adjust_again(found[_key(one)], adjustments, kept) for one in given]
    scores += _missing(before, scores)
    narrowed = Narrowed(tuple({score.student for score in scores}) or ("",), tuple(assignments))
    part = msgspec.structs.replace(new, scores=tuple(scores))
    merged = merge(before, part, course, narrowed, graded_with=graded_with, adjustments=adjustments)
    return Regraded(merged, left, kept)


def _key(score: Score) -> Key:
    return score.student, score.assignment


def _left(asked: Sequence[Score], found: Mapping[Key, Score]) -> Iterator[Left]:
    for old in asked:
        new = found.get(_key(old))
        if new is None or new.state is State.MISSING:
            yield Left(old.student, old.assignment, "its file was not found")
        elif new.state is State.UNGRADED and (old.state.has_points or new.ending.ours):
            yield Left(old.student, old.assignment, new.ending.message or "it can't be graded now")


def _better_before(
    asked: Sequence[Score], found: Mapping[Key, Score], reason: str
) -> Iterator[KeptScore]:
    """What was better before, of the same file: without what people have changed by hand."""
    for old in asked:
        new = found[_key(old)]
        if old.state.has_points and old.digest == new.digest:
            earned = _without_hands(old)
            if earned > _without_hands(new):
                yield KeptScore(old.student, old.assignment, old.digest, earned, reason)


def _without_hands(score: Score) -> float:
    """What a score is without adjustments and marks."""
    return total([without_adjustments(score), -by_hand(score)])


def _missing(before: Gradebook, given: Sequence[Score]) -> Iterator[Score]:
    """Who handed nothing in has missed what there is to earn now."""
    like = {score.assignment: score for score in given if score.state.has_points}
    for old in before.scores:
        if old.state is State.MISSING and old.assignment in like:
            now = like[old.assignment]
            questions = dict.fromkeys([*now.questions, *(m.question for m in now.marks)], 0.0)
            yield msgspec.structs.replace(old, possible=now.possible, questions=questions)

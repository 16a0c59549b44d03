"""Of several attempts, which one counts: pure functions. Those that don't are listed, not lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

import msgspec

from grader.config.policy import Due, Policy
from grader.gradebook import Attempt, Score, State
from grader.model import Submission
from grader.scoring.lateness import on_time

Key = tuple[str, str]
PolicyOf = Callable[[str], Policy]
DueFor = Callable[[str, str], Due | None]


def group_attempts(submissions: Iterable[Submission]) -> dict[Key, list[Submission]]:
    """Return each student's attempts by assignment, the first one first."""

    def key(one: Submission) -> Key:
        return one.student, one.assignment

    ordered = sorted(submissions, key=lambda one: (*key(one), one.attempt))
    return {group: list(members) for group, members in groupby(ordered, key)}


def to_grade(
    submissions: Iterable[Submission], policy_of: PolicyOf, due_for: DueFor
) -> list[Submission]:
    """Return what has to be graded: one attempt of each student, or all where the best counts."""
    chosen: list[Submission] = []
    for (student, assignment), attempts in group_attempts(submissions).items():
        policy = policy_of(assignment)
        if policy.attempts == "best":
            chosen += attempts
        else:
            due = due_for(student, assignment) if policy.attempts == "on-time" else None
            chosen.append(_latest(attempts, policy, due))
    return chosen


def _latest(attempts: Sequence[Submission], policy: Policy, due: Due | None) -> Submission:
    """The latest attempt in time; where none is, or nobody knows, the latest of all."""
    if due is not None:
        for one in reversed(attempts):
            if one.submitted_at and on_time(one.submitted_at, due.at, policy.late):
                return one
    return attempts[-1]


def best(scores: Sequence[Score]) -> Score:
    """Return the score that counts of one student's attempts at one assignment, in their order.

    One that the grader has failed to grade could have been the best: then there is no score yet.
    """
    for score in scores:
        if score.state is State.UNGRADED and score.ending.ours:
            return score
    graded = [score for score in scores if score.state.has_points]
    return max(reversed(graded), key=lambda score: score.earned) if graded else scores[-1]


def list_attempts(
    counts: Submission, attempts: Sequence[Submission], scores: Mapping[Submission, Score]
) -> tuple[Attempt, ...]:
    """Return the list of a student's attempts, if there are several."""
    if len(attempts) < 2:
        return ()
    return tuple(
        Attempt(
            number=one.attempt,
            file=one.name,
            digest=one.digest,
            counts=one == counts,
            submitted_at=one.submitted_at,
            earned=scores[one].earned
            if one in scores and scores[one].state is State.GRADED
            else None,
        )
        for one in attempts
    )


def settle_attempts(
    submissions: Iterable[Submission], scores: Mapping[Submission, Score]
) -> list[Score]:
    """Return one score for each student and assignment, with the list of attempts."""
    found = []
    for attempts in group_attempts(submissions).values():
        tried = {id(scores[one]): one for one in attempts if one in scores}
        if not tried:
            continue
        score = best([scores[one] for one in tried.values()])
        found.append(
            msgspec.structs.replace(
                score, attempts=list_attempts(tried[id(score)], attempts, scores)
            )
        )
    return found

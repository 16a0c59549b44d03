"""A run about some of a class, put into the gradebook of the whole class: the others stand.

What a run replaces: with `--only`, the scores that it gives; with `-a` alone, all scores in these
assignments, for then it has looked at everybody. All else stands as it was, and is marked when the
suite or the grader has changed since. A score is never replaced because the run was stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath

import msgspec

from grader.config.course import Course
from grader.config.policy import Adjustment
from grader.gradebook import Asked, Gradebook, RunInfo, Score, State
from grader.intake.roster import Roster, known_as
from grader.model import EndingKind, Isolation, Problem, ProblemKind, Value
from grader.scoring.points import in_order
from grader.scoring.policies import adjust_again

Key = tuple[str, str]


class Merged(Value, frozen=True):
    """The gradebook of the class. `standing` are the scores that this run has not given.

    `unchanged` are those of them that are what they were, also after adjustments by hand.
    """

    gradebook: Gradebook
    standing: frozenset[Key] = frozenset()
    unchanged: frozenset[Key] = frozenset()

    def of_this_run(self, new: Gradebook) -> Gradebook:
        """What a person wants to see who has asked for a part: that, and what is odd about all."""
        outdated = [one for one in self.gradebook.problems if one.kind is ProblemKind.OUTDATED]
        return msgspec.structs.replace(new, problems=(*new.problems, *outdated))

    def remarks(self) -> list[str]:
        """Say that there is more than what this run has given."""
        count = len(self.standing)
        scores = "score stands as it was" if count == 1 else "scores stand as they were"
        return [f"{count} other {scores}"] if count else []


class Narrowed(Value, frozen=True):
    """What a run was about: some students, or everybody in some assignments."""

    only: tuple[str, ...]
    assignments: tuple[str, ...]
    roster: Roster | None = None

    def __bool__(self) -> bool:
        return bool(self.only or self.assignments)


def merge(
    before: Gradebook,
    new: Gradebook,
    course: Course,
    narrowed: Narrowed,
    *,
    graded_with: Mapping[str, str],
    adjustments: Sequence[Adjustment] = (),
) -> Merged:
    """Put a run's gradebook into that of the class.

    Args:
        before: what the output folder holds.
        new: what the run has given.
        course: the course of both.
        narrowed: what the run was about.
        graded_with: what scores would be given with now, by assignment, as in `RunInfo`.
        adjustments: what instructors have changed by hand up to now.
    """
    have = {_key(score) for score in before.scores}
    given = [score for score in new.scores if not (_stopped(score) and _key(score) in have)]
    not_reached = {_key(score) for score in new.scores if _stopped(score)}
    stand = [
        _marked(score, before.run, graded_with)
        for score in before.scores
        if _key(score) in not_reached or not _replaced(score, given, narrowed)
    ]
    after = [adjust_again(score, adjustments) for score in stand]
    scores = [*given, *after]
    held = {_key(score) for score in after}
    shown = {score.assignment for score in scores}
    reports = {one.id: one for one in (*before.assignments, *new.assignments) if one.id in shown}
    students = {score.student for score in scores}
    gradebook = msgspec.structs.replace(
        new,
        assignments=tuple(reports.values()),
        scores=tuple(scores),
        problems=tuple(_problems(before, new, narrowed, after)),
        isolation=_weaker(before.isolation, new.isolation),
        run=_run(before.run, new.run, held, graded_with),
        complete=new.complete and not any(_stopped(score) for score in after),
        names={s: one for s, one in (before.names | new.names).items() if s in students},
        ids={s: ids for s, ids in (before.ids | new.ids).items() if s in students},
        regrades=before.regrades,
    )
    same = {_key(now) for then, now in zip(stand, after, strict=True) if then == now}
    return Merged(in_order(gradebook, course), frozenset(held), frozenset(same))


def _key(score: Score) -> Key:
    return score.student, score.assignment


def _stopped(score: Score) -> bool:
    return score.ending.kind is EndingKind.INTERRUPTED


def _replaced(score: Score, given: Sequence[Score], narrowed: Narrowed) -> bool:
    if not narrowed.only:
        return score.assignment in narrowed.assignments
    same = [one for one in given if one.assignment == score.assignment]
    if score.state is State.MISSING:  # a roster may have named them otherwise than their files do
        return any(_are_one(score.student, one.student, narrowed.roster) for one in same)
    return any(one.student == score.student for one in same)


def _are_one(missing: str, student: str, roster: Roster | None) -> bool:
    if known_as(missing) & known_as(student):
        return True
    return roster is not None and roster.are_one(missing, student)


def _marked(score: Score, run: RunInfo, graded_with: Mapping[str, str]) -> Score:
    """Mark a score that could be another one today; who handed nothing in is still missing."""
    then, now = run.graded_with.get(score.assignment), graded_with.get(score.assignment)
    if score.state is State.MISSING or (then is not None and then == now):
        return score
    return msgspec.structs.replace(score, outdated=True)


def _problems(
    before: Gradebook, new: Gradebook, narrowed: Narrowed, standing: Iterable[Score]
) -> Iterable[Problem]:
    found = dict.fromkeys(new.problems)
    given = {_key(score) for score in new.scores}
    for problem in before.problems:
        if problem.kind is not ProblemKind.OUTDATED and _stands(problem, narrowed, given):
            found.setdefault(problem)
    yield from found
    yield from _outdated(standing)


def _stands(problem: Problem, narrowed: Narrowed, given: set[Key]) -> bool:
    """Whether a problem is about what this run has not looked at."""
    student, assignment = problem.student, problem.assignment
    if not narrowed.only:
        return assignment is not None and assignment not in narrowed.assignments
    if assignment is None:
        return student is None or student not in {name for name, _ in given}
    return student is None or (student, assignment) not in given


def _outdated(standing: Iterable[Score]) -> Iterable[Problem]:
    """Say, once for each assignment, that scores stand which could be others today."""
    standing = list(standing)
    for assignment in dict.fromkeys(score.assignment for score in standing):
        here = [score for score in standing if score.assignment == assignment]
        count = sum(score.outdated for score in here)
        if count:
            yield Problem(
                kind=ProblemKind.OUTDATED,
                message=f"{count} of the scores that stand from an earlier run were given before "
                "the suite or the grader changed",
                hint="grade everybody again, without --only",
                assignment=assignment,
            )


def _weaker(before: Isolation | None, new: Isolation | None) -> Isolation | None:
    """The wall that all scores of both have had: none, if one of them had none."""
    return next((one for one in (before, new) if one is not None and one.off), new or before)


def _run(before: RunInfo, new: RunInfo, held: set[Key], graded_with: Mapping[str, str]) -> RunInfo:
    standing = {assignment for _, assignment in held}
    return msgspec.structs.replace(
        new,
        seconds_per_submission={**before.seconds_per_submission, **new.seconds_per_submission},
        graded_with={
            name: graded_with[name]
            for name in sorted(standing | new.graded_with.keys())
            if name in graded_with
        },
        asked=_asked(before.asked, new.asked),
        origins=(
            *(one for one in before.origins if (one.student, one.assignment) in held),
            *(one for one in new.origins if (one.student, one.assignment) not in held),
        ),
    )


def _asked(before: Asked | None, new: Asked | None) -> Asked | None:
    """What it takes to grade all of both again: what is in other folders, too."""
    if before is None or new is None:
        return new
    return msgspec.structs.replace(
        new,
        paths=_outermost((*before.paths, *new.paths)),
        roster=new.roster or before.roster,
        submitted_at=new.submitted_at or before.submitted_at,
        extensions=new.extensions or before.extensions,
    )


def _outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """Return paths without those that lie in another of them, which would be found twice."""
    once = dict.fromkeys(PurePath(path) for path in paths)
    return tuple(str(one) for one in once if not any(other in one.parents for other in once))

"""What changed between two gradings."""

from __future__ import annotations

import msgspec
from generated import gradebook

from grader.gradebook import Gradebook, State
from grader.model import Status
from grader.reports.comparison import CheckChange, compare

OLD = gradebook(4, assignments=2)


def edited(book: Gradebook, place: int, **changes: object) -> Gradebook:
    scores = list(book.scores)
    scores[place] = msgspec.structs.replace(scores[place], **changes)
    return msgspec.structs.replace(book, scores=tuple(scores))


def graded_place() -> int:
    return next(n for n, score in enumerate(OLD.scores) if score.state is State.GRADED)


def test_a_gradebook_differs_in_nothing_from_itself() -> None:
    found = compare(OLD, OLD)
    assert (found.changes, found.same) == ((), len(OLD.scores))


def test_a_check_that_now_passes_is_named_with_its_points() -> None:
    place = graded_place()
    score = OLD.scores[place]
    failed = next(o for o in score.outcomes if o.status is not Status.PASSED)
    outcomes = tuple(
        msgspec.structs.replace(o, status=Status.PASSED, earned=o.possible) if o is failed else o
        for o in score.outcomes
    )
    new = edited(OLD, place, outcomes=outcomes, earned=score.earned + 0.5)
    (change,) = compare(OLD, new).changes
    assert (change.student, change.after - change.before) == (score.student, 0.5)
    assert change.checks == (
        CheckChange(check=failed.check, before=failed.status, after=Status.PASSED, difference=0.5),
    )


def test_scores_that_appear_or_vanish_are_changes() -> None:
    fewer = msgspec.structs.replace(OLD, scores=OLD.scores[1:])
    (gone,) = compare(OLD, fewer).changes
    (come,) = compare(fewer, OLD).changes
    assert (gone.before_state, gone.after_state) == (OLD.scores[0].state, None)
    assert (come.before_state, come.after_state) == (None, OLD.scores[0].state)


def test_another_state_is_a_change_even_with_equal_points() -> None:
    new = edited(OLD, graded_place(), state=State.UNGRADED, outcomes=())
    (change,) = compare(OLD, new).changes
    assert change.after_state is State.UNGRADED


def test_another_file_is_said() -> None:
    place = graded_place()
    new = edited(OLD, place, digest="1" * 64, earned=0.0)
    assert compare(OLD, new).changes[0].resubmitted


def test_another_suite_and_other_versions_are_said() -> None:
    first = msgspec.structs.replace(OLD.assignments[0], points=1)
    run = msgspec.structs.replace(OLD.run, versions={"grader": "2"})
    new = msgspec.structs.replace(OLD, assignments=(first, *OLD.assignments[1:]), run=run)
    found = compare(OLD, new)
    assert found.suites_changed == (OLD.assignments[0].id,)
    assert found.versions_changed == ("grader – → 2",)

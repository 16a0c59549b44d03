"""Two gradebooks side by side: whose score changed, and because of which checks. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from grader.gradebook import Gradebook, Score, State
from grader.model import Status, Value
from grader.reports.suite_changes import SuiteChange, suite_changes


class CheckChange(Value, frozen=True):
    """A check that earned something else. A status is None where the check did not exist."""

    check: str
    before: Status | None
    after: Status | None
    difference: float


class Change(Value, frozen=True):
    """A score that is not what it was. A state is None where the score did not exist."""

    student: str
    assignment: str
    before_state: State | None
    after_state: State | None
    before: float
    after: float
    checks: tuple[CheckChange, ...] = ()
    resubmitted: bool = False


class Comparison(Value, frozen=True):
    """What changed. `same` counts the scores that did not."""

    changes: tuple[Change, ...]
    same: int
    suites_changed: tuple[str, ...] = ()
    versions_changed: tuple[str, ...] = ()
    suites: tuple[SuiteChange, ...] = ()


def compare(old: Gradebook, new: Gradebook) -> Comparison:
    """Compare two gradebooks; students and assignments in the new one's order, then the old's."""
    before = {(score.student, score.assignment): score for score in old.scores}
    after = {(score.student, score.assignment): score for score in new.scores}
    keys = [*after, *(key for key in before if key not in after)]
    changes = [
        change for key in keys if (change := _change(before.get(key), after.get(key))) is not None
    ]
    asked = {assignment.id: assignment for assignment in old.assignments}
    return Comparison(
        changes=tuple(changes),
        same=len(keys) - len(changes),
        suites_changed=tuple(
            assignment.id
            for assignment in new.assignments
            if assignment.id in asked and assignment != asked[assignment.id]
        ),
        versions_changed=other_versions(old.run.versions, new.run.versions),
        suites=suite_changes(
            asked,
            {assignment.id: assignment for assignment in new.assignments},
            old.run.graded_with,
            new.run.graded_with,
        ),
    )


def other_versions(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
    """Return the packages whose versions differ, with both."""
    return tuple(
        f"{name} {old.get(name, '–')} → {version}"
        for name, version in new.items()
        if old.get(name) != version
    )


def _change(before: Score | None, after: Score | None) -> Change | None:
    checks = tuple(_check_changes(before, after))
    one = after or before
    assert one is not None
    change = Change(
        student=one.student,
        assignment=one.assignment,
        before_state=before.state if before else None,
        after_state=after.state if after else None,
        before=before.earned if before else 0.0,
        after=after.earned if after else 0.0,
        checks=checks,
        resubmitted=bool(before and after and before.digest != after.digest),
    )
    unchanged = change.before_state == change.after_state and change.before == change.after
    return None if unchanged and not checks else change


def _check_changes(before: Score | None, after: Score | None) -> Iterator[CheckChange]:
    old = {outcome.check: outcome for outcome in before.outcomes} if before else {}
    new = {outcome.check: outcome for outcome in after.outcomes} if after else {}
    if not old or not new:
        return  # the state says it all
    for check in [*new, *(name for name in old if name not in new)]:
        was, is_now = old.get(check), new.get(check)
        difference = (is_now.earned if is_now else 0.0) - (was.earned if was else 0.0)
        if difference:
            yield CheckChange(
                check=check,
                before=was.status if was else None,
                after=is_now.status if is_now else None,
                difference=round(difference, 6),
            )

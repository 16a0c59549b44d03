"""What changed in a suite between two gradebooks: check by check, as values and in words."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping

from grader.gradebook import AssignmentReport, CheckReport
from grader.model import Value
from grader.text import points


class Edit(enum.StrEnum):
    """What became of a check."""

    ADDED = "added"
    REMOVED = "removed"
    POINTS = "points"
    QUESTION = "question"
    VISIBILITY = "visibility"
    TITLE = "title"
    HINT = "hint"
    BONUS = "bonus"
    CODE = "code"


class CheckEdit(Value, frozen=True):
    """One difference of a check, or of a question. `before` and `after` are as people read them."""

    check: str
    edit: Edit
    before: str = ""
    after: str = ""


class SuiteChange(Value, frozen=True):
    """What differs in an assignment. `reworked`: files of its suite, or the grader, differ."""

    assignment: str
    edits: tuple[CheckEdit, ...] = ()
    reworked: bool = False


def suite_changes(
    old: Mapping[str, AssignmentReport],
    new: Mapping[str, AssignmentReport],
    old_digests: Mapping[str, str],
    new_digests: Mapping[str, str],
) -> tuple[SuiteChange, ...]:
    """Compare the assignments that both have; those without a difference are left out."""
    found = []
    for name, report in new.items():
        if name in old:
            then, now = old_digests.get(name), new_digests.get(name)
            reworked = None not in (then, now) and then != now
            change = SuiteChange(name, tuple(_edits(old[name], report)), reworked)
            if change.edits or change.reworked:
                found.append(change)
    return tuple(found)


def words(change: SuiteChange) -> tuple[str, ...]:
    """Say what changed, a line for each difference of a check."""
    lines = [_line(edit) for edit in change.edits]
    if change.reworked and not lines:
        lines = ["what its checks do or use, or the grader, has changed: no name, text or points"]
    return tuple(lines)


def _edits(old: AssignmentReport, new: AssignmentReport) -> Iterator[CheckEdit]:
    before, after = dict(_checks(old)), dict(_checks(new))
    for name in [*before, *(name for name in after if name not in before)]:
        if name not in after:
            yield CheckEdit(name, Edit.REMOVED, before=_worth(before[name][1]))
        elif name not in before:
            yield CheckEdit(name, Edit.ADDED, after=_worth(after[name][1]))
        else:
            yield from _differences(name, before[name], after[name])
    bonus = {question.id: question.bonus for question in old.questions}
    for question in new.questions:
        if bonus.get(question.id, question.bonus) != question.bonus:
            kinds = ("regular", "bonus") if question.bonus else ("bonus", "regular")
            yield CheckEdit(question.id, Edit.BONUS, *kinds)


def _checks(report: AssignmentReport) -> Iterator[tuple[str, tuple[str, CheckReport]]]:
    for question in report.questions:
        for check in question.checks:
            yield check.id, (question.id, check)


def _differences(
    name: str, before: tuple[str, CheckReport], after: tuple[str, CheckReport]
) -> Iterator[CheckEdit]:
    for edit, was, is_now in (
        (Edit.POINTS, _worth(before[1]), _worth(after[1])),
        (Edit.QUESTION, before[0], after[0]),
        (Edit.VISIBILITY, _kind(before[1]), _kind(after[1])),
        (Edit.TITLE, before[1].title, after[1].title),
        (Edit.HINT, before[1].hint, after[1].hint),
    ):
        if was != is_now:
            yield CheckEdit(name, edit, was, is_now)
    codes = before[1].code, after[1].code
    if all(codes) and codes[0] != codes[1]:
        yield CheckEdit(name, Edit.CODE, *codes)


def _worth(check: CheckReport) -> str:
    return f"{points(check.points)} point{'s' * (check.points != 1)}"


def _kind(check: CheckReport) -> str:
    return "public" if check.public else "hidden"


def _line(edit: CheckEdit) -> str:
    if edit.edit is Edit.ADDED:
        return f"{edit.check}: added, {edit.after}"
    if edit.edit is Edit.CODE:
        return f"{edit.check}: it tests otherwise"
    if edit.edit is Edit.REMOVED:
        return f"{edit.check}: removed, {edit.before}"
    if edit.edit in (Edit.TITLE, Edit.HINT):
        return f"{edit.check}: {edit.edit} “{edit.before}” → “{edit.after}”"
    about = "question " if edit.edit is Edit.BONUS else ""
    what = "question " if edit.edit is Edit.QUESTION else ""
    return f"{about}{edit.check}: {what}{edit.before} → {edit.after}"

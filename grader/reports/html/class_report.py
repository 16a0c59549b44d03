"""`index.html`: the class at a glance, on one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from grader.gradebook import (
    AssignmentReport,
    CheckReport,
    Gradebook,
    QuestionReport,
    Score,
    State,
    Total,
)
from grader.model import Status
from grader.reports.analysis import CONCERNS, Analysis, Concern, Item, analyse, concerns
from grader.reports.choices import Visibility
from grader.reports.feedback import WORDS
from grader.reports.html.check_page import check_addresses
from grader.reports.html.heat_map import WORDS as KINDS
from grader.reports.html.heat_map import heat_map
from grader.reports.html.page import address, clipped, render
from grader.reports.students import by_student, called, find_dropped, totals
from grader.scoring.points import percent
from grader.store.output import STUDENTS
from grader.text import points

CONCERNS_SHOWN = 200  # of a kind
MESSAGE_LENGTH = 160
NEGATIVE = -0.1  # a discrimination below it is no chance any more


class ScoreCell(NamedTuple):
    """A score in the table. `kind` is its style: a tenth, or that there is no score."""

    text: str
    kind: str
    address: str


class StudentRow(NamedTuple):
    """A student in the table. `states` are words to filter by."""

    name: str
    address: str
    states: str
    cells: tuple[ScoreCell, ...]
    total: str
    known: bool
    dropped: str


class Line(NamedTuple):
    """A question or check in the item analysis. `address` is of a check's own page."""

    number: str
    address: str
    title: str
    kind: str
    points: float
    item: Item
    remark: str
    failure: str
    hint: str
    histogram: str


class Section(NamedTuple):
    """An assignment with its numbers."""

    id: str
    title: str
    points: float
    analysis: Analysis
    histogram: str
    lines: tuple[Line, ...]


class Group(NamedTuple):
    """Concerns of one kind; `more` are not listed."""

    kind: str
    title: str
    concerns: tuple[tuple[Concern, str], ...]
    more: int
    students: int


def class_report(gradebook: Gradebook, folders: Mapping[str, str]) -> str:
    """Return the page. `folders` gives each student's name as a file name."""
    pages = {name: address(STUDENTS, f"{folder}.html") for name, folder in folders.items()}
    return render(
        "index.html",
        script="index.js",
        book=gradebook,
        title=gradebook.course_title or gradebook.course,
        sections=list(map(_section, gradebook.assignments, analyse(gradebook))),
        rows=list(_rows(gradebook, pages)),
        possible=sum(assignment.points for assignment in gradebook.assignments),
        groups=list(_groups(concerns(gradebook), gradebook, pages)),
        map=heat_map(gradebook, pages),
        kinds=KINDS,
    )


def _rows(gradebook: Gradebook, pages: Mapping[str, str]) -> Iterator[StudentRow]:
    sums = totals(gradebook)
    for name, scores in by_student(gradebook).items():
        cells = tuple(
            _cell(scores.get(assignment.id), pages[name]) for assignment in gradebook.assignments
        )
        states = {score.state.value for score in scores.values()} - {State.GRADED.value}
        if all(score.state is State.GRADED and percent(score) >= 100 for score in scores.values()):
            states.add("full")
        yield StudentRow(
            name=called(name, gradebook),
            address=pages[name],
            states=" ".join(sorted(states)),
            cells=cells,
            total=_total(sums[name]),
            known=sums[name].known,
            dropped=find_dropped(sums[name], gradebook),
        )


def _total(total: Total) -> str:
    """The points of a total; out of how many, where that is not the same for everybody."""
    earned = points(total.earned)
    return f"{earned} of {points(total.possible)}" if total.dropped else earned


def _cell(score: Score | None, page: str) -> ScoreCell:
    if score is None or score.state is State.MISSING:
        return ScoreCell(text="missing", kind="m", address="")
    to = f"{page}#{address(score.assignment)}"
    if score.state is State.UNGRADED:
        return ScoreCell(text="ungraded", kind="u", address=to)
    if score.state is State.UNMARKED:
        return ScoreCell(text=f"{points(score.earned)}, unmarked", kind="u", address=to)
    tenth = max(0, min(10, int(percent(score) // 10)))
    return ScoreCell(text=points(score.earned), kind=f"h{tenth}", address=to)


def _section(assignment: AssignmentReport, analysis: Analysis) -> Section:
    return Section(
        id=assignment.id,
        title=assignment.title,
        points=assignment.points,
        analysis=analysis,
        histogram=_histogram_in_words(analysis.histogram),
        lines=tuple(_lines(assignment, analysis)),
    )


def _histogram_in_words(histogram: Sequence[int]) -> str:
    width = 100 // len(histogram)
    parts = [
        f"{count} from {width * place} to {width * (place + 1)} %"
        for place, count in enumerate(histogram)
        if count
    ]
    return f"Histogram of scores: {', '.join(parts)}" if parts else "No score yet"


def _lines(assignment: AssignmentReport, analysis: Analysis) -> Iterator[Line]:
    items = {item.id: item for item in analysis.checks}
    pages = check_addresses(assignment)
    number = 0
    for question, item in zip(assignment.questions, analysis.questions, strict=True):
        yield _question_line(question, item)
        for check in question.checks:
            number += 1
            yield _check_line(number, check, items[check.id], pages[check.id])


def _question_line(question: QuestionReport, item: Item) -> Line:
    kind = "bonus" if question.bonus else "by hand" if question.manual else "question"
    return Line(
        number="",
        address="",
        title=question.title,
        kind=kind,
        points=question.points,
        item=item,
        remark=_remark(item),
        failure="",
        hint="",
        histogram=_histogram_in_words(item.histogram) if sum(item.histogram) else "",
    )


def _check_line(number: int, check: CheckReport, item: Item, page: str) -> Line:
    return Line(
        number=str(number),
        address=page,
        title=check.title,
        kind=Visibility.of(check),
        points=check.points,
        item=item,
        remark=_remark(item),
        failure=_failure(item),
        hint=check.hint if item.failure else "",
        histogram="",
    )


def _remark(item: Item) -> str:
    if item.difficulty == 0:
        return "nobody"
    if item.discrimination is not None and item.discrimination < NEGATIVE:
        return "look at it: the strong lose it"
    return ""


def _failure(item: Item) -> str:
    failure = item.failure
    if failure is None:
        return ""
    number = (
        f"{failure.count} of {failure.among}"
        if failure.count < failure.among
        else f"all {failure.among}"
    )
    message = clipped(failure.message, MESSAGE_LENGTH)
    several = f"{number} failures: " if failure.among > 1 else ""
    if message and failure.status is Status.FAILED:
        return several + message
    return several + WORDS[failure.status] + (f": {message}" if message else "")


def _groups(
    found: Sequence[Concern], gradebook: Gradebook, pages: Mapping[str, str]
) -> Iterator[Group]:
    titles = {assignment.id: assignment.title for assignment in gradebook.assignments}
    for kind, title in CONCERNS.items():
        concerned = [concern for concern in found if concern.kind == kind]
        if kind == "missing":
            listed = list(_by_person(concerned, titles))
        else:
            listed = [
                Concern(
                    kind=kind,
                    student=one.student,
                    assignment=titles.get(one.assignment, one.assignment),
                    reason=clipped(one.reason, MESSAGE_LENGTH),
                )
                for one in concerned
            ]
        if listed:
            yield Group(
                kind=kind,
                title=title,
                concerns=tuple(
                    (
                        msgspec.structs.replace(one, student=called(one.student, gradebook)),
                        pages.get(one.student, ""),
                    )
                    for one in listed[:CONCERNS_SHOWN]
                ),
                more=max(0, len(listed) - CONCERNS_SHOWN),
                students=len({one.student for one in listed}),
            )


def _by_person(missing: Sequence[Concern], titles: Mapping[str, str]) -> Iterator[Concern]:
    """One line for each student instead of one for each assignment."""
    lacking: dict[str, list[str]] = {}
    for one in missing:
        lacking.setdefault(one.student, []).append(titles.get(one.assignment, one.assignment))
    for student, assignments in lacking.items():
        reason = "everything" if len(assignments) == len(titles) > 1 else ", ".join(assignments)
        yield Concern(kind="missing", student=student, assignment="", reason=reason)

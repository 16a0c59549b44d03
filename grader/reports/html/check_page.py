"""`checks/ASSIGNMENT/CHECK.html`: who fails a check, grouped by how. For instructors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from grader.gradebook import AssignmentReport, CheckReport, Gradebook, Score, State
from grader.model import Status
from grader.names import component, components
from grader.reports.case import Neighbours, anchors
from grader.reports.choices import Visibility
from grader.reports.failing import Way, ways_to_fail
from grader.reports.feedback import SYMBOLS, WORDS
from grader.reports.html.highlighting import highlighted
from grader.reports.html.page import address, clipped, render
from grader.reports.students import called
from grader.store.output import CHECKS, STUDENTS

SAID_LENGTH = 300


class Group(NamedTuple):
    """Students who fail in one way, with their cases: what each is called, and where it stands."""

    symbol: str
    word: str
    said: str
    expected: str
    actual: str
    various: bool
    cases: tuple[tuple[str, str], ...]


class SourceLine(NamedTuple):
    """A line of the check's code; `lost` counts the students who failed there."""

    number: int
    code: Markup
    lost: int


def check_files(assignment: AssignmentReport) -> dict[str, Path]:
    """The file of each check's page, in the folder of all of them, by the check's id."""
    names = components(check.id for _, check in _checks(assignment))
    return {check: Path(component(assignment.id), f"{name}.html") for check, name in names.items()}


def check_addresses(assignment: AssignmentReport) -> dict[str, str]:
    """Where each check's page is, from the folder of the reports, by the check's id."""
    return {check: address(CHECKS, *path.parts) for check, path in check_files(assignment).items()}


def check_pages(
    gradebook: Gradebook, assignment: AssignmentReport, folders: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Give the pages of an assignment's checks: the check's id, and the page.

    Args:
        gradebook: of the class.
        assignment: whose checks.
        folders: gives each student's name as a file name.
    """
    scores = [score for score in gradebook.scores if score.assignment == assignment.id]
    graded = [score for score in scores if score.state is State.GRADED]
    ways, lines = ways_to_fail(graded), _lines(assignment, graded)
    places, at = anchors(assignment), check_addresses(assignment)
    order = [f"../../{at[check.id]}" for _, check in _checks(assignment)]
    beside = ["", *order, ""]
    people = {name: called(name, gradebook) for name in folders}
    for number, (question, check) in enumerate(_checks(assignment), 1):
        found = ways.get(check.id, ())
        yield (
            check.id,
            render(
                "failures.html",
                script="code.js",
                style="code.css",
                title=gradebook.course_title or gradebook.course,
                isolation=gradebook.isolation,
                assignment=assignment,
                question=question,
                check=check,
                kind=Visibility.of(check),
                number=number,
                asked=sum(any(one.check == check.id for one in score.outcomes) for score in graded),
                lost=sum(len(way.students) for way in found),
                groups=[_group(way, places[check.id], folders, people) for way in found],
                source=_source(check, lines.get(check.id, Counter())),
                neighbours=Neighbours(beside[number - 1], beside[number + 1]),
            ),
        )


def _checks(assignment: AssignmentReport) -> Iterator[tuple[str, CheckReport]]:
    """All checks, each with its question's title."""
    for question in assignment.questions:
        for check in question.checks:
            yield question.title, check


def _group(way: Way, anchor: str, folders: Mapping[str, str], people: Mapping[str, str]) -> Group:
    return Group(
        symbol=SYMBOLS[way.status],
        word=WORDS[way.status],
        said=clipped(way.said, SAID_LENGTH),
        expected=way.expected,
        actual=way.actual,
        various=way.various,
        cases=tuple(
            (people[name], f"../../{address(STUDENTS, f'{folders[name]}.html')}#{address(anchor)}")
            for name in way.students
        ),
    )


def _lines(assignment: AssignmentReport, graded: Sequence[Score]) -> dict[str, Counter[int]]:
    """How many have failed in which line of a check's code, where the code is that of today."""
    found: dict[str, Counter[int]] = {}
    known = {check.id for _, check in _checks(assignment) if check.source}
    for score in graded:
        for outcome in score.outcomes if not score.outdated else ():
            line, lost = outcome.check_line, outcome.status is not Status.PASSED
            if lost and line is not None and outcome.check in known:
                found.setdefault(outcome.check, Counter())[line] += 1
    return found


def _source(check: CheckReport, lost: Mapping[int, int]) -> tuple[SourceLine, ...]:
    if not check.source:
        return ()
    return tuple(
        SourceLine(number, line, lost.get(number, 0))
        for number, line in enumerate(highlighted(check.source), 1)
    )

"""`students/STUDENT.html`: one student's scores, for instructors: hidden values may be in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from markupsafe import Markup

from grader.gradebook import (
    AssignmentReport,
    CheckReport,
    Gradebook,
    Score,
    ScoredOutcome,
    State,
)
from grader.model import Status
from grader.names import component
from grader.reports.case import (
    Neighbours,
    Piece,
    anchors,
    asked_names,
    difference,
    rerun,
    without_values,
)
from grader.reports.choices import Visibility
from grader.reports.feedback import (
    ENDINGS,
    SYMBOLS,
    WORDS,
    MarkFeedback,
    changes,
    message_lines,
    told_mark,
)
from grader.reports.html.difference_picture import Picture, picture
from grader.reports.html.highlighting import highlighted
from grader.reports.html.page import address, clipped, render
from grader.reports.students import OUTDATED, called, find_dropped, total_of
from grader.reports.timing import attempts, handed_in
from grader.store.output import FEEDBACK
from grader.text import points

DETAIL_LENGTH = 600
NOBODY = Neighbours()


class FailedCheck(NamedTuple):
    """A check that did not pass, with what only an instructor may see."""

    symbol: str
    word: str
    title: str
    kind: str
    possible: float
    lines: tuple[str, ...]
    detail: str
    asked: tuple[str, ...]
    anchor: str
    hint: str
    source: tuple[tuple[int, Markup, bool], ...]
    compared: tuple[tuple[Piece, ...], tuple[Piece, ...]] | None
    differs: Picture | None
    code: tuple[tuple[str, str], ...]
    others: str
    again: str


class MarkedQuestion(NamedTuple):
    """A question that a person marks. `waits` says why it has no points yet."""

    title: str
    waits: str
    by: str
    mark: MarkFeedback


class Part(NamedTuple):
    """One assignment of a student."""

    id: str
    title: str
    state: str
    score: str
    ending: str
    timing: str
    attempts: tuple[str, ...]
    changes: tuple[str, ...]
    questions: tuple[tuple[str, float, float], ...]
    passed: int
    checks: int
    failed: tuple[FailedCheck, ...]
    cell_errors: tuple[str, ...]
    file: str
    digest: str
    feedback: str
    code: str
    marks: tuple[MarkedQuestion, ...]


def student_page(
    student: str,
    folder: str,
    gradebook: Gradebook,
    scores: dict[str, Score],
    code: Mapping[tuple[str, str], str] | None = None,
    neighbours: Neighbours = NOBODY,
    results: str = "reports",
    checks: Mapping[str, Mapping[str, str]] | None = None,
    made_from: str = "",
) -> str:
    """Return one student's page.

    Args:
        student: whose.
        folder: the name that the student's files have.
        gradebook: of the class.
        scores: the student's, by assignment.
        code: where there are pages with code, from the folder of the reports, by student and
            assignment.
        neighbours: the pages of the students before and after.
        results: the folder of the reports, as it was named.
        checks: where there are pages about checks, from the folder of the reports, by assignment
            and check.
        made_from: the fingerprint of everything that decides this page.
    """
    code, checks = code or {}, checks or {}
    total = total_of(student, scores.values(), gradebook)
    possible = sum(assignment.points for assignment in gradebook.assignments)
    return render(
        "student.html",
        script="code.js",
        style="code.css",
        made_from=made_from,
        neighbours=neighbours,
        student=called(student, gradebook),
        title=gradebook.course_title or gradebook.course,
        total=points(total.earned),
        known=total.known,
        possible=points(total.possible if total.dropped else possible),
        dropped=find_dropped(total, gradebook),
        isolation=gradebook.isolation,
        parts=[
            _part(
                assignment,
                scores[assignment.id],
                folder,
                code.get((student, assignment.id), ""),
                results,
                checks.get(assignment.id, {}),
            )
            for assignment in gradebook.assignments
            if assignment.id in scores
        ],
    )


def _part(
    assignment: AssignmentReport,
    score: Score,
    folder: str,
    code: str,
    results: str,
    checks: Mapping[str, str],
) -> Part:
    return Part(
        id=assignment.id,
        title=assignment.title,
        state=score.state.value,
        score=_score(score),
        ending=_ending(score),
        timing=handed_in(score, source=True),
        attempts=tuple(attempts(score)),
        changes=tuple(changes(score, assignment)),
        questions=tuple(
            (question.title, score.questions.get(question.id, 0.0), question.points)
            for question in assignment.questions
            if score.state.has_points
            and not (question.manual and question.id not in score.questions)
        ),
        passed=sum(outcome.status is Status.PASSED for outcome in score.outcomes),
        checks=len(score.outcomes),
        failed=tuple(_failed(assignment, score, f"../{code}" if code else "", results, checks)),
        cell_errors=tuple(
            clipped(f"cell {error.cell}: {error.error}: {error.message}", 300)
            for error in score.cell_errors[:20]
        ),
        file=score.file,
        digest=score.digest[:12],
        feedback=address("..", FEEDBACK, folder, f"{component(score.assignment)}.html"),
        code=f"../{code}" if code else "",
        marks=tuple(_marks(assignment, score)),
    )


def _marks(assignment: AssignmentReport, score: Score) -> Iterator[MarkedQuestion]:
    titles = {question.id: question.title for question in assignment.questions}
    for mark in score.marks if score.state.has_points else ():
        title = titles.get(mark.question, mark.question)
        yield MarkedQuestion(title, mark.waits, mark.by, told_mark(mark))


def _score(score: Score) -> str:
    if not score.state.has_points:
        return str(score.state.value)
    worth = f"{points(score.earned)} of {points(score.possible)}"
    return worth if score.state is State.GRADED else f"unmarked, {worth} so far"


def _ending(score: Score) -> str:
    if score.state is State.MISSING:
        return ""
    words: str = ENDINGS.get(score.ending.kind, "")
    told = score.ending.message or words
    return "; ".join(filter(None, (told, OUTDATED if score.outdated else "")))


def _failed(
    assignment: AssignmentReport, score: Score, code: str, results: str, pages: Mapping[str, str]
) -> Iterator[FailedCheck]:
    outcomes = {outcome.check: outcome for outcome in score.outcomes}
    places = anchors(assignment)
    for question in assignment.questions:
        for check in question.checks:
            outcome = outcomes.get(check.id)
            if outcome is not None and outcome.status is not Status.PASSED:
                tried = outcome.status is not Status.SKIPPED  # else there is nothing to explain
                compared = outcome.expected and outcome.actual
                yield FailedCheck(
                    symbol=SYMBOLS[outcome.status],
                    word=WORDS[outcome.status],
                    title=check.title,
                    kind=Visibility.of(check),
                    possible=check.points,
                    lines=tuple(message_lines(outcome.message)),
                    detail=_detail(outcome),
                    asked=outcome.asked,
                    anchor=places[check.id],
                    hint=check.hint if tried else "",
                    source=_source(check, outcome, outdated=score.outdated),
                    compared=difference(outcome.expected, outcome.actual) if compared else None,
                    differs=picture(outcome.differs) if outcome.differs is not None else None,
                    code=tuple(_code(outcome, code)),
                    others=f"../{pages[check.id]}" if check.id in pages else "",
                    again=rerun(score.student, score.assignment, check.id, results)
                    if score.digest and tried
                    else "",
                )


def _source(
    check: CheckReport, outcome: ScoredOutcome, *, outdated: bool
) -> tuple[tuple[int, Markup, bool], ...]:
    """The check's code, with the line that failed; a check that was not tried needs no explaining.

    What stands from before a suite has changed failed in a line of other code.
    """
    if not check.source or outcome.status is Status.SKIPPED:
        return ()
    marked = None if outdated else outcome.check_line
    lines = enumerate(highlighted(check.source), 1)
    return tuple((number, line, number == marked) for number, line in lines)


def _code(outcome: ScoredOutcome, page: str) -> Iterator[tuple[str, str]]:
    """Where the student's code is that a check is about: words, and a link to it."""
    if not page:
        return
    if outcome.cell is not None and outcome.line is not None:
        yield f"cell {outcome.cell}, line {outcome.line}", f"{page}#c{outcome.cell}-{outcome.line}"
        return
    for name in asked_names(outcome):
        yield name, f"{page}#{address(f'answer-{name}')}"


def _detail(outcome: ScoredOutcome) -> str:
    """What an instructor sees beyond the message, and beside what was compared."""
    detail = without_values(outcome.detail, outcome.expected, outcome.actual).strip()
    return "" if detail == outcome.message.strip() else detail[:DETAIL_LENGTH]

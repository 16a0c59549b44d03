"""`students/STUDENT.html`: one student's scores, for instructors: hidden values may be in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from grader.gradebook import AssignmentReport, Gradebook, Score, ScoredOutcome, State
from grader.model import Status
from grader.names import component
from grader.reports.choices import Visibility
from grader.reports.feedback import ENDINGS, SYMBOLS, WORDS, changes, message_lines
from grader.reports.html.page import address, clipped, render
from grader.reports.students import OUTDATED, called, find_dropped, total_of
from grader.reports.timing import attempts, handed_in
from grader.store.output import FEEDBACK
from grader.text import points

DETAIL_LENGTH = 600


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


def student_page(student: str, folder: str, gradebook: Gradebook, scores: dict[str, Score]) -> str:
    """Return one student's page. `folder` is the name that the student's files have."""
    total = total_of(student, scores.values(), gradebook)
    possible = sum(assignment.points for assignment in gradebook.assignments)
    return render(
        "student.html",
        student=called(student, gradebook),
        title=gradebook.course_title or gradebook.course,
        total=points(total.earned),
        known=total.known,
        possible=points(total.possible if total.dropped else possible),
        dropped=find_dropped(total, gradebook),
        isolation=gradebook.isolation,
        parts=[
            _part(assignment, scores[assignment.id], folder)
            for assignment in gradebook.assignments
            if assignment.id in scores
        ],
    )


def _part(assignment: AssignmentReport, score: Score, folder: str) -> Part:
    graded = score.state is State.GRADED
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
            if graded
        ),
        passed=sum(outcome.status is Status.PASSED for outcome in score.outcomes),
        checks=len(score.outcomes),
        failed=tuple(_failed(assignment, score)),
        cell_errors=tuple(
            clipped(f"cell {error.cell}: {error.error}: {error.message}", 300)
            for error in score.cell_errors[:20]
        ),
        file=score.file,
        digest=score.digest[:12],
        feedback=address("..", FEEDBACK, folder, f"{component(score.assignment)}.html"),
    )


def _score(score: Score) -> str:
    if score.state is not State.GRADED:
        return str(score.state.value)
    return f"{points(score.earned)} of {points(score.possible)}"


def _ending(score: Score) -> str:
    if score.state is State.MISSING:
        return ""
    words: str = ENDINGS.get(score.ending.kind, "")
    told = score.ending.message or words
    return "; ".join(filter(None, (told, OUTDATED if score.outdated else "")))


def _failed(assignment: AssignmentReport, score: Score) -> Iterator[FailedCheck]:
    outcomes = {outcome.check: outcome for outcome in score.outcomes}
    for question in assignment.questions:
        for check in question.checks:
            outcome = outcomes.get(check.id)
            if outcome is not None and outcome.status is not Status.PASSED:
                yield FailedCheck(
                    symbol=SYMBOLS[outcome.status],
                    word=WORDS[outcome.status],
                    title=check.title,
                    kind=Visibility.of(check),
                    possible=check.points,
                    lines=tuple(message_lines(outcome.message)),
                    detail=_detail(outcome),
                    asked=outcome.asked,
                )


def _detail(outcome: ScoredOutcome) -> str:
    """What an instructor sees beyond the message."""
    detail = outcome.detail.strip()
    return "" if detail == outcome.message.strip() else detail[:DETAIL_LENGTH]

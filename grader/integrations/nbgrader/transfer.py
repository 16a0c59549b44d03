"""Scores from nbgrader's gradebook and into it: what both know goes over unchanged.

Both know students, assignments, questions with their points, and what was earned; and who is
ungraded. nbgrader knows no checks; we know no manual scores, comments and late penalties: they stay
where they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook as Database
from nbgrader.api import MissingEntry
from sqlalchemy.exc import SQLAlchemyError

from grader.errors import UsageError
from grader.gradebook import (
    SCHEMA_VERSION,
    AssignmentReport,
    Gradebook,
    QuestionReport,
    RunInfo,
    Score,
    State,
)
from grader.integrations.nbgrader import expect_known_warnings
from grader.integrations.nbgrader.enrolling import enrol
from grader.model import Ending, EndingKind, total

WAITING = Ending(kind=EndingKind.INTERRUPTED, message="it waits for manual grading in nbgrader")


def database_url(place: str) -> str:
    """An SQLAlchemy address, as it is or for the file of this name.

    Raises:
        UsageError: there is no such file.
    """
    if "://" in place:
        return place
    if not Path(place).is_file():
        raise UsageError(
            "no such gradebook", where=place, hint="name nbgrader's gradebook.db, or its db_url"
        )
    return f"sqlite:///{Path(place).resolve()}"


def read_gradebook(place: str, course: str) -> Gradebook:
    """Return what nbgrader's gradebook holds.

    A question counts with the score that nbgrader counts: the manual one where there is one, extra
    credit included. A submission of which something waits for a person is ungraded.

    Args:
        place: nbgrader's gradebook.db, or the address of its database.
        course: the course's id.

    Raises:
        UsageError: it is not a gradebook that can be read.
    """
    try:
        with Database(database_url(place)) as database:
            assignments = tuple(_assignment(one) for one in database.assignments)
            scores = tuple(_scores(database, assignments))
    except SQLAlchemyError as error:
        raise _unusable(place, error) from None
    return Gradebook(
        schema_version=SCHEMA_VERSION,
        course=course,
        assignments=assignments,
        scores=tuple(sorted(scores, key=lambda one: (one.student, one.assignment))),
        problems=(),
        isolation=None,
        run=RunInfo(),
    )


def write_gradebook(gradebook: Gradebook, place: str) -> list[str]:
    """Store scores as nbgrader's autograder would.

    Returns:
        Who could not be stored, in plain words: an assignment or question that nbgrader lacks.

    Raises:
        UsageError: it is not a gradebook that can be written.
    """
    expect_known_warnings()
    left_out: list[str] = []
    try:
        with Database(database_url(place)) as database:
            for score in gradebook.scores:
                if score.state is not State.MISSING:
                    left_out += _store(database, score)
            database.db.commit()
    except SQLAlchemyError as error:
        raise _unusable(place, error) from None
    return left_out


def _assignment(assignment: Any) -> AssignmentReport:
    cells = [cell for notebook in assignment.notebooks for cell in notebook.grade_cells]
    questions = tuple(
        QuestionReport(
            id=cell.name,
            title=cell.name,
            points=cell.max_score,
            checks=(),
            bonus=not cell.max_score,
        )
        for cell in sorted(cells, key=lambda cell: str(cell.name))
    )
    return AssignmentReport(
        id=assignment.name,
        title=assignment.name,
        points=total(question.points for question in questions),
        questions=questions,
    )


def _scores(database: Any, assignments: Iterable[AssignmentReport]) -> Iterator[Score]:
    for assignment in assignments:
        for submission in database.assignment_submissions(assignment.id):
            grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
            waits = any(grade.auto_score is None and grade.manual_score is None for grade in grades)
            points = {} if waits else {grade.name: float(grade.score) for grade in grades}
            yield Score(
                student=submission.student_id,
                assignment=assignment.id,
                state=State.UNGRADED if waits else State.GRADED,
                earned=total(points.values()),
                possible=assignment.points,
                ending=WAITING if waits else Ending(),
                questions={question.id: points[question.id] for question in assignment.questions}
                if points
                else {},
            )


def _store(database: Any, score: Score) -> Iterator[str]:
    name = f"{score.student}/{score.assignment}"
    if refused := enrol(database, [score.student]):
        yield f"{name}: nbgrader does not take the name: {refused[score.student]}"
        return
    try:
        database.update_or_create_submission(score.assignment, score.student)
        notebook = database.find_submission_notebook(
            score.assignment, score.assignment, score.student
        )
    except MissingEntry:
        yield f"{name}: nbgrader does not know this assignment"
        return
    known = {grade.name: grade for grade in notebook.grades}
    for question in score.questions.keys() - known.keys():
        yield f"{name}: nbgrader does not know the question `{question}`"
    for question, grade in known.items():
        grade.auto_score = score.questions.get(question)
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None


def _unusable(place: str, error: SQLAlchemyError) -> UsageError:
    reason = str(getattr(error, "orig", None) or error).split("\n")[0]
    return UsageError(f"the gradebook can't be used ({reason})", where=place)

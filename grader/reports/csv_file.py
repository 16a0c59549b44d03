"""`scores.csv`: a row for every student and assignment, a column for every question.

RFC 4180, UTF-8. An ungraded score leaves its numbers empty: it is neither zero nor full marks. So
does one that is unmarked, but for the questions that have points already. The last column says
`off` in every row where there was no wall, and is empty otherwise.
"""

from __future__ import annotations

import csv
import io

from grader.gradebook import Gradebook, Score, State
from grader.model import total
from grader.scoring.points import percent
from grader.text import csv_text, points

COLUMNS = (
    "student",
    "assignment",
    "state",
    "earned",
    "possible",
    "percent",
    "changes",
)


def encode(gradebook: Gradebook) -> bytes:
    """Return the scores as CSV; the same scores give the same bytes."""
    questions = [
        (assignment.id, question.id)
        for assignment in gradebook.assignments
        for question in assignment.questions
    ]
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow([*COLUMNS, *(csv_text(f"{a}.{q}") for a, q in questions), "isolation"])
    wall = "off" if gradebook.isolation is not None and gradebook.isolation.off else ""
    for score in gradebook.scores:
        writer.writerow(_row(score, questions, wall))
    return table.getvalue().encode("utf-8", "replace")


def _row(score: Score, questions: list[tuple[str, str]], wall: str) -> list[str]:
    graded = score.state not in (State.UNGRADED, State.UNMARKED)
    return [
        csv_text(score.student),
        csv_text(score.assignment),
        score.state.value,
        points(score.earned) if graded else "",
        points(score.possible),
        points(percent(score)) if graded else "",
        points(total(one.difference for one in score.applied)) if score.applied else "",
        *(_question(score, assignment, question) for assignment, question in questions),
        wall,
    ]


def _question(score: Score, assignment: str, question: str) -> str:
    if score.assignment != assignment or question not in score.questions:
        return ""
    return points(score.questions[question])

"""A gradebook by student: what the table in a terminal and the pages have in common."""

from __future__ import annotations

from collections.abc import Iterable

from grader.model import Gradebook, Score, State, total


def by_student(gradebook: Gradebook) -> dict[str, dict[str, Score]]:
    """Return each student's scores by assignment, everything in the gradebook's order."""
    students: dict[str, dict[str, Score]] = {}
    for score in gradebook.scores:
        students.setdefault(score.student, {})[score.assignment] = score
    return students


def overall(scores: Iterable[Score]) -> tuple[float, bool]:
    """Return a student's points in all assignments, and whether nothing is left to be graded."""
    scores = list(scores)
    known = all(score.state is not State.UNGRADED for score in scores)
    return total(score.earned for score in scores), known

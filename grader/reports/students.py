"""A gradebook by student: what the table in a terminal and the pages have in common."""

from __future__ import annotations

from collections.abc import Iterable

from grader.gradebook import Gradebook, Score, Total
from grader.names import identity
from grader.scoring.policies import course_total

OUTDATED = "Graded before the suite or the grader changed"


def by_student(gradebook: Gradebook) -> dict[str, dict[str, Score]]:
    """Return each student's scores by assignment, everything in the gradebook's order."""
    students: dict[str, dict[str, Score]] = {}
    for score in gradebook.scores:
        students.setdefault(score.student, {})[score.assignment] = score
    return students


def called(student: str, gradebook: Gradebook) -> str:
    """Return a student's name with the id behind it, the id alone where it says the name."""
    name = gradebook.names.get(student, "")
    return student if identity(name) in identity(student) else f"{name} ({student})"


def overall(scores: Iterable[Score]) -> Total:
    """Return a student's points in all assignments, none of them dropped."""
    return course_total("", list(scores))


def totals(gradebook: Gradebook) -> dict[str, Total]:
    """Return every student's total as the course's rules leave it."""
    told = {one.student: one for one in gradebook.totals}
    return {
        student: told.get(student) or overall(scores.values())
        for student, scores in by_student(gradebook).items()
    }


def total_of(student: str, scores: Iterable[Score], gradebook: Gradebook) -> Total:
    """Return one student's total, as `totals` has it; `scores` are all that the student has."""
    told = (one for one in gradebook.totals if one.student == student)
    return next(told, None) or overall(scores)


def find_dropped(total: Total, gradebook: Gradebook) -> str:
    """Say which assignments a total leaves out; nothing if none."""
    titles = {assignment.id: assignment.title for assignment in gradebook.assignments}
    names = ", ".join(titles.get(name, name) for name in total.dropped)
    return f"without the lowest: {names}" if names else ""

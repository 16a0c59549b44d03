"""`nbgrader export` to a CSV that stays one when a name holds a comma, and starts no formula."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbgrader.api import MissingEntry
from nbgrader.plugins import ExportPlugin

from grader.store.output import PRIVATE
from grader.text import csv_text

COLUMNS = (
    "assignment",
    "duedate",
    "timestamp",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
    "needs_manual_grade",
)


class QuotedCsv(ExportPlugin):
    """nbgrader's own columns, and whether a person still has to grade something."""

    def export(self, gradebook: Any) -> None:
        """Write `grades.csv`, or what `--to` names."""
        path = Path(self.to or "grades.csv")
        self.log.info("Exporting grades to %s", path)
        with open(path, "w", encoding="utf-8", newline="", opener=_private) as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(self._rows(gradebook))

    def _rows(self, gradebook: Any) -> Iterator[list[str]]:
        for assignment in gradebook.assignments:
            if self.assignment and assignment.name not in map(str, self.assignment):
                continue
            for student in gradebook.students:
                if not self.student or student.id in map(str, self.student):
                    row = _facts(assignment, student) | _scores(gradebook, assignment, student)
                    yield [_text(row.get(column)) for column in COLUMNS]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE)


def _facts(assignment: Any, student: Any) -> dict[str, Any]:
    return {
        "assignment": assignment.name,
        "duedate": assignment.duedate,
        "max_score": assignment.max_score,
        "student_id": student.id,
        "last_name": student.last_name,
        "first_name": student.first_name,
        "email": student.email,
    }


def _scores(gradebook: Any, assignment: Any, student: Any) -> dict[str, Any]:
    """What a student has; who handed nothing in has zero, as with nbgrader."""
    try:
        submission = gradebook.find_submission(assignment.name, student.id)
    except MissingEntry:
        return {"raw_score": 0.0, "late_submission_penalty": 0.0, "score": 0.0}
    penalty = submission.late_submission_penalty
    return {
        "timestamp": submission.timestamp,
        "raw_score": submission.score,
        "late_submission_penalty": penalty,
        "score": max(0.0, submission.score - penalty),
        "needs_manual_grade": submission.needs_manual_grade,
    }


def _text(value: object) -> str:
    return "" if value is None else csv_text(str(value))

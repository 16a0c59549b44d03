"""A lesson has a cell for each question of its assignment, and none for another."""

from __future__ import annotations

from collections.abc import Collection

from grader.authoring.lessons import Lesson
from grader.errors import ReleaseError
from grader.model import Suite


def match_questions(lesson: Lesson, suite: Suite) -> None:
    """Demand one cell for each question and one question for each cell.

    Raises:
        ReleaseError: one is lacking.
    """
    known = [question.id for question in suite.assignment.questions]
    asked = {cell.question for cell in lesson.cells}
    for cell in lesson.cells:
        if cell.question is not None and cell.question not in known:
            raise ReleaseError(
                f"no check asks the question `{cell.question}`",
                where=lesson.where(cell),
                hint=f"questions of `{lesson.assignment}`: {', '.join(known)}",
            )
    for question in known:
        if question not in asked:
            raise ReleaseError(
                f"question `{question}` has no cell",
                where=str(lesson.path),
                hint=f'add one: # %% question="{question}"',
            )


def match_answers(lesson: Lesson, manual: Collection[str]) -> None:
    """Demand one cell for each question that a person marks, and such a question for each cell.

    Raises:
        ReleaseError: one is lacking.
    """
    asked = {cell.answer: cell for cell in lesson.cells if cell.answer is not None}
    for name, cell in asked.items():
        if name not in manual:
            raise ReleaseError(
                f"no question that a person marks is called `{name}`",
                where=lesson.where(cell),
                hint="write it into the course: [[manual]] in the lesson's header, docs/mark.md",
            )
    for name in manual:
        if name not in asked:
            raise ReleaseError(
                f"question `{name}` has no cell to be answered in",
                where=str(lesson.path),
                hint=f'add one: # %% [markdown] answer="{name}"',
            )

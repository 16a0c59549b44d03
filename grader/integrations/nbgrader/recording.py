"""The second pass: points into the gradebook, feedback under each question."""

from __future__ import annotations

import re
from typing import Any

import nbformat
from nbconvert.filters import markdown2html
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from sqlalchemy.exc import OperationalError

from grader.errors import GraderFault
from grader.gradebook import QuestionReport
from grader.integrations.nbgrader.marking import Marked
from grader.integrations.nbgrader.prose import markdown_cell
from grader.reports import feedback_markdown


class RecordScores(NbGraderPreprocessor):
    """Stores what the engine found out. Cells that it does not know wait for a person.

    Nothing is read off the notebook's outputs: those are the student's.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Record the points; write the feedback into the cells of the questions."""
        marked: Marked | None = resources["grader"]["marked"]
        try:
            self._record(nb, resources, marked)
        except OperationalError as error:
            names = resources["nbgrader"]
            raise GraderFault(
                f"the gradebook can't be written ({error.orig})",
                where=f"{names['student']}/{names['assignment']}",
                hint="when nothing else uses it, autograde this student again",
            ) from None
        if marked is not None:
            _show(nb, marked)
        return nb, resources

    def _record(self, nb: Any, resources: Any, marked: Marked | None) -> None:
        names = resources["nbgrader"]
        cells = {
            cell.metadata.nbgrader["grade_id"]: cell
            for cell in nb.cells
            if "nbgrader" in cell.metadata
        }
        with Gradebook(names["db_url"], resources["grader"]["course_id"]) as gradebook:
            place = (names["notebook"], names["assignment"], names["student"])
            submitted = gradebook.find_submission_notebook(*place)
            for name in [grade.name for grade in submitted.grades]:
                grade = gradebook.find_grade(name, *place)
                grade.auto_score = _auto_score(name, cells.get(name), marked)
                grade.needs_manual_grade = (
                    grade.manual_score is not None or grade.auto_score is None
                )
            for name in [comment.name for comment in submitted.comments]:
                comment = gradebook.find_comment(name, *place)
                comment.auto_comment = "No response." if _untouched(cells.get(name)) else None
            gradebook.db.commit()


def _auto_score(name: str, cell: Any, marked: Marked | None) -> float | None:
    """The engine's points for a question; None leaves it to a person.

    A written answer (a cell that is graded and answered in one) is zero when it was not touched,
    as in nbgrader; nobody knows that of a notebook that could not be read.
    """
    if marked is not None and marked.ungraded:
        return None
    if marked is not None and any(question.id == name for question in marked.assignment.questions):
        return marked.score.questions[name]
    if cell is not None and utils.is_grade(cell) and utils.is_solution(cell):
        score: float | None = utils.determine_grade(cell)[0]
        return score
    return None


def _untouched(cell: Any) -> bool:
    """Whether an answer is still what was released."""
    if cell is None or utils.is_task(cell) or not utils.is_solution(cell):
        return False
    return bool(cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell))


def _show(nb: Any, marked: Marked) -> None:
    """Write feedback under each question; what concerns the whole notebook comes first."""
    questions = {question.id: question for question in marked.assignment.questions}
    for cell in nb.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if cell.cell_type == "code" and utils.is_grade(cell) and name in questions:
            cell.outputs = [nbformat.from_dict(_output(marked, questions[name]))]
    if text := feedback_markdown.remarks(marked.score, marked.isolation):
        nb.cells.insert(0, nbformat.from_dict({**markdown_cell(text), "id": "grader-remarks"}))


def _output(marked: Marked, question: QuestionReport) -> dict[str, Any]:
    text = feedback_markdown.question(marked.score, question)
    # nbconvert's sanitiser knows `div`, and shows `<p>` as text
    page = re.sub(r"(</?)p>", r"\1div>", markdown2html(text))
    data = {"text/html": page, "text/plain": text}
    return {"output_type": "display_data", "data": data, "metadata": {}}

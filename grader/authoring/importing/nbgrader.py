"""Source notebooks of nbgrader: what a cell is stands in its metadata.

solution             an answer, between `### BEGIN SOLUTION` and `### END SOLUTION`
grade                tests and their points; hidden ones between `### BEGIN HIDDEN TESTS` and
                     `### END HIDDEN TESTS`
grade and solution   an answer that a person grades
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from grader.authoring.importing.asserts import imports_of
from grader.authoring.importing.checks import Test, add_checks
from grader.authoring.importing.lesson_text import (
    INSTRUCTOR,
    Lesson,
    NotebookCell,
    SourceNotebook,
    plain_name,
)
from grader.errors import ReleaseError

_HIDDEN = re.compile(
    r"^[^\n]*BEGIN HIDDEN TESTS[^\n]*\n(.*?)^[^\n]*END HIDDEN TESTS[^\n]*\n?", re.S | re.M
)
_SCHEME = re.compile(r"^[^\n]*BEGIN MARK SCHEME.*?END MARK SCHEME[^\n]*\n?", re.S | re.M)
_REGION = re.compile(r"^[^\n]*BEGIN SOLUTION[^\n]*\n(.*?)^[^\n]*END SOLUTION[^\n]*\n?", re.S | re.M)


def read_nbgrader(notebook: SourceNotebook) -> Lesson:
    """Make a lesson of a source notebook.

    Raises:
        ReleaseError: no cell of it is nbgrader's.
    """
    if not any(_marks(cell) for cell in notebook.cells):
        raise ReleaseError(
            "this is no source notebook of nbgrader",
            where=str(notebook.path),
            hint="its cells have nbgrader's metadata: use the one in `source/`",
        )
    lesson = Lesson()
    imported = imports_of(cell.source for cell in notebook.cells if cell.kind == "code")
    for cell in notebook.cells:
        if cell.source.strip():
            _add(cell, lesson, imported)
    return lesson


def _marks(cell: NotebookCell) -> Mapping[str, Any]:
    found = cell.metadata.get("nbgrader")
    return found if isinstance(found, dict) else {}


def _add(cell: NotebookCell, lesson: Lesson, imported: Mapping[str, str]) -> None:
    marks = _marks(cell)
    name = plain_name(str(marks.get("grade_id", "")), f"cell_{cell.number}")
    answers, graded = bool(marks.get("solution")), bool(marks.get("grade"))
    points = marks.get("points")
    if answers and graded and cell.kind == "markdown" and _is_worth(points):
        lesson.add_written(cell.source, name, points)
    elif marks.get("task") or (answers and graded) or cell.kind != "code":
        _by_hand(cell, name, lesson, graded=graded or bool(marks.get("task")))
    elif answers:
        _answer(cell, name, lesson)
    elif graded:
        _tests(cell, name, points, lesson, imported)
    else:
        lesson.add("", cell.source)


def _by_hand(cell: NotebookCell, name: str, lesson: Lesson, *, graded: bool) -> None:
    """Prose, and what a person grades."""
    told = [f"`{name}` is graded by a person: its points are not carried over"] if graded else []
    if cell.kind == "code":
        if _REGION.search(cell.source):
            lesson.add(lesson.answer(cell.source, f"{name}_answer"), cell.source, told)
        else:
            lesson.add("", cell.source, told)
        return
    if cell.kind == "raw":
        lesson.add_prose(cell.source, ["a raw cell: nothing reads it here"], INSTRUCTOR)
        return
    source = _SCHEME.sub("", cell.source)
    if _marks(cell).get("solution"):
        lesson.add_prose(cell.source, [*told, "this was the answer, or its place"], INSTRUCTOR)
        source = "YOUR ANSWER HERE"
        told = []
    lesson.add_prose(source, told)
    if source != cell.source and not _marks(cell).get("solution"):
        lesson.add_prose(cell.source, ["with the mark scheme"], INSTRUCTOR)


def _answer(cell: NotebookCell, name: str, lesson: Lesson) -> None:
    if _REGION.search(cell.source):
        lesson.add(lesson.answer(cell.source, f"{name}_answer"), cell.source)
    else:
        told = "no line of this answer is between BEGIN SOLUTION and END SOLUTION: students get it"
        lesson.add("", cell.source, [told])


def _tests(
    cell: NotebookCell, name: str, points: Any, lesson: Lesson, imported: Mapping[str, str]
) -> None:
    """A cell of tests: what students see of it, and what they don't, share its points."""
    hidden = "\n".join(found[1] for found in _HIDDEN.finditer(cell.source))
    public = _HIDDEN.sub("", cell.source)
    tests = []
    if _asks(public):
        tests.append(Test(source=public))
    if hidden.strip():
        tests.append(Test(source="\n".join([*_preparing(public), hidden]), hidden=True))
    if not tests:
        lesson.add("", cell.source, [f"`{name}` tests nothing"])
        return
    worth = points if _is_worth(points) else 1
    if worth != points:
        tests[0].notes.append("it was worth nothing: now it is worth 1 point")
    while name in lesson.questions:
        name = f"{name}_2"
    lesson.questions[name] = {"points": worth}
    add_checks(lesson, name, tests, imported)


def _is_worth(points: Any) -> TypeGuard[float]:
    return isinstance(points, (int, float)) and points > 0


def _asks(source: str) -> bool:
    """Whether a text does more than to say what it is for."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return True
    return any(
        not isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign, ast.Pass))
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in body
    )


def _preparing(source: str) -> list[str]:
    """The statements that give names to what later ones ask about."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return []
    kinds = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    return [ast.unparse(node) for node in body if isinstance(node, kinds)]

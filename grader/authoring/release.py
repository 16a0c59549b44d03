"""From lessons to notebooks: what students get, and the solved twin that the gate grades.

The solved notebook is the lesson with the reference's text in its solution cells. The student's is
what nbgrader would make of that: the same cells with their solutions cleared. Both carry nbgrader's
cell metadata with stable ids, so that nbgrader can collect and grade them.
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.authoring.agreement import match_answers, match_questions
from grader.authoring.answers import (
    BEGIN,
    END,
    PROSE_STUB,
    STUB,
    clear_solution,
    leave_out,
    mark_solution,
    reference_source,
)
from grader.authoring.colab import badge, fetching
from grader.authoring.handout import CHECKS, public_checks, setup_cell
from grader.authoring.lessons import (
    Lesson,
    LessonCell,
    lesson_path,
    lesson_paths,
    practice_lessons,
    read_lesson,
)
from grader.config.course import Course
from grader.config.data import data_files
from grader.errors import ReleaseError
from grader.model import Cell, Question, Suite
from grader.store.output import write_atomically

Notebook = dict[str, Any]

COMMAND = "grader release"


def release(
    course: Course,
    suites: Iterable[Suite],
    *,
    check: bool = False,
    assignments: Collection[str] = (),
) -> tuple[Path, ...]:
    """Write the notebook of every lesson, or check that those on disk are what would be written.

    Data is copied beside them, unless that is where it lies.

    Args:
        course: where lessons, reference and notebooks are.
        suites: for the titles and points of the questions; one for every lesson.
        check: write nothing.
        assignments: ids; all that have a lesson when empty.

    Returns:
        The paths of the notebooks, and of public checks that stand in their lessons.

    Raises:
        ReleaseError: a lesson can't be turned into a notebook, or, when checking, a notebook is
            missing, differs, or belongs to no lesson.
    """
    folder = course.notebooks
    if folder is None:
        raise ReleaseError("nowhere to write to", hint="set `notebooks` in [tool.grader]")
    contents: dict[Path, bytes] = {}
    data: dict[Path, Path] = {}
    for lesson, notebook in build_notebooks(course, suites, assignments=assignments):
        contents[folder / lesson.notebook_name] = notebook_bytes(notebook)
        for name, content in public_checks(course, lesson.assignment).items():
            contents[folder / name] = content
        data |= {folder / name: path for name, path in data_beside(course, lesson.assignment)}
    copies = {path: source for path, source in data.items() if path != source}
    if check:
        _compare(contents, copies, folder, whole=not assignments)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in contents.items():
            write_atomically(path, content, mode=None)
        for path, source in copies.items():
            if not _same(path, source):
                write_atomically(path, source.read_bytes(), mode=None)
    return tuple(contents)


def data_beside(course: Course, assignment: str) -> Iterator[tuple[str, Path]]:
    """What lies beside an assignment's notebook: paths there, and the files of the course.

    Raises:
        ConfigError: there is a link or a device among it.
    """
    for place in course.data_of(assignment):
        yield from data_files(place)


def build_notebooks(
    course: Course,
    suites: Iterable[Suite],
    *,
    solved: bool = False,
    assignments: Collection[str] = (),
    practice: bool = True,
) -> Iterator[tuple[Lesson, Notebook]]:
    """Make the notebook of every lesson, in the course's order; those for practice come last.

    Args:
        course: where lessons and reference are.
        suites: for titles and points; one for every lesson.
        solved: keep the solutions.
        assignments: ids; all that have a lesson when empty.
        practice: whether those that belong to no assignment are made as well, when it is all.

    Raises:
        ReleaseError: there is no lesson, one has no checks, or can't be turned into a notebook.
    """
    by_assignment = {suite.assignment.id: suite for suite in suites}
    lessons = lesson_paths(course)
    if not lessons:
        raise ReleaseError(
            "this course has no lessons",
            where=str(course.lessons or course.root / "pyproject.toml"),
            hint="lessons are files NN_ASSIGNMENT.py in the folder that `lessons` names",
        )
    for assignment in assignments or lessons:
        path = lesson_path(course, assignment)
        if assignment not in by_assignment:
            raise ReleaseError(f"`{assignment}` has a lesson but no checks", where=str(path))
        suite = by_assignment[assignment]
        yield read_lesson(path), build_notebook(path, course, suite, solved=solved)
    for path in practice_lessons(course) if practice and not assignments else ():
        yield read_lesson(path), build_notebook(path, course, None, solved=solved)


def build_notebook(
    path: Path,
    course: Course,
    suite: Suite | None,
    *,
    solved: bool = False,
    answers: Mapping[str, str] | None = None,
) -> Notebook:
    """Make a notebook (nbformat 4.5) of a lesson. The same input gives the same notebook.

    Args:
        path: the lesson.
        course: where the reference is.
        suite: for titles and points; without one, the questions' cells are left out.
        solved: keep the solutions.
        answers: texts that take the place of the reference's, by name.

    Raises:
        ReleaseError: with `file:line` of the cell that is to blame.
    """
    lesson = read_lesson(path)
    if suite is not None:
        match_questions(lesson, suite)
    _reject_repeated_ids(lesson)
    of_it = (one for one in course.assignments if one.id == lesson.assignment)
    manual = {question.id: question for one in of_it for question in one.manual}
    match_answers(lesson, manual)
    sources = solution_sources(course, lesson) | dict(answers or {})
    cells: list[dict[str, Any]] = []
    anchor, distance = "start", 0
    for cell in _with_setup(lesson, course, solved=solved):
        if cell.question is not None and suite is None:
            continue
        name = _name(cell, lesson)
        anchor, distance = (name, 0) if name else (anchor, distance + 1)
        made: dict[str, Any] = {
            "cell_type": cell.kind,
            "id": _cell_id(name or f"{anchor}-{distance}"),
            "metadata": {"tags": list(cell.tags)} if cell.tags else {},
            "source": cell.source,
        }
        if cell.solution is not None:
            source = _marked(sources[cell.solution], cell, lesson)
            made["source"] = source if solved else clear_solution(source)
            made["metadata"]["nbgrader"] = _nbgrader(name or "", solution=True)
        elif cell.question is not None and suite is not None:
            question = _question(suite, cell.question)
            public = any(check.public for check in suite.checks if check.question == question.id)
            made["source"] = _grade_cell(question, public)
            made["metadata"]["nbgrader"] = _nbgrader(question.id, points=question.towards_maximum)
        elif cell.answer is not None:
            source, stub = _model_answer(cell, lesson)
            made["source"] = source if solved else clear_solution(source, stub)
            points = manual[cell.answer].towards_maximum
            made["metadata"]["nbgrader"] = _nbgrader(cell.answer, solution=True, points=points)
        if cell.kind == "code":
            made |= {"execution_count": None, "outputs": []}
        cells.append(made)
    return {
        "cells": cells,
        "metadata": {
            "grader": {"assignment": lesson.assignment, "course": course.id},
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def notebook_bytes(notebook: Notebook) -> bytes:
    """Write a notebook as a file's bytes: sorted keys, a line of source to a line of JSON."""
    cells = [{**cell, "source": cell["source"].splitlines(True)} for cell in notebook["cells"]]
    text = json.dumps({**notebook, "cells": cells}, indent=1, sort_keys=True, ensure_ascii=False)
    return (text + "\n").encode()


def code_cells(notebook: Notebook) -> tuple[Cell, ...]:
    """Return a notebook's code cells, numbered as a submission's are."""
    sources = (cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code")
    return tuple(Cell(number=number, source=source) for number, source in enumerate(sources, 1))


def solved_cells(
    course: Course, assignment: str, answers: Mapping[str, str] | None = None
) -> tuple[Cell, ...]:
    """Return the code cells of the solved notebook, without those of the questions."""
    path = lesson_path(course, assignment)
    return code_cells(build_notebook(path, course, None, solved=True, answers=answers))


def template_cells(course: Course, assignment: str) -> tuple[Cell, ...]:
    """Return the code cells that a student starts from, without those of the questions."""
    return code_cells(build_notebook(lesson_path(course, assignment), course, None))


def solution_sources(course: Course, lesson: Lesson) -> dict[str, str]:
    """Return the text of each solution cell by name, from the reference or the lesson itself.

    Raises:
        ReleaseError: the reference has no such name.
    """
    sources: dict[str, str] = {}
    for cell in lesson.cells:
        if cell.solution is None:
            continue
        if cell.source.strip():
            sources[cell.solution] = cell.source
            continue
        try:
            whole = reference_source(course, cell.solution)
            sources[cell.solution] = leave_out(whole, cell.without)
        except ReleaseError as error:
            where = f"{lesson.where(cell)} (reference: {error.where})"
            raise ReleaseError(error.message, where=where, hint=error.hint) from None
    return sources


# ---------------------------------------------------------------- cells


def _with_setup(lesson: Lesson, course: Course, *, solved: bool) -> Iterator[LessonCell]:
    """A lesson's cells, and before the first code cell those that the lesson does without."""
    missing = list(setup_cell(course, lesson.path, lesson.cells))
    if not solved:  # what instructors get is at home
        missing = [*fetching(course), *missing]
        yield from badge(course, lesson)
    for cell in lesson.cells:
        if cell.kind == "code":
            yield from missing
            missing = []
        yield cell


def _name(cell: LessonCell, lesson: Lesson) -> str | None:
    """What a cell is called in a notebook: an answer is told from the question of its name."""
    if cell.solution is None:
        return cell.question or cell.answer
    questions = {other.question for other in lesson.cells}
    return f"{cell.solution}_answer" if cell.solution in questions else cell.solution


def answer_id(lesson: Lesson, answer: str) -> str:
    """The id of an answer's cell in the lesson's notebook."""
    cell = next(cell for cell in lesson.cells if cell.solution == answer)
    return _cell_id(_name(cell, lesson) or answer)


def _cell_id(name: str) -> str:
    """A name as nbformat wants ids: ASCII, at most 64 characters; two names have two ids."""
    if len(name) <= 64 and name.isascii():
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return re.sub(r"[^a-zA-Z0-9_-]", "", name)[:40] + f"-{digest}"


def _marked(source: str, cell: LessonCell, lesson: Lesson) -> str:
    """The solved text with its markers, tried for clearing here, where the cell is known."""
    try:
        is_marked = "BEGIN SOLUTION" in source or "END SOLUTION" in source
        marked = source if is_marked else mark_solution(source, cell.given)
        clear_solution(marked)
    except ReleaseError as error:
        message = f"solution `{cell.solution}`: {error.message}"
        raise ReleaseError(message, where=lesson.where(cell), hint=error.hint) from None
    return marked


def _model_answer(cell: LessonCell, lesson: Lesson) -> tuple[str, Sequence[str]]:
    """A written answer with its markers, all of it if it has none; and what students get."""
    stub = STUB if cell.kind == "code" else PROSE_STUB
    is_marked = "BEGIN SOLUTION" in cell.source or "END SOLUTION" in cell.source
    source = cell.source if is_marked else "\n".join([BEGIN, cell.source, END])
    try:
        clear_solution(source, stub)
    except ReleaseError as error:
        raise ReleaseError(error.message, where=lesson.where(cell), hint=error.hint) from None
    return source, stub


def _grade_cell(question: Question, public: bool) -> str:
    if public:
        return f'check("{question.id}")'
    points = f"{question.points:g} point{'' if question.points == 1 else 's'}"
    title = " ".join(question.title.split())
    return f"# {title} ({points}): graded after you hand in."


def _nbgrader(
    grade_id: str, *, solution: bool = False, points: float | None = None
) -> dict[str, Any]:
    """What nbgrader reads: an answer, a test, or, with points, an answer that a person marks."""
    metadata: dict[str, Any] = {
        "grade": points is not None,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    if points is not None:
        metadata["points"] = int(points) if points == int(points) else points
    return metadata


# ---------------------------------------------------------------- errors


def _question(suite: Suite, name: str) -> Question:
    return next(question for question in suite.assignment.questions if question.id == name)


def _reject_repeated_ids(lesson: Lesson) -> None:
    first: dict[str, LessonCell] = {}
    for cell in lesson.cells:
        name = _name(cell, lesson)
        if name is None:
            continue
        if name in first:
            raise ReleaseError(
                f"two cells are called `{cell.solution or name}`",
                where=lesson.where(cell),
                hint=f"the first is in line {first[name].line}; ids are unique in a notebook",
            )
        first[name] = cell


def _compare(
    contents: Mapping[Path, bytes], copies: Mapping[Path, Path], folder: Path, *, whole: bool
) -> None:
    """Demand that what is on disk is what would be written, and, if it is all, nothing else."""
    differ = [
        path
        for path, content in contents.items()
        if not path.is_file() or path.read_bytes() != content
    ]
    differ += [path for path, source in copies.items() if not _same(path, source)]
    wrong = [f"{path} ({'differs' if path.is_file() else 'is missing'})" for path in differ]
    if whole:
        wrong += [
            f"{path} (no lesson gives it)"
            for path in sorted([*folder.glob("*.ipynb"), *folder.glob(f"{CHECKS}/test_*.py")])
            if path not in contents
        ]
    if wrong:
        raise ReleaseError(
            "notebooks or data are not what their lessons give",
            where=", ".join(wrong),
            hint=f"run `{COMMAND}` and commit the result; notebooks are never edited by hand",
        )


def _same(path: Path, source: Path) -> bool:
    return path.is_file() and filecmp.cmp(path, source, shallow=False)

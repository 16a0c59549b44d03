"""Lessons: the files in percent format that notebooks are made from, or notebooks marked alike.

    # %% [markdown]
    # ## Scale                                    prose

    # %%
    plots.show(...)                               a cell that students get as it is

    # %% solution                                  an answer; it may have a name: solution="sizes"
    def sizes(...): ...                           students get its stub: bodies are left out, or
    ### BEGIN SOLUTION ... ### END SOLUTION       what stands between nbgrader's markers

    # %% solution="TokenEmbedding"                an answer: its text is the reference's
    # %% solution="Block" given=["__init__"]      the same, with a body that students get
    # %% solution="Model" without=["generate"]    the same, but for a method: it comes later

    # %% question="shapes"                        where a question is graded: its text is made
    # %% [markdown] answer="why"                  an answer that a person marks
    # %% tags=["instructor"]                      a note that stays in the lesson

A lesson belongs to the assignment that its file is called after: `01_embeddings.py`. What else may
stand in one that carries all of an assignment is in `grader/lesson/one_file.py`; there a question
is graded where its first check stands, if no cell says otherwise.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from grader.config.course import Course
from grader.errors import ReleaseError
from grader.lesson.cells import SourceCell, read_source
from grader.lesson.header import KIND
from grader.lesson.one_file import APART, assignment_of, lesson_files, word
from grader.lesson.values import require_known_word
from grader.model import Value

INSTRUCTOR = "instructor"
KEYS = {"solution", "given", "without", "question", "answer", "tags"}


class LessonCell(Value, frozen=True):
    """One cell of a lesson. At most one of `solution`, `question` and `answer` is set."""

    kind: str
    source: str
    line: int
    solution: str | None = None
    given: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    question: str | None = None
    tags: tuple[str, ...] = ()
    file: str = ""
    answer: str | None = None


class Lesson(Value, frozen=True):
    """A lesson without what is for instructors alone."""

    assignment: str
    path: Path
    cells: tuple[LessonCell, ...]

    def where(self, cell: LessonCell) -> str:
        """`file:line` of a cell's marker."""
        return f"{cell.file or self.path}:{cell.line}"

    @property
    def notebook_name(self) -> str:
        """The file name of its notebook."""
        return f"{self.path.stem}.ipynb"


def lesson_paths(course: Course) -> dict[str, Path]:
    """Return the lesson of each assignment that has one, in the course's order.

    Raises:
        ReleaseError: a lesson is called after no assignment, or two after the same one.
    """
    if course.lessons is None:
        return {}
    known = [assignment.id for assignment in course.assignments]
    found: dict[str, Path] = {}
    for path in lesson_files(course.lessons):
        name = assignment_of(path)
        if name not in known:
            raise ReleaseError(
                f"no assignment is called `{name}`",
                where=str(path),
                hint=f"lessons are called NN_ASSIGNMENT.py; assignments: {', '.join(known)}",
            )
        if name in found:
            raise ReleaseError(f"two lessons for `{name}`", where=f"{found[name]}, {path}")
        found[name] = path
    return {name: found[name] for name in known if name in found}


def practice_lessons(course: Course) -> list[Path]:
    """Return the lessons that belong to no assignment: their notebooks are never graded.

    Raises:
        ReleaseError: one is called after an assignment.
    """
    found = [] if course.practice is None else lesson_files(course.practice)
    graded = {assignment.id for assignment in course.assignments}
    for path in found:
        if assignment_of(path) in graded:
            raise ReleaseError(
                f"a lesson for practice is called after the assignment `{assignment_of(path)}`",
                where=str(path),
                hint="move it into the folder that `lessons` names, or call it otherwise",
            )
    return found


def lesson_path(course: Course, assignment: str) -> Path:
    """Return the lesson of an assignment.

    Raises:
        ReleaseError: it has none.
    """
    paths = lesson_paths(course)
    if assignment not in paths:
        raise ReleaseError(
            f"`{assignment}` has no lesson",
            where=str(course.lessons or course.root),
            hint=f"write one: NN_{assignment}.py in the folder that `lessons` names",
        )
    return paths[assignment]


def read_lesson(path: Path) -> Lesson:
    """Read a lesson's cells; those for instructors alone, checks and mutants are left out.

    Raises:
        ReleaseError: a cell's marker is not one of those above.
    """
    _require_tokens(path)
    cells = read_source(path)
    asked = {cell.marker.values.get("question") for cell in cells if word(cell) == ""}
    kept = tuple(_read_cells(cells, asked))
    return Lesson(assignment=assignment_of(path), path=path, cells=kept)


def _require_tokens(path: Path) -> None:
    """Demand that strings and brackets of a script end: else a marker may stand in one."""
    if path.suffix != ".py":
        return
    try:
        with tokenize.open(path) as file:
            for _ in tokenize.generate_tokens(io.StringIO(file.read()).readline):
                pass
    except (tokenize.TokenError, SyntaxError) as error:
        place: tuple[Any, ...] = error.args[1]
        line = place[0] if isinstance(place[0], int) else place[1]
        raise ReleaseError(
            f"the lesson is not valid Python: {error.args[0]}", where=f"{path}:{line}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"can't read the lesson: {error}", where=str(path)) from None


def _read_cells(cells: Sequence[SourceCell], asked: set[Any]) -> Iterator[LessonCell]:
    """The cells of the notebook; a question's first check stands for it, unless one asks it."""
    for cell in cells:
        if cell.marker.kind == KIND or word(cell) in APART:
            continue
        if word(cell) != "check":
            read = read_cell(cell)
            if INSTRUCTOR not in read.tags:
                yield read
            continue
        question = cell.marker.values.get("question")
        if question and question not in asked:
            asked = asked | {question}
            yield LessonCell("code", "", cell.line, question=question, file=cell.file)


def read_cell(cell: SourceCell) -> LessonCell:
    """Read a cell that goes into the notebook.

    Raises:
        ReleaseError: its marker is none of those above.
    """
    where, marks = cell.where, cell.marker.values
    if unknown := sorted(set(marks) - KEYS):
        raise ReleaseError(
            f"a cell is marked with `{unknown[0]}`",
            where=where,
            hint=f"markers are {', '.join(sorted(KEYS))}",
        )
    if cell.marker.kind not in ("code", "markdown"):
        raise ReleaseError(f"a {cell.marker.kind} cell", where=where, hint="use code or [markdown]")
    solution, question = _solution(cell), marks.get("question")
    answer = marks.get("answer")
    for key, value in (("solution", solution), ("question", question), ("answer", answer)):
        if value is not None and not (isinstance(value, str) and value.isidentifier()):
            raise ReleaseError(f"{key}={value!r} is not a name", where=where)
        if value is not None and cell.marker.kind != "code" and key != "answer":
            raise ReleaseError(f"a markdown cell can't be a {key}", where=where)
    if sum(one is not None for one in (solution, question, answer)) > 1:
        raise ReleaseError(
            "a cell is a solution, a question or a written answer, not several",
            where=where,
        )
    for key in ("given", "without"):
        if key in marks and solution is None:
            raise ReleaseError(f"`{key}`, but no `solution`", where=where)
    if question is not None and cell.source.strip():
        raise ReleaseError(
            f"the cell of question `{question}` has text of its own",
            where=where,
            hint="begin the next cell with its own `# %%`",
        )
    return LessonCell(
        kind=cell.marker.kind,
        source=cell.source,
        line=cell.line,
        solution=solution,
        given=_names(marks.get("given", ()), "given", where),
        without=_names(marks.get("without", ()), "without", where),
        question=question,
        tags=_names(marks.get("tags", ()), "tags", where),
        file=cell.file,
        answer=answer,
    )


def _solution(cell: SourceCell) -> Any:
    """What an answer is called: as its marker says, or as the first name that it defines."""
    words = cell.marker.words
    if not words:
        return cell.marker.values.get("solution")
    require_known_word(cell)
    if len(words) > 2:
        raise ReleaseError(
            f"a cell is marked with `{words[2]}`", where=cell.where, hint="# %% solution NAME"
        )
    if len(words) == 2:
        return words[1]
    try:
        body = ast.parse(cell.source).body
    except SyntaxError as error:
        raise ReleaseError(
            f"the solution is not valid Python: {error.msg}",
            where=f"{cell.file}:{cell.first + (error.lineno or 1) - 1}",
        ) from None
    name = next(filter(None, map(_defined, body)), None)
    if name is None:
        raise ReleaseError(
            "this solution defines no name",
            where=cell.where,
            hint="write a function, a class or `NAME = …`; or name it: # %% solution NAME",
        )
    return name


def _defined(node: ast.stmt) -> str | None:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return node.name
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return next((target.id for target in targets if isinstance(target, ast.Name)), None)


def _names(value: Any, key: str, where: str) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise ReleaseError(f'{key}={value!r} is not a list like ["{key}"]', where=where)
    return tuple(names)

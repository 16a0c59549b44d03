"""Lessons: the percent-format files that notebooks are made from.

    # %% [markdown]
    # ## Scale                                    prose

    # %%
    plots.show(...)                               a cell that students get as it is

    # %% solution="TokenEmbedding"                an answer: its text is the reference's
    # %% solution="Block" given=["__init__"]      the same, with a body that students get
    # %% solution="Model" without=["generate"]    the same, but for a method: it comes later
    # %% solution="sizes"                         an answer that is written here,
    ### BEGIN SOLUTION ... ### END SOLUTION       between nbgrader's markers

    # %% question="shapes"                        where a question is graded: its text is made
    # %% tags=["instructor"]                      a note that stays in the lesson

A lesson belongs to the assignment that its file is called after: `01_embeddings.py`.
"""

from __future__ import annotations

import importlib
import io
import re
import tokenize
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.config.course import Course
from grader.errors import ReleaseError
from grader.model import Value

INSTRUCTOR = "instructor"
KEYS = {"solution", "given", "without", "question", "tags"}


class LessonCell(Value, frozen=True):
    """One cell of a lesson. At most one of `solution` and `question` is set."""

    kind: str
    source: str
    line: int
    solution: str | None = None
    given: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    question: str | None = None
    tags: tuple[str, ...] = ()


class Lesson(Value, frozen=True):
    """A lesson without what is for instructors alone."""

    assignment: str
    path: Path
    cells: tuple[LessonCell, ...]

    def where(self, cell: LessonCell) -> str:
        """`file:line` of a cell's marker."""
        return f"{self.path}:{cell.line}"

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
    for path in sorted(course.lessons.glob("*.py")):
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


def assignment_of(path: Path) -> str:
    """`01_embeddings.py` is the lesson of `embeddings`."""
    return re.sub(r"^\d+[_-]", "", path.stem)


def read_lesson(path: Path) -> Lesson:
    """Read a lesson's cells; those for instructors alone are left out.

    Raises:
        ReleaseError: a cell's marker is not one of those above.
    """
    lesson_tool("nbformat")  # jupytext makes its cells with it, late in some versions
    jupytext = lesson_tool("jupytext")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"can't read the lesson: {error}", where=str(path)) from None
    cells = jupytext.reads(text, fmt="py:percent").cells
    lines = _marker_lines(text, path)
    if len(cells) > len(lines):  # text above the first marker is a cell too
        lines.insert(0, 1)
    read = [
        _read_cell(cell, f"{path}:{line}", line) for cell, line in zip(cells, lines, strict=True)
    ]
    kept = tuple(cell for cell in read if INSTRUCTOR not in cell.tags)
    return Lesson(assignment=assignment_of(path), path=path, cells=kept)


def lesson_tool(name: str) -> Any:
    """Import one of the packages that only lessons need.

    Raises:
        ReleaseError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or name).partition(".")[0]
        raise ReleaseError(
            f"lessons need {missing}, which is not installed",
            hint="python -m pip install jupytext nbformat",
        ) from None


def _marker_lines(text: str, path: Path) -> list[int]:
    """The lines of the cells' markers: comments, not text in strings that looks like one."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    try:
        comments = [token for token in tokens if token.type == tokenize.COMMENT]
    except (tokenize.TokenError, SyntaxError) as error:
        raise ReleaseError(
            f"the lesson is not valid Python: {error.args[0]}", where=str(path)
        ) from None
    return [c.start[0] for c in comments if c.start[1] == 0 and c.string.startswith("# %%")]


def _read_cell(cell: Any, where: str, line: int) -> LessonCell:
    marks: Mapping[str, Any] = {k: v for k, v in cell.metadata.items() if k != "lines_to_next_cell"}
    if unknown := sorted(set(marks) - KEYS):
        raise ReleaseError(
            f"a cell is marked with `{unknown[0]}`",
            where=where,
            hint=f"markers are {', '.join(sorted(KEYS))}",
        )
    if cell.cell_type not in ("code", "markdown"):
        raise ReleaseError(f"a {cell.cell_type} cell", where=where, hint="use code or [markdown]")
    solution, question = marks.get("solution"), marks.get("question")
    for key, value in (("solution", solution), ("question", question)):
        if value is not None and not (isinstance(value, str) and value.isidentifier()):
            raise ReleaseError(f"{key}={value!r} is not a name", where=where)
        if value is not None and cell.cell_type != "code":
            raise ReleaseError(f"a markdown cell can't be a {key}", where=where)
    if solution is not None and question is not None:
        raise ReleaseError("a cell is a solution or a question, not both", where=where)
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
        kind=cell.cell_type,
        source=cell.source,
        line=line,
        solution=solution,
        given=_names(marks.get("given", ()), "given", where),
        without=_names(marks.get("without", ()), "without", where),
        question=question,
        tags=_names(marks.get("tags", ()), "tags", where),
    )


def _names(value: Any, key: str, where: str) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise ReleaseError(f'{key}={value!r} is not a list like ["{key}"]', where=where)
    return tuple(names)

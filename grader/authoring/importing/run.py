"""From a source notebook to a lesson in one file, in the course at hand."""

from __future__ import annotations

import re
from pathlib import Path

from grader.authoring.importing.lesson_text import Note, plain_name, read_notebook
from grader.authoring.importing.nbgrader import read_nbgrader
from grader.authoring.importing.otter import read_otter
from grader.authoring.new_course import next_lesson
from grader.config.course import Course
from grader.errors import UsageError
from grader.store.output import write_atomically

READERS = {"otter": read_otter, "nbgrader": read_nbgrader}


def import_from(
    kind: str, notebook: Path, course: Course | None, output: Path | None
) -> tuple[Path, tuple[Note, ...]]:
    """Write the lesson that a source notebook makes.

    Args:
        kind: whose notebook it is: one of `READERS`.
        notebook: the file.
        course: to which the lesson is added, if `output` does not say where it goes.
        output: the lesson's file.

    Returns:
        The lesson, and what a person has to look at.

    Raises:
        UsageError: a lesson is there already. ReleaseError: the notebook can't be used.
        GraderError: the file can't be written.
    """
    source = read_notebook(notebook)
    lesson = READERS[kind](source)
    path = output or _next_lesson(course, notebook)
    if path.exists():
        raise UsageError("this lesson is there already", where=str(path), hint="use --output FILE")
    text, notes = lesson.text()
    write_atomically(path, text.rstrip("\n") + "\n", durable=False, mode=None)
    return path, notes


def _next_lesson(course: Course | None, notebook: Path) -> Path:
    name = plain_name(re.sub(r"^\d+[_-]", "", notebook.stem), "assignment")
    if course is None:
        return Path(f"{name}.py")
    return next_lesson(course, name)[0]

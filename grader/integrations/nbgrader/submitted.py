"""Which submissions an `nbgrader autograde` is about to process, read off the disk beforehand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from grader.model import Value


class HandIn(Value, frozen=True):
    """One student's folder for one assignment, and the notebook in it that we grade."""

    student: str
    assignment: str
    folder: Path

    @property
    def notebook(self) -> Path:
        """Where the notebook lies, if it does."""
        return self.folder / f"{self.assignment}.ipynb"

    def __str__(self) -> str:
        return f"{self.student}/{self.assignment}"


def list_hand_ins(converter: Any) -> list[HandIn]:
    """Return every folder that the converter has found a notebook in, in its order."""
    return [*_placed(converter, sorted(converter.assignments))]


def without_notebook(converter: Any) -> list[HandIn]:
    """Return the folders that were handed in without the assignment's notebook."""
    coursedir = converter.coursedir
    asked = coursedir.format_path(
        coursedir.submitted_directory, coursedir.student_id, coursedir.assignment_id
    )
    root = Path(coursedir.root)
    folders = sorted(root.glob(str(Path(asked).relative_to(root))))
    found = _placed(converter, [str(folder) for folder in folders if folder.is_dir()])
    return [handed for handed in found if not handed.notebook.exists()]


def pending(converter: Any) -> list[HandIn]:
    """Return what will be processed, by the rules that nbgrader itself applies in its turn."""
    coursedir = converter.coursedir
    excluded = coursedir.student_id_exclude.split(",") if coursedir.student_id_exclude else []
    return [
        handed
        for handed in list_hand_ins(converter)
        if handed.student not in excluded and _is_due(converter, handed)
    ]


def _placed(converter: Any, folders: Iterable[str]) -> Iterator[HandIn]:
    coursedir = converter.coursedir
    pattern = coursedir.format_path(
        coursedir.submitted_directory,
        "(?P<student_id>.*)",
        "(?P<assignment_id>.*)",
        escape=True,
    )
    for folder in folders:
        match = re.match(pattern, folder)
        if match is not None:
            names = match.groupdict()
            yield HandIn(names["student_id"], names["assignment_id"], Path(folder))


def _is_due(converter: Any, handed: HandIn) -> bool:
    coursedir = converter.coursedir
    done = Path(
        coursedir.format_path(coursedir.autograded_directory, handed.student, handed.assignment)
    )
    if coursedir.notebook_id == "*":
        fresh = not done.exists()
    else:
        notebooks = converter.assignments[str(handed.folder)]
        fresh = any(not (done / Path(notebook).name).exists() for notebook in notebooks)
    if fresh or converter.force:
        return True
    submitted = coursedir.get_existing_timestamp(str(handed.folder))
    graded = coursedir.get_existing_timestamp(str(done))
    return submitted is not None and graded is not None and submitted > graded

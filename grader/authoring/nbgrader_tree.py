"""The `source` folder of an nbgrader course: one solved notebook for each assignment.

    source/ASSIGNMENT/ASSIGNMENT.ipynb
    source/ASSIGNMENT/course/, grader/     what it imports, so that a release needs nothing else
    source/ASSIGNMENT/data/                what it reads: see `grader/config/data.py`

`nbgrader generate_assignment ASSIGNMENT` makes the student's notebook of it. The tree holds the
solutions: it belongs into a course root that only instructors can read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from grader.authoring.handout import public_checks
from grader.authoring.release import build_notebooks, data_beside, notebook_bytes
from grader.authoring.student_release import AT_THE_TOP, reject_copies, support_files
from grader.config.course import Course
from grader.errors import ReleaseError
from grader.model import Suite
from grader.store.output import write_atomically

WARNING = (
    "{folder} holds the SOLUTIONS: copy it into the private course root, never to students.\n"
    "nbgrader_config.py must call `configure`, see docs/jupyterhub.md: on its own, nbgrader's\n"
    "autograde gives full marks for these cells."
)


def write_tree(
    course: Course, suites: Iterable[Suite], folder: Path, assignments: Collection[str] = ()
) -> tuple[Path, ...]:
    """Write the source tree.

    Args:
        course: whose lessons.
        suites: for titles and points; one for every lesson.
        folder: nbgrader's course root; `source` is made in it.
        assignments: ids; all that have a lesson when empty.

    Returns:
        The notebooks' paths.

    Raises:
        ReleaseError: a lesson can't be turned into a notebook, or `folder` is public.
    """
    for public in (*course.public, *filter(None, (course.checks, course.notebooks))):
        if public.resolve() in (folder.resolve(), *folder.resolve().parents):
            raise ReleaseError(
                "solutions would go into a public folder",
                where=str(folder),
                hint=f"choose an output outside of {public}",
            )
    support = _support_files(course)
    paths = []
    notebooks = build_notebooks(
        course, suites, solved=True, assignments=assignments, practice=False
    )
    for lesson, notebook in notebooks:
        path = folder / "source" / lesson.assignment / f"{lesson.assignment}.ipynb"
        write_atomically(path, notebook_bytes(notebook), mode=None)
        paths.append(path)
        for name, content in (support | public_checks(course, lesson.assignment)).items():
            write_atomically(path.parent / name, content, mode=None)
        for name, source in data_beside(course, lesson.assignment):
            write_atomically(path.parent / name, source.read_bytes(), mode=None)
    return tuple(paths)


def _support_files(course: Course) -> dict[str, bytes]:
    """What the notebooks import; nothing where notebooks import nothing of the course."""
    if not course.public and not course.one_file:
        return {}
    found = support_files(course)
    reject_copies(course, found)
    return {name: content for name, content in found.items() if Path(name).name not in AT_THE_TOP}

"""Two assignments autograded at the same time, in real databases."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader_course import CONFIG, NbgraderCourse
from postgresql import empty_database
from toy import HIDDEN, LESSON, PUBLIC, write, write_course, write_gate

pytestmark = pytest.mark.e2e

FULL = {"small": 1.0, "any": 2.0, "state": 2.0}
NAMES = ("adding", "summing")
SECOND = """
[[tool.grader.assignments]]
id = "summing"
title = "Summing"
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where the gradebook is."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'course root/gradebook.db'}"
    else:
        with empty_database() as address:
            yield address


@pytest.fixture
def course(tmp_path: Path, url: str) -> NbgraderCourse:
    """A course of two assignments."""
    toy = write_gate(write_course(tmp_path / "toy course"))
    table = toy / "pyproject.toml"
    table.write_text(table.read_text() + SECOND)
    write(toy / "lessons/02_summing.py", LESSON)
    write(toy / "public/test_summing.py", PUBLIC)
    write(toy / "hidden/test_summing.py", HIDDEN)
    made = NbgraderCourse(tmp_path / "course root", toy)
    config = CONFIG.format(course=str(toy)) + f"c.CourseDirectory.db_url = {url!r}\n"
    write(made.root / "nbgrader_config.py", config)
    return made


def test_two_assignments_are_graded_at_the_same_time(course: NbgraderCourse, url: str) -> None:
    for name in NAMES:
        course.run("generate_assignment", name)
        for student in ("ann", "bob", "cleo"):
            course.hand_in(student, course.solved(name), name)
        course.hand_in("dan", b"no notebook", name)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "nbgrader", "autograde", name],
            cwd=course.root, env={**os.environ, "PATH": path}, stderr=subprocess.PIPE, text=True,
        )
        for name in NAMES
    ]  # fmt: skip
    logs = [process.communicate(timeout=300)[1] for process in running]
    assert [process.returncode for process in running] == [3, 3], logs
    assert "Traceback" not in "".join(logs)
    with course.gradebook(url) as gradebook:
        for name in NAMES:
            for student, points in [("ann", FULL), ("cleo", FULL), ("dan", dict.fromkeys(FULL))]:
                notebook = gradebook.find_submission_notebook(name, name, student)
                assert {grade.name: grade.auto_score for grade in notebook.grades} == points
    assert {row["score"] for row in course.exported() if row["student_id"] == "bob"} == {"5.0"}

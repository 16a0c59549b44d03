"""The gradebook in PostgreSQL, for real: two assignments autograded at the same time.

GRADER_TEST_POSTGRESQL names a database to use; without it a server is started for the test.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader_course import CONFIG, NbgraderCourse
from toy import HIDDEN, LESSON, PUBLIC, write, write_course, write_gate

pytestmark = pytest.mark.e2e

FULL = {"small": 1.0, "any": 2.0, "state": 2.0}
SECOND = """
[[tool.grader.assignments]]
id = "summing"
title = "Summing"
"""


def programs() -> Path | None:
    """Where PostgreSQL's server programs are."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def an_ordinary_user() -> list[str]:
    """PostgreSQL does not run as root: how to become somebody else."""
    if os.geteuid() != 0:
        return []
    with contextlib.suppress(KeyError):
        return ["setpriv", f"--reuid={pwd.getpwnam('postgres').pw_uid}", "--clear-groups"]
    return ["setpriv", "--reuid=12345", "--clear-groups"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An empty database."""
    pytest.importorskip("psycopg", reason="missing: psycopg, which `make e2e` installs")
    if given := os.environ.get("GRADER_TEST_POSTGRESQL"):
        yield given
        return
    where = programs()
    if where is None:
        pytest.skip("missing: PostgreSQL's server: apt-get install postgresql")
    become = an_ordinary_user()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a socket's path must be short
    folder.chmod(0o777)
    data = folder / "data"

    def run(*command: str) -> None:
        # what it starts must not hold on to a pipe of ours
        with (folder / "log").open("ab") as log:
            subprocess.run([*become, *command], cwd="/", stdout=log, stderr=log, check=True)

    run(str(where / "initdb"), "-D", str(data), "-U", "grader", "--auth=trust")
    run(str(where / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "server.log"),
        "-o", f"-k {folder} -c listen_addresses=''", "start")  # fmt: skip
    try:
        run(str(where / "createdb"), "-h", str(folder), "-U", "grader", "gradebook")
        yield f"postgresql+psycopg://grader@/gradebook?host={folder}"
    finally:
        run(str(where / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def course(tmp_path: Path, url: str) -> NbgraderCourse:
    """A course of two assignments, with its gradebook in PostgreSQL."""
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


@pytest.mark.xfail(
    strict=False,
    reason="not understood yet: once in several runs one of the two ends with status 1",
)
def test_two_assignments_are_graded_at_the_same_time(course: NbgraderCourse, url: str) -> None:
    names = ("adding", "summing")
    for name in names:
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
        for name in names
    ]  # fmt: skip
    logs = [process.communicate(timeout=300)[1] for process in running]
    assert [process.returncode for process in running] == [3, 3], logs
    with course.gradebook(url) as gradebook:
        for name in names:
            for student, points in [("ann", FULL), ("cleo", FULL), ("dan", dict.fromkeys(FULL))]:
                notebook = gradebook.find_submission_notebook(name, name, student)
                assert {grade.name: grade.auto_score for grade in notebook.grades} == points
    assert {row["score"] for row in course.exported() if row["student_id"] == "bob"} == {"5.0"}

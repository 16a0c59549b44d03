from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from toy import TABLE, write

from grader.config.course import Course, load_course
from grader.store.fingerprint import engine_digest, suite_digests, versions

SECOND = TABLE + '\n[[tool.grader.assignments]]\nid = "taking"\ntitle = "Taking"\n'


@pytest.fixture
def course(toy: Path) -> Course:
    """The small course with a second assignment, helpers and a public package."""
    table = SECOND.replace("reference =", 'public = ["given"]\nreference =')
    write(toy / "given/__init__.py", "x = 1")
    write(toy / "pyproject.toml", table)
    write(toy / "hidden/test_taking.py", "y = 1")
    write(toy / "hidden/sums_by_hand.py", "z = 1")
    write(toy / "hidden/conftest.py", "")
    return load_course(toy)


def digest(course: Course, assignment: str = "adding") -> str:
    return suite_digests(course, [assignment])[assignment]


def test_a_digest_is_the_same_as_long_as_nothing_changes(course: Course) -> None:
    assert digest(course) == digest(course)
    assert digest(course, "adding") != digest(course, "taking")


@pytest.mark.parametrize(
    "file",
    [
        "hidden/test_adding.py",
        "public/test_adding.py",
        "hidden/sums_by_hand.py",
        "hidden/conftest.py",
        "hidden/data/new.json",
        "reference/sums/__init__.py",
        "given/__init__.py",
    ],
)
def test_whatever_a_check_could_read_changes_the_digest(
    course: Course, toy: Path, file: str
) -> None:
    before = digest(course)
    path = toy / file
    write(path, (path.read_text() if path.exists() else "") + "\n# changed")
    assert digest(course) != before


def test_a_renamed_file_changes_the_digest(course: Course, toy: Path) -> None:
    before = digest(course)
    (toy / "hidden/sums_by_hand.py").rename(toy / "hidden/sums_by_heart.py")
    assert digest(course) != before


def test_what_workers_have_imported_changes_the_digest(course: Course) -> None:
    assert digest(msgspec.structs.replace(course, preload=("json",))) != digest(course)


def test_the_tests_of_another_assignment_do_not(course: Course, toy: Path) -> None:
    before = digest(course)
    write(toy / "hidden/test_taking.py", "y = 2")
    assert digest(course) == before


def test_nor_do_they_in_a_folder_of_its_own(course: Course, toy: Path) -> None:
    write(toy / "hidden/taking/test_1_little.py", "y = 1")
    before = digest(course), digest(course, "taking")
    write(toy / "hidden/taking/test_1_little.py", "y = 2")
    assert digest(course) == before[0]
    assert digest(course, "taking") != before[1]


def test_unless_somebody_uses_them(course: Course, toy: Path) -> None:
    write(toy / "hidden/sums_by_hand.py", "from test_taking import y")
    before = digest(course)
    write(toy / "hidden/test_taking.py", "y = 2")
    assert digest(course) != before


@pytest.mark.parametrize(
    "name", ["__pycache__/x.pyc", ".conftest.py.swp", "conftest.py~", ".git/x"]
)
def test_what_editors_and_python_leave_behind_does_not(
    course: Course, toy: Path, name: str
) -> None:
    before = digest(course)
    write(toy / "hidden" / name, "left")
    assert digest(course) == before


def test_versions_are_told_without_importing_anything() -> None:
    assert {"grader", "python", "torch", "numpy", "pytest"} <= set(versions())
    assert len(engine_digest()) == 64

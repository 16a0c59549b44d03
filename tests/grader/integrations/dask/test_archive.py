"""A course travels as one archive: the same course, the same bytes, and no more than is needed."""

from __future__ import annotations

import hashlib
import os
import zipfile
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from toy import write, write_course

from grader.config.course import Course, load_course
from grader.errors import GraderFault, UsageError
from grader.integrations.dask.archive import pack, unpack
from grader.store.fingerprint import suite_digests


def packed(course: Course) -> bytes:
    archive = pack(course)
    assert archive is not None
    return archive


def test_the_same_course_gives_the_same_bytes_wherever_and_whenever(tmp_path: Path) -> None:
    one, other = (load_course(write_course(tmp_path / name)) for name in ("one", "other"))
    for path in other.root.rglob("*.py"):
        os.utime(path, (0, 0))
    assert packed(one) == packed(other)


def test_what_is_unpacked_has_the_same_suites_and_is_nobody_elses(
    toy_course: Course, tmp_path: Path
) -> None:
    archive = packed(toy_course)
    folder = tmp_path / "there"
    folder.mkdir(mode=0o700)
    unpack(archive, hashlib.sha256(archive).hexdigest(), folder)
    there = load_course(folder)
    assert suite_digests(there, ["adding"]) == suite_digests(toy_course, ["adding"])


def test_students_and_what_grading_does_not_need_stay_at_home(toy: Path, tmp_path: Path) -> None:
    table = (toy / "pyproject.toml").read_text()
    table = table.replace("suites = ", 'extensions = "longer.csv"\nmutants = "mutants"\nsuites = ')
    (toy / "pyproject.toml").write_text(table)
    write(toy / "longer.csv", "student,assignment,until\nann,adding,2030-01-01\n")
    write(toy / "mutants/adding/wrong.toml", "bug = 'secret'")
    write(toy / "handed-in/ann/adding.py", "secret")
    archive = packed(load_course(toy))
    with zipfile.ZipFile(BytesIO(archive)) as opened:
        content = b"".join(opened.read(name) for name in opened.namelist())
        opened.extractall(tmp_path / "there")
    assert b"secret" not in content
    assert b"ann" not in content
    load_course(tmp_path / "there")


def test_what_arrives_damaged_is_not_unpacked(toy_course: Course, tmp_path: Path) -> None:
    archive = packed(toy_course)
    with pytest.raises(GraderFault, match="not arrived as it was sent"):
        unpack(archive[:-1] + b"!", hashlib.sha256(archive).hexdigest(), tmp_path)
    assert list(tmp_path.glob("*.toml")) == []


def test_a_course_that_is_too_large_has_no_archive(toy_course: Course) -> None:
    assert pack(toy_course, 1000) is None


def test_a_part_outside_of_the_course_can_not_be_sent(toy_course: Course, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere/helper.py", "")
    course = msgspec.structs.replace(toy_course, public=(tmp_path / "elsewhere",))
    with pytest.raises(UsageError, match="outside of its folder"):
        pack(course)

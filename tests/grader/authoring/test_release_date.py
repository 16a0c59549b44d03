"""The date of a release: set, or of the last commit, or of the newest file; never of today."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from grader.authoring.new_course import new_course
from grader.authoring.release_date import release_date
from grader.config.course import Course, load_course
from grader.errors import ReleaseError

OLD = 1_600_000_000


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course whose files are all of one date, and in no repository."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    for path in new_course(tmp_path / "texts", split=True):
        os.utime(path, (OLD, OLD))
    return load_course(tmp_path / "texts")


def commit(course: Course, date: int) -> None:
    git = ["git", "-C", str(course.root), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    when = {**os.environ, "GIT_COMMITTER_DATE": f"{date} +0000", "GIT_CONFIG_GLOBAL": os.devnull}
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "Begin"]):
        subprocess.run([*git, *command], check=True, env=when)


def test_without_git_it_is_that_of_the_newest_file(course: Course) -> None:
    assert release_date(course).timestamp() == OLD
    lesson = next(path for path in course.root.rglob("01_words.py"))
    os.utime(lesson, (OLD + 60, OLD + 60))
    assert release_date(course).timestamp() == OLD + 60


@pytest.mark.skipif(shutil.which("git") is None, reason="no Git here")
def test_with_git_it_is_that_of_the_last_commit(course: Course) -> None:
    commit(course, OLD + 1000)
    os.utime(course.root / "pyproject.toml")
    assert release_date(course).timestamp() == OLD + 1000


def test_what_is_set_counts(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert release_date(course) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "year"), [("1", 1980), ("9" * 30, 2107), ("9999999999", 2107)])
def test_it_is_one_that_a_zip_can_say(
    course: Course, monkeypatch: pytest.MonkeyPatch, seconds: str, year: int
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", seconds)
    assert release_date(course).year == year


@pytest.mark.parametrize("wrong", ["yesterday", "-1", "1.5", "١"])
def test_what_is_no_number_is_an_error_that_says_so(
    course: Course, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", wrong)
    with pytest.raises(ReleaseError, match=r"SOURCE_DATE_EPOCH is .* no number of seconds"):
        release_date(course)

"""Where a check finds a data file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from toy import write

from grader.errors import SuiteError
from grader.testing import data
from grader.testing.data import CourseData, data_path


@pytest.fixture(autouse=True)
def _forgets() -> Iterator[None]:
    known = data._known
    yield
    data._known = known


@pytest.fixture
def course(tmp_path: Path) -> Path:
    for name in ("one/data/x.csv", "two/data/x.csv", "hidden/y.csv", "hidden/data/z.csv", "w.csv"):
        write(tmp_path / name, name)
    return tmp_path


def judge(course: Path, assignment: str | None = None) -> None:
    beside = {"a": [str(course / "one/data")], "b": [str(course / "two/data")]}
    CourseData(beside, [str(course / "hidden"), str(course / "w.csv")], assignment).use()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("data/x.csv", "one/data/x.csv"),
        ("data", "one/data"),
        ("y.csv", "hidden/y.csv"),
        ("data/z.csv", "hidden/data/z.csv"),
        ("w.csv", "w.csv"),
    ],
)
def test_a_name_is_that_of_the_notebook_or_one_in_a_hidden_folder(
    course: Path, name: str, found: str
) -> None:
    judge(course, "a")
    if name == "data":
        (course / "hidden/data").rename(course / "hidden/other")
    assert data_path(name) == course / found


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../w.csv", "data/../../w.csv", "x.csv", "no"])
def test_any_other_name_is_a_clear_error(course: Path, name: str) -> None:
    judge(course, "a")
    with pytest.raises(SuiteError) as caught:
        data_path(name)
    assert f"`{name}`" in caught.value.message
    assert caught.value.hint


def test_each_assignment_has_its_own_and_outside_of_a_check_both_are_meant(course: Path) -> None:
    judge(course, "b")
    assert data_path("data/x.csv") == course / "two/data/x.csv"
    judge(course)
    with pytest.raises(SuiteError, match="more than one"):
        data_path("data/x.csv")


def test_in_a_notebook_a_path_is_what_the_notebook_makes_of_it(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data._known = None
    monkeypatch.chdir(course / "one")
    assert data_path("data/x.csv").read_text(encoding="utf-8").strip() == "one/data/x.csv"
    with pytest.raises(SuiteError, match=r"there is no `y.csv` here"):
        data_path("y.csv")

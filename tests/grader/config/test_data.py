"""Which files and folders may be data, and which never."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cities import TABLE, write_cities
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy import write

from grader.config.course import load_course
from grader.config.data import data_files, read_places
from grader.errors import ConfigError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_cities(tmp_path / "cities")


def with_data(root: Path, line: str, key: str = "data") -> Path:
    before = {"data": 'data = ["handout/data"]', "hidden_data": 'hidden_data = ["private/data"]'}
    (root / "pyproject.toml").write_text(TABLE.replace(before[key], line, 1), encoding="utf-8")
    return root


def test_each_assignment_has_the_courses_data_and_its_own(root: Path) -> None:
    course = load_course(root)
    assert course.data_of("rivers") == (root / "handout/data",)
    assert course.data_of("people") == (root / "handout/data", root / "handout/people.csv")
    assert course.hidden_data == (root / "private/data",)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("handout/dta", "does not exist"),
        ("../elsewhere", "not below the course's folder"),
        ("handout/../../elsewhere", "not below the course's folder"),
        (".", "not below the course's folder"),
        ("", "not below the course's folder"),
        ("/etc/passwd", "not a relative path"),
        ("handout\\\\data", "not a relative path"),
        ("link", "symbolic link"),
        ("link/deep", "symbolic link"),
        ("file-link.csv", "symbolic link"),
        ("pipe", "neither a file nor a folder"),
        ("a" * 5000, "does not exist"),
        ("a\\u0000b", "does not exist"),
        ("private", "what is private"),
        ("private/suites", "what is private"),
        ("private/reference/cities.py", "what is private"),
        ("private/data", "what is private"),
        ("grader", "can't be called `grader`"),
        ("other/handout", "can't be called `handout`"),
        ("handout/.secret", "can't be called `.secret`"),
    ],
)
def test_what_is_no_place_for_data_is_refused(root: Path, entry: str, said: str) -> None:
    outside = write(root.parent / "elsewhere/deep/x.csv", "1").parents[1]
    (root / "link").symlink_to(outside)
    (root / "file-link.csv").symlink_to(outside / "deep/x.csv")
    os.mkfifo(root / "pipe")
    for name in ("grader", "other/handout", "handout/.secret"):
        (root / name).mkdir(parents=True)
    with pytest.raises(ConfigError, match=said) as caught:
        load_course(with_data(root, f'data = ["{entry}"]'))
    assert caught.value.where
    assert caught.value.hint
    assert len(caught.value.message) < 700


def test_two_of_a_name_are_refused_where_they_would_meet(root: Path) -> None:
    write(root / "other/people.csv", "x")
    with pytest.raises(ConfigError, match=r"`people`: two of its data are called `people.csv`"):
        load_course(with_data(root, 'data = ["other/people.csv"]'))


@pytest.mark.parametrize("entry", ["handout", "handout/data", "handout/checks"])
def test_hidden_data_lies_in_nothing_that_students_get(root: Path, entry: str) -> None:
    with pytest.raises(ConfigError, match=r"hidden|private"):
        load_course(with_data(root, f'hidden_data = ["{entry}"]', "hidden_data"))


def test_files_come_in_one_order_without_leftovers(root: Path) -> None:
    place = root / "handout/data"
    for name in ("b.csv", "a.csv", "a.csv~", ".hidden", "__pycache__/x", "rivers/z.csv"):
        write(place / name, "x")
    assert [name for name, _ in data_files(place)] == [
        "data/a.csv", "data/b.csv", "data/rivers/lengths.csv", "data/rivers/z.csv",
    ]  # fmt: skip
    assert list(data_files(place / "a.csv")) == [("a.csv", place / "a.csv")]


@pytest.mark.parametrize("kind", ["file", "folder", "loop", "dangling", "pipe"])
def test_links_and_devices_among_data_are_refused(root: Path, kind: str) -> None:
    place = root / "handout/data"
    if kind == "pipe":
        os.mkfifo(place / "odd")
    else:
        target = {"file": "/etc/passwd", "folder": "/etc", "loop": place, "dangling": "/nowhere"}
        (place / "odd").symlink_to(target[kind])
    with pytest.raises(ConfigError, match="no links and devices") as caught:
        list(data_files(place))
    assert caught.value.where.endswith("odd")


PARTS = st.sampled_from(["a", "b", "link", "..", ".", "", "x.csv", "~", "ä", "\0", "/"])


@given(st.lists(PARTS, max_size=6).map("/".join))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_whatever_is_named_lies_in_the_course(tmp_path: Path, entry: str) -> None:
    root = tmp_path / "course"
    if not root.exists():
        write(root / "a/b/x.csv", "1")
        write(tmp_path / "a/x.csv", "outside")
        (root / "link").symlink_to(tmp_path)
        (root / "a/link").symlink_to("/")
    try:
        (place,) = read_places(root, [entry], "data")
    except ConfigError:
        return
    assert place.resolve() == place
    assert root in place.parents
    assert place.exists()

"""Courses whose assignments are lessons in one file."""

from __future__ import annotations

from pathlib import Path

import pytest
from one_file import write_lesson, write_one_file_course
from toy import write

from grader.config.course import load_course
from grader.errors import ConfigError, GraderError
from grader.store.fingerprint import suite_digests


def test_a_table_with_nothing_in_it_is_enough(tmp_path: Path) -> None:
    course = load_course(write_one_file_course(tmp_path / "my sums"))
    assert (course.id, course.title) == ("my-sums", "My sums")
    assert [(one.id, one.title) for one in course.assignments] == [("adding", "Adding up")]
    assert course.lessons == course.root / "lessons"
    assert course.notebooks == course.root / "notebooks"
    assert course.one_file == {"adding": course.root / "lessons/01_adding.py"}


def test_the_header_says_what_a_table_could_say(tmp_path: Path) -> None:
    header = '# title = "Adding up"\n# due = "2026-03-01 12:00 UTC"\n# aliases = ["sums"]\n# policy.late.penalty = "10 %"'
    root = write_one_file_course(tmp_path, '# title = "Adding up"', header)
    (assignment,) = load_course(root).assignments
    assert assignment.due is not None
    assert assignment.aliases == ("sums",)
    assert assignment.policy.late is not None


def test_pyproject_comes_first(tmp_path: Path) -> None:
    root = write_one_file_course(tmp_path)
    table = '[tool.grader]\nid = "a"\ntitle = "A"\n[[tool.grader.assignments]]\nid = "adding"\ntitle = "Mine"\n'
    write(root / "pyproject.toml", table)
    write_lesson(root / "lessons/02_more.py")
    course = load_course(root)
    assert [(one.id, one.title) for one in course.assignments] == [
        ("adding", "Mine"),
        ("more", "Adding up"),
    ]


@pytest.mark.parametrize(
    ("prose", "title"),
    [("# # 3 · Sums\n", "Sums"), ("# # Sums of 3\n", "Sums of 3"), ("# no heading\n", "Adding")],
)
def test_a_title_is_the_headers_or_the_first_headings_or_the_files(
    tmp_path: Path, prose: str, title: str
) -> None:
    root = write_one_file_course(tmp_path, '# title = "Adding up"\n', "")
    path = root / "lessons/01_adding.py"
    path.write_text(path.read_text().replace("# # Adding\n", prose))
    assert load_course(root).assignments[0].title == title


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "Adding up"', "title = 3", "header"),
        ('title = "Adding up"', 'titel = "x"', "unknown field"),
        ('title = "Adding up"', 'id = "other"', "calls the assignment `other`"),
        ('title = "Adding up"', 'due = "tomorrow"', "due"),
    ],
)
def test_what_is_wrong_in_a_header_is_told(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    root = write_one_file_course(tmp_path, old, new)
    with pytest.raises(GraderError) as caught:
        load_course(root)
    assert message in str(caught.value)


def test_two_lessons_of_one_name_are_refused(tmp_path: Path) -> None:
    root = write_one_file_course(tmp_path)
    write_lesson(root / "lessons/02_adding.py")
    with pytest.raises(ConfigError, match="two lessons for `adding`"):
        load_course(root)


def test_a_notebook_that_is_paired_with_a_script_is_the_same_lesson(tmp_path: Path) -> None:
    root = write_one_file_course(tmp_path)
    write(root / "lessons/01_adding.ipynb", "{}")
    assert load_course(root).one_file == {"adding": root / "lessons/01_adding.py"}


def test_a_course_may_have_no_assignment_yet(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "[tool.grader]\n")
    assert load_course(tmp_path).assignments == ()


def test_a_lesson_without_checks_is_no_assignment_by_itself(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "[tool.grader]\n")
    write(tmp_path / "lessons/01_adding.py", "# %% [markdown]\n# # Adding\n")
    assert load_course(tmp_path).one_file == {}


def test_an_edited_lesson_is_graded_anew_and_alone(tmp_path: Path) -> None:
    root = write_one_file_course(tmp_path)
    write_lesson(root / "lessons/02_more.py")
    before = suite_digests(load_course(root), ["adding", "more"])
    path = root / "lessons/02_more.py"
    path.write_text(path.read_text().replace("1000", "999"))
    after = suite_digests(load_course(root), ["adding", "more"])
    assert after["adding"] == before["adding"]
    assert after["more"] != before["more"]

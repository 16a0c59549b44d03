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
    ("new", "place", "message", "hint"),
    [
        ("title = 3", "title", "header: Expected `str`", ""),
        ('titel = "x"', "titel", "unknown field `titel`", "did you mean `title`?"),
        ("question.x = 3", "question", "unknown field", "did you mean `questions`?"),
        ("policy.bonsu = 1", "policy", "unknown field", "did you mean `bonus`?"),
        ('id = "other"', "id =", "calls the assignment `other`", "leave `id` out"),
        ('due = "tomorrow"', "due", "due", "write it as"),
        ('due = "2026-03-27"', "due", "due", "write it as"),
        ('due = "2026-02-30 23:59 UTC"', "due", "day is out of range", "write it as"),
        ('due = "2026-03-27 23:59"', "due", "names no time zone", "or an offset"),
        ('policy.late.penalty = "3"', "policy.late", "[policy.late] penalty", "write it as"),
        ("aliases = []\n# policy.round_to = -1", "policy.round_to", "[policy] round_to", ""),
        ("policy.drop_lowest = 1", "policy.drop", "drop_lowest is a rule", "move it"),
        ('data = [\n#   "nowhere",\n# ]', "data = [", "data", ""),
        ('[[manual]]\n# id = "a"\n# title = "A"', "[[manual]]", "missing required field", ""),
        ('[[manual]]\n# id="a"\n# title="A"\n# points="1"', "points=", "Expected `float`", ""),
        ('[[manual]]\n# id="a"\n# title="A"\n# points=-1', "[[manual]]", "points must be", ""),
    ],
)
def test_what_is_wrong_in_a_header_is_told_with_its_line(
    tmp_path: Path, new: str, place: str, message: str, hint: str
) -> None:
    root = write_one_file_course(tmp_path, '# title = "Adding up"\n', f"#\n# {new}\n")
    path = root / "lessons/01_adding.py"
    text = path.read_text(encoding="utf-8")
    with pytest.raises(GraderError) as caught:
        load_course(root)
    assert message in str(caught.value)
    line = text.count("\n", 0, text.index(f"# {place}")) + 1
    assert caught.value.where == f"{path}:{line}"
    assert hint in caught.value.hint


def test_what_pyproject_says_is_not_blamed_on_the_header(tmp_path: Path) -> None:
    root = write_one_file_course(tmp_path, "# title", '# due = "2026-03-27 23:59 UTC"\n# title')
    entry = '[[tool.grader.assignments]]\nid = "adding"\ntitle = "A"\ndue = "tomorrow"\n'
    write(root / "pyproject.toml", f"[tool.grader]\n{entry}")
    with pytest.raises(ConfigError, match="tomorrow") as caught:
        load_course(root)
    assert caught.value.where == str(root / "pyproject.toml")


def test_a_lesson_that_can_not_be_read_is_no_course_without_it(tmp_path: Path) -> None:
    root = write_one_file_course(tmp_path)
    (root / "lessons/02_more.py").write_bytes(b"# %% check hidden question=a points=1\n# \xe4\n")
    with pytest.raises(GraderError, match="not UTF-8") as caught:
        load_course(root)
    assert caught.value.where == str(root / "lessons/02_more.py:2")


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

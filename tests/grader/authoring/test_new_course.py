"""`grader new-course` and the guide that goes with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.authoring.lessons import lesson_paths
from grader.authoring.new_course import ONE_FILE, TEMPLATE, new_assignment, new_course
from grader.config.course import load_course
from grader.errors import UsageError
from grader.judging.engine import load_suites

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/write-a-course.md").read_text(encoding="utf-8")


def excerpts(language: str) -> list[str]:
    """The guide's fenced blocks of a language; `py` is for code that no template has."""
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, flags=re.M | re.S)


def run(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell script that finds `grader` as an installed one would be found."""
    command = cwd / ".bin/grader"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m grader.cli "$@"\n')
    command.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
    }
    return subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_course_is_one_file_for_each_assignment(tmp_path: Path) -> None:
    written = new_course(tmp_path / "deep/course")
    assert {path.relative_to(tmp_path / "deep/course").as_posix() for path in written} == {
        ".gitignore", "README.md", "lessons/01_words.py", "pyproject.toml",
        "submissions/ada/words.py", "submissions/ben/words.py",
    }  # fmt: skip
    assert list(written) == sorted(written)


def test_split_writes_every_file_of_its_template(tmp_path: Path) -> None:
    new_course(tmp_path / "course", split=True)
    names = names_in(tmp_path / "course")
    assert names == {name for name in names_in(TEMPLATE) if "__pycache__" not in name}
    assert len([name for name in names if name.startswith("private/mutants/")]) >= 4


@pytest.mark.parametrize("split", [False, True])
def test_the_names_that_are_given_are_used_everywhere(tmp_path: Path, split: bool) -> None:
    root = tmp_path / "My Course 1"
    new_course(root, title='Über "Wörter"', assignments=["letters", "poems"], split=split)
    course = load_course(root)
    assert (course.id, course.title) == ("My-Course-1", 'Über "Wörter"')
    assert [(one.id, one.title) for one in course.assignments] == [
        ("letters", "Letters"), ("poems", "Poems"),
    ]  # fmt: skip
    names = names_in(root)
    assert not [name for name in names if re.search(r"(^|/)(\d+_|test_)?words[_/.]", name)]
    for name in names - {"private/reference/texts.py"}:
        text = (root / name).read_text(encoding="utf-8")
        assert not re.search(r"Working with text|Counting words|\"texts\"|= \"words\"", text), name
    assert [path.name for path in lesson_paths(course).values()] == [
        "01_letters.py", "02_poems.py",
    ]  # fmt: skip


def test_a_title_is_made_of_the_folders_name(tmp_path: Path) -> None:
    new_course(tmp_path / "data_science-1")
    assert load_course(tmp_path / "data_science-1").title == "Data science 1"


def test_an_empty_course_has_a_lesson_and_no_class(tmp_path: Path) -> None:
    new_course(tmp_path / "course", assignments=["sums"], empty=True)
    assert names_in(tmp_path / "course") == {".gitignore", "lessons/01_sums.py", "pyproject.toml"}
    (suite,) = load_suites(load_course(tmp_path / "course")).values()
    assert suite.assignment.title == "Sums"


@pytest.mark.parametrize("name", ["a-b", "", "1st", "a b", "../x"])
def test_an_id_that_is_no_plain_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no id"):
        new_course(tmp_path / "course", assignments=[name])
    assert not (tmp_path / "course").exists()


def test_two_assignments_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two assignments"):
        new_course(tmp_path / "course", assignments=["a", "a"])


def test_a_new_assignment_takes_the_next_number(tmp_path: Path) -> None:
    new_course(tmp_path / "course")
    path = new_assignment(load_course(tmp_path / "course"), "letters", title="Great letters")
    assert path.name == "02_letters.py"
    course = load_course(tmp_path / "course")
    assert [(one.id, one.title) for one in course.assignments] == [
        ("words", "Counting words"), ("letters", "Great letters"),
    ]  # fmt: skip
    assert load_suites(course)["letters"].checks
    with pytest.raises(UsageError, match="two assignments"):
        new_assignment(course, "letters")


def test_a_split_course_takes_an_assignment_in_one_file(tmp_path: Path) -> None:
    new_course(tmp_path / "course", split=True)
    new_assignment(load_course(tmp_path / "course"), "letters", empty=True)
    suites = load_suites(load_course(tmp_path / "course"))
    assert [len(suite.checks) for suite in suites.values()] == [8, 1]


def test_an_empty_folder_is_fine(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    assert new_course(tmp_path / "here")


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        new_course(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".hidden"]


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for place in ("file", "file/course"):
        with pytest.raises(UsageError, match="no folder"):
            new_course(tmp_path / place)
    assert (tmp_path / "file").read_text() == "mine"


def test_the_command_tells_a_mistake_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("")
    result = run("grader new-course full", tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("error: the folder is not empty")
    assert "hint: " in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("options", ["--empty", "--assignment a --assignment b"])
def test_a_new_course_works_at_once(tmp_path: Path, options: str) -> None:
    script = f"grader new-course x {options}\ncd x\ngrader verify -q\ngrader release\n"
    checked = "" if options == "--empty" else "grader check submissions -q\n"
    result = run(script + checked, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_template_imports_nothing_of_this_course() -> None:
    words = re.compile(r"torch|tiny_transformer|^from course|^import course", flags=re.M)
    for path in (*TEMPLATE.rglob("*"), *ONE_FILE.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            assert not words.search(path.read_text(encoding="utf-8")), path


# ---------------------------------------------------------------- the guide


def test_the_guide_runs_every_command_that_a_course_needs() -> None:
    commands = set(re.findall(r"^grader .*", "".join(excerpts("sh")), flags=re.M))
    assert {command.split()[1] for command in commands} == {
        "new-course", "new-assignment", "import", "split", "check", "list", "verify", "release",
    }  # fmt: skip
    assert {"grader release --check", "grader release --output out"} <= commands


@pytest.mark.parametrize("excerpt", excerpts("python") + excerpts("toml"))
def test_every_excerpt_stands_in_a_template(excerpt: str) -> None:
    paths = [path for place in (TEMPLATE, ONE_FILE) for path in place.rglob("*")]
    texts = [p.read_text(encoding="utf-8") for p in paths if p.suffix in (".py", ".toml")]
    assert any(excerpt in text for text in texts)


def test_every_path_in_the_guide_exists() -> None:
    named = set(re.findall(r"`((?:handout|private|submissions|lessons|pyproject)[\w./-]*)`", GUIDE))
    missing = {n for n in named if not ((TEMPLATE / n).exists() or (ONE_FILE / n).exists())}
    missing = {name for name in missing if "letters" not in name}
    may_be = {"lessons/01_words.ipynb", "handout/notebooks/00_warm_up.ipynb"}
    assert missing == may_be


@pytest.mark.slow
def test_a_broken_check_in_the_new_course_is_noticed(tmp_path: Path) -> None:
    """The gate of the new course is a real one."""
    new_course(tmp_path / "course", split=True)
    suite = tmp_path / "course/private/suites/test_words.py"
    text = suite.read_text(encoding="utf-8")
    suite.write_text(text.replace('reference.count_words(words), "the dict', 'counts, "the dict'))
    result = run("grader verify --course course", tmp_path)
    assert result.returncode == 1
    assert "counts_once" in result.stdout


@pytest.mark.slow
def test_the_template_works_where_it_lies_and_from_a_copy_with_spaces(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(TEMPLATE, tmp_path / "my own course"))
    result = run(
        f'grader release --check --course "{copy}" && cd "{copy}" && grader check submissions -q',
        tmp_path,
    )
    assert result.returncode == 0, result.stderr

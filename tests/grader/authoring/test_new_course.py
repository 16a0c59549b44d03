"""`grader new-course` and the guide that goes with it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.authoring.new_course import TEMPLATE, new_course
from grader.errors import UsageError

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/write-a-course.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The guide's fenced blocks of a language."""
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


def test_writes_every_file_of_the_template(tmp_path: Path) -> None:
    written = new_course(tmp_path / "deep/course")
    assert list(written) == sorted(
        path for path in (tmp_path / "deep").rglob("*") if path.is_file()
    )
    names = {path.relative_to(tmp_path / "deep/course").as_posix() for path in written}
    assert {"pyproject.toml", "README.md", ".gitignore", "private/lessons/01_words.py"} <= names
    assert len([name for name in names if name.startswith("private/mutants/")]) >= 4
    assert not any("__pycache__" in name for name in names)


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


def test_template_imports_nothing_of_this_course() -> None:
    words = re.compile(r"torch|tiny_transformer|^from course|^import course", flags=re.M)
    for path in TEMPLATE.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            assert not words.search(path.read_text(encoding="utf-8")), path


# ---------------------------------------------------------------- the guide


@pytest.mark.slow
def test_every_command_of_the_guide_works_in_its_order(tmp_path: Path) -> None:
    result = run("".join(blocks("sh")), tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    course = tmp_path / "my-course"
    scores = json.loads((course / "reports/gradebook.json").read_text())["scores"]
    earned = {score["student"]: score["earned"] for score in scores}
    assert earned == {"ada": 10, "ben": 3}
    assert "words passes" in result.stdout
    assert (course / "out/student.zip").is_file()
    assert (course / "out/nbgrader/source/words/words.ipynb").is_file()
    assert "SOLUTIONS" in result.stderr


def test_the_guide_runs_every_command_that_a_course_needs() -> None:
    commands = set(re.findall(r"^grader .*", "".join(blocks("sh")), flags=re.M))
    assert {command.split()[1] for command in commands} == {
        "new-course", "check", "list", "verify", "release",
    }  # fmt: skip
    assert {"grader release --check", "grader release --output out"} <= commands


@pytest.mark.parametrize("excerpt", blocks("python") + blocks("toml"))
def test_every_excerpt_stands_in_the_template(excerpt: str) -> None:
    texts = [
        p.read_text(encoding="utf-8") for p in TEMPLATE.rglob("*") if p.suffix in (".py", ".toml")
    ]
    assert any(excerpt in text for text in texts)


def test_every_path_in_the_guide_exists() -> None:
    named = set(re.findall(r"`((?:handout|private|submissions|pyproject)[\w./-]*)`", GUIDE))
    missing = {name for name in named if not (TEMPLATE / name).exists()}
    assert {name for name in missing if "letters" not in name} == set()


@pytest.mark.slow
def test_a_broken_check_in_the_new_course_is_noticed(tmp_path: Path) -> None:
    """The gate of the new course is a real one."""
    new_course(tmp_path / "course")
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

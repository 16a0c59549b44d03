"""What is missing where it is graded is named, and costs nobody a point."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from commands import assert_clear, grader
from toy import HIDDEN, PUBLIC, REFERENCE, RIGHT, TABLE, write, write_course

from grader.judging.libraries import how_to_install, missing_from_course
from grader.model import CellError

ABSENT = "absent_library"
NEEDS_IT = f"import {ABSENT}\n"


@pytest.mark.parametrize(
    ("said", "package"),
    [
        ("No module named 'torch'", "'walled-grader[torch]'"),
        ("ModuleNotFoundError: No module named 'torch.nn'", "'walled-grader[torch]'"),
        ("can't find `matplotlib.pyplot`, which …", "'walled-grader[plots]'"),
        ("No module named 'sklearn'", "scikit-learn"),
    ],
)
def test_a_known_library_is_named_as_pip_calls_it(said: str, package: str) -> None:
    assert how_to_install(said) == f"{sys.executable} -m pip install {package}"


def test_no_package_is_guessed_for_an_unknown_name() -> None:
    assert "pip install" not in how_to_install(f"No module named '{ABSENT}'")
    assert ABSENT in how_to_install(f"No module named '{ABSENT}'")
    assert how_to_install("division by zero") == ""


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("checks.py", f"import {ABSENT}"),
        ("checks.py", f"import os, json as j, {ABSENT} as a"),
        ("checks.py", f"    from {ABSENT}.parts import one"),
        ("week.ipynb", json.dumps({"cells": [{"source": f"import {ABSENT}\n"}]})),
        ("requirements.txt", f"pytest>=8\n{ABSENT}>=2"),
    ],
)
def test_a_course_uses_what_its_files_import_or_require(
    tmp_path: Path, file: str, text: str
) -> None:
    path = write(tmp_path / "course" / file, text)
    fault = missing_from_course([error(ABSENT)], [tmp_path / "course"])
    assert fault is not None
    assert fault.where == str(path)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("checks.py", f"import {ABSENT}_of_others"),
        ("checks.py", f"from os import {ABSENT}_path"),
        ("checks.py", f"from .{ABSENT} import one"),
        ("requirements.txt", f"{ABSENT}-stubs"),
        ("picture.png", f"import {ABSENT}"),
    ],
)
def test_what_only_looks_like_it_is_no_use(tmp_path: Path, file: str, text: str) -> None:
    write(tmp_path / file, text)
    assert missing_from_course([error(ABSENT)], [tmp_path]) is None


def test_a_claim_about_what_is_installed_is_not_believed(tmp_path: Path) -> None:
    write(tmp_path / "checks.py", "import json")
    assert missing_from_course([error("json")], [tmp_path]) is None


def error(name: str) -> CellError:
    return CellError(cell=1, error="ModuleNotFoundError", message=f"No module named '{name}'")


# ---------------------------------------------------------------- in a grading


def check(course: Path) -> tuple[dict[str, str], str]:
    """The states of a class of three, and the gradebook."""
    write(course / "in/ann/adding.py", NEEDS_IT + RIGHT)
    write(course / "in/bob/adding.py", RIGHT)
    write(course / "in/cy/adding.py", RIGHT + NEEDS_IT)
    done = grader("check", "in", "--json", cwd=course)
    assert "Traceback" not in done.stderr
    scores = json.loads(done.stdout)["scores"]
    return {one["student"]: f"{one['state']} {one['earned']:g}" for one in scores}, done.stdout


def test_who_lost_points_for_want_of_a_library_of_the_course_is_not_graded(tmp_path: Path) -> None:
    write(write_course(tmp_path) / "public/requirements.txt", ABSENT)
    states, told = check(tmp_path)
    assert states == {"ann": "ungraded 0", "bob": "graded 5", "cy": "graded 5"}
    assert f"the course uses `{ABSENT}`, which is not installed here" in told


def test_a_library_that_the_course_does_not_know_is_its_authors_affair(tmp_path: Path) -> None:
    states, _ = check(write_course(tmp_path))
    assert states == {"ann": "graded 0", "bob": "graded 5", "cy": "graded 5"}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("public/test_adding.py", "import torch_that_is_absent\n" + PUBLIC),
        ("hidden/test_adding.py", "import torch_that_is_absent\n" + HIDDEN),
        ("reference/sums/__init__.py", "import torch_that_is_absent\n" + REFERENCE),
    ],
    ids=["public", "hidden", "reference"],
)
def test_a_suite_without_its_library_says_what_to_install(
    tmp_path: Path, file: str, text: str
) -> None:
    write(write_course(tmp_path) / file, text)
    write(tmp_path / "in/bob/adding.py", RIGHT)
    done = grader("check", "in", cwd=tmp_path)
    assert_clear(done, 2, "hint: install what `torch_that_is_absent` is part of")


@pytest.mark.parametrize("key", ["preload", "preload_later"])
def test_a_list_of_imports_says_what_to_install(tmp_path: Path, key: str) -> None:
    write_course(tmp_path)
    write(tmp_path / "pyproject.toml", TABLE.replace("suites", f'{key} = ["{ABSENT}"]\nsuites', 1))
    write(tmp_path / "in/bob/adding.py", RIGHT)
    assert_clear(grader("check", "in", cwd=tmp_path), 3, f"hint: install what `{ABSENT}` is part")

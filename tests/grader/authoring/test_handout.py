"""What leaves the house of a course in one file, and what must not."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from one_file import as_notebook, write_one_file_course

from grader.authoring.nbgrader_tree import write_tree
from grader.authoring.release import build_notebooks, notebook_bytes, release
from grader.authoring.student_release import student_zip
from grader.config.course import Course, load_course
from grader.errors import ReleaseError
from grader.integrations.gradescope.package import package
from grader.judging.engine import load_suites
from grader.model import Suite
from grader.reports.choices import Hidden

SECRETS = (
    b"CANARY",
    b"test_any",
    b"test_text",
    b"test_half",
    b"quarter",
    b"refuses_nothing",
    b"0.25",
)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return load_course(write_one_file_course(tmp_path_factory.mktemp("course") / "sums"))


@pytest.fixture(scope="module")
def suites(course: Course) -> tuple[Suite, ...]:
    return tuple(load_suites(course).values())


@pytest.mark.parametrize("form", ["script", "notebook", "tags"])
def test_nothing_hidden_and_no_answer_reaches_a_student(
    suites: tuple[Suite, ...], tmp_path: Path, form: str
) -> None:
    root = write_one_file_course(tmp_path / "sums")
    if form != "script":
        as_notebook(root / "lessons/01_adding.py", tags=form == "tags")
    course = load_course(root)
    with zipfile.ZipFile(io.BytesIO(student_zip(course, suites))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    own = {name: text for name, text in members.items() if not name.startswith("sums/grader/")}
    assert sorted(own) == [
        "sums/README.md", "sums/notebooks/01_adding.ipynb", "sums/notebooks/checks/test_adding.py",
        "sums/requirements.txt",
    ]  # fmt: skip
    for text in members.values():
        assert not [secret for secret in SECRETS[:5] if secret in text]
    assert not [s for s in SECRETS if any(s in text for text in own.values())]
    assert b"test_small" in own["sums/notebooks/checks/test_adding.py"]


def test_the_instructors_tree_holds_answers_and_no_hidden_check(
    course: Course, suites: tuple[Suite, ...], tmp_path: Path
) -> None:
    write_tree(course, suites, tmp_path / "nbgrader")
    texts = {p: p.read_bytes() for p in (tmp_path / "nbgrader").rglob("*") if p.is_file()}
    assert any(b"CANARY-ANSWER" in text for text in texts.values())
    for secret in (
        b"CANARY-HIDDEN",
        b"CANARY-MUTANT",
        b"CANARY-FAKE",
        b"CANARY-STYLE",
        b"CANARY-NOTE",
        b"test_any",
    ):
        assert not [path for path, text in texts.items() if secret in text]
    assert (tmp_path / "nbgrader/source/adding/checks/test_adding.py").is_file()


def test_the_notebook_asks_each_question_where_its_first_check_stood(
    course: Course, suites: tuple[Suite, ...]
) -> None:
    ((_, made),) = build_notebooks(course, suites)
    nbformat.validate(nbformat.reads(notebook_bytes(made).decode(), 4))
    graded = [
        cell["id"] for cell in made["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")
    ]
    assert graded == ["examples", "totals", "half"]
    sources = [cell["source"] for cell in made["cells"] if cell["cell_type"] == "code"]
    assert "from grader.testing.notebook import check" in sources[0]
    assert 'check("examples")' in sources


def test_a_released_notebook_checks_itself(
    course: Course, suites: tuple[Suite, ...], tmp_path: Path
) -> None:
    with zipfile.ZipFile(io.BytesIO(student_zip(course, suites))) as archive:
        archive.extractall(tmp_path / "student")
    folder = tmp_path / "student/sums/notebooks"
    cells = json.loads((folder / "01_adding.ipynb").read_bytes())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    stub, right = (
        "\n\n".join([code[0], answer, 'check("examples")'])
        for answer in ("def total(numbers):\n    raise NotImplementedError()", "total = sum")
    )
    said = []
    for script in (stub, right):
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        said.append(done.stdout)
    assert said[0].startswith("✗ Adds one and two")
    assert said[1].startswith("✓ Adds one and two")


def test_a_release_in_place_notices_stale_checks(course: Course, suites: tuple[Suite, ...]) -> None:
    notebook, checks = release(course, suites)
    assert checks == course.root / "notebooks/checks/test_adding.py"
    assert release(course, suites, check=True) == (notebook, checks)
    checks.write_text("mine")
    with pytest.raises(ReleaseError, match="differs"):
        release(course, suites, check=True)
    release(course, suites)
    (checks.parent / "test_gone.py").write_text("x")
    with pytest.raises(ReleaseError, match="no lesson gives it"):
        release(course, suites, check=True)


def test_gradescope_gets_the_lesson_and_grades_by_it(course: Course, tmp_path: Path) -> None:
    content = package(course, course.assignments[0], Hidden.TITLES)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    packed = load_course(tmp_path / "course")
    assert list(packed.one_file) == ["adding"]
    assert load_suites(packed)["adding"].assignment == load_suites(course)["adding"].assignment

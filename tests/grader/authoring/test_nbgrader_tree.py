"""The instructor's side of nbgrader: what `generate_assignment` makes of it is what students get."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nbgrader_course import in_one_process

from grader.authoring.nbgrader_tree import write_tree
from grader.authoring.new_course import ONE_FILE, TEMPLATE, new_course
from grader.authoring.release import release
from grader.config.course import Course, load_course
from grader.errors import ReleaseError
from grader.judging.engine import load_suites
from grader.model import Suite

ROOT = Path(__file__).parents[3]
ADDED_BY_NBGRADER = {"checksum", "cell_type", "deletable", "editable"}


@pytest.fixture(scope="module")
def suites() -> tuple[Suite, ...]:
    return tuple(load_suites(load_course(TEMPLATE)).values())


@pytest.fixture
def texts(tmp_path: Path) -> Course:
    new_course(tmp_path / "texts", split=True)
    return load_course(tmp_path / "texts")


def test_a_solved_notebook_lies_where_nbgrader_looks(
    texts: Course, suites: tuple[Suite, ...], tmp_path: Path
) -> None:
    (path,) = write_tree(texts, suites, tmp_path / "nbgrader")
    assert path == tmp_path / "nbgrader/source/words/words.ipynb"
    cells = {cell["id"]: cell for cell in json.loads(path.read_bytes())["cells"]}
    solution = "".join(cells["split_words"]["source"])
    assert solution.index("### BEGIN SOLUTION") < solution.index('"".join(spaced).split()')
    assert "".join(cells["examples"]["source"]) == 'check("examples")'


def test_hidden_questions_hold_their_title_only(
    texts: Course, suites: tuple[Suite, ...], tmp_path: Path
) -> None:
    (path,) = write_tree(texts, suites, tmp_path / "nbgrader")
    cells = {cell["id"]: cell for cell in json.loads(path.read_bytes())["cells"]}
    assert "".join(cells["ranking"]["source"]) == (
        "# The order of words (3 points): graded after you hand in."
    )
    assert cells["ranking"]["metadata"]["nbgrader"] == {
        "grade": True, "grade_id": "ranking", "locked": True, "points": 3, "schema_version": 3,
        "solution": False, "task": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    "place", ["handout", "handout/deep", "handout/notebooks", "handout/../handout"]
)
def test_solutions_never_go_into_a_public_folder(
    texts: Course, suites: tuple[Suite, ...], place: str
) -> None:
    before = sorted(texts.root.rglob("*"))
    with pytest.raises(ReleaseError, match="public folder"):
        write_tree(texts, suites, texts.root / place)
    assert sorted(texts.root.rglob("*")) == before


# ---------------------------------------------------------------- with the real nbgrader


def nbgrader(folder: Path, *arguments: str, status: int = 0) -> str:
    """Run nbgrader in a folder; return what it said."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == status, result.stderr
    return result.stdout + result.stderr


def without_what_nbgrader_adds(notebook: dict[str, Any]) -> dict[str, Any]:
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        for key in ("deletable", "editable"):
            cell["metadata"].pop(key, None)
        for key in ADDED_BY_NBGRADER & set(cell["metadata"].get("nbgrader", {})):
            del cell["metadata"]["nbgrader"][key]
    return notebook


@pytest.mark.slow
@pytest.mark.parametrize("root", [ROOT, TEMPLATE, ONE_FILE], ids=["own", "split", "one file"])
def test_nbgrader_releases_what_students_get(root: Path, tmp_path: Path) -> None:
    course = load_course(root)
    assert course.notebooks is not None
    suites = load_suites(course)
    if root == ONE_FILE:  # whose notebooks nobody keeps
        course = msgspec.structs.replace(course, notebooks=tmp_path / "notebooks")
        release(course, suites.values())
    write_tree(course, suites.values(), tmp_path)
    assert "False" not in in_one_process("generate", tmp_path, suites)
    for name in suites:
        released = tmp_path / "release" / name / f"{name}.ipynb"
        (known,) = course.notebooks.glob(f"*{name}.ipynb")
        students = json.loads(known.read_bytes())
        theirs = json.loads(released.read_bytes())
        assert b"SOLUTION" not in released.read_bytes()
        assert without_what_nbgrader_adds(theirs) == without_what_nbgrader_adds(students)


@pytest.mark.slow
def test_validate_tells_public_checks_that_fail(texts: Course, tmp_path: Path) -> None:
    write_tree(texts, load_suites(texts).values(), tmp_path)
    nbgrader(tmp_path, "generate_assignment", "words", "--CourseDirectory.course_id=it")
    released = tmp_path / "release/words"
    assert sorted(p.name for p in released.iterdir()) == ["grader", "handout", "words.ipynb"]
    said = nbgrader(released, "validate", "words.ipynb")
    assert "VALIDATION FAILED ON 1 CELL(S)" in said
    assert "not implemented yet" in said
    shutil.copy(tmp_path / "source/words/words.ipynb", released)
    assert "Success! Your notebook passes all the tests." in nbgrader(
        released, "validate", "words.ipynb"
    )

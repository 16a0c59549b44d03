"""The instructor's side of nbgrader: what `generate_assignment` makes of it is what students get."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grader.config import Course, load_course
from grader.errors import ReleaseError
from grader.model import Suite
from grader.nbgrader_tree import write_tree
from grader.new_course import TEMPLATE, new_course
from grader.scheduler import load_suites

ROOT = Path(__file__).parents[2]
ADDED_BY_NBGRADER = {"checksum", "cell_type", "deletable", "editable"}


@pytest.fixture(scope="module")
def suites() -> tuple[Suite, ...]:
    return tuple(load_suites(load_course(TEMPLATE)).values())


@pytest.fixture
def texts(tmp_path: Path) -> Course:
    new_course(tmp_path / "texts")
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


@pytest.fixture(scope="module")
def nbgrader(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A command that runs nbgrader in an environment of its own.

    NBGRADER_PYTHON names a Python that has nbgrader already, which saves minutes.
    """
    python = os.environ.get("NBGRADER_PYTHON")
    if python is None:
        folder = tmp_path_factory.mktemp("nbgrader") / "venv"
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "nbgrader>=0.9.3"], check=True)
    return [python, "-m", "nbgrader"]


def without_what_nbgrader_adds(notebook: dict[str, Any]) -> dict[str, Any]:
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        for key in ("deletable", "editable"):
            cell["metadata"].pop(key, None)
        for key in ADDED_BY_NBGRADER & set(cell["metadata"].get("nbgrader", {})):
            del cell["metadata"]["nbgrader"][key]
    return notebook


@pytest.mark.e2e
@pytest.mark.parametrize("root", [ROOT, TEMPLATE], ids=["own", "new"])
def test_nbgrader_releases_what_students_get(
    nbgrader: list[str], root: Path, tmp_path: Path
) -> None:
    course = load_course(root)
    assert course.notebooks is not None
    suites = load_suites(course)
    written = write_tree(course, suites.values(), tmp_path)
    shutil.copytree(tmp_path / "source", tmp_path / "instructor/source")
    for path in written:
        name = path.parent.name
        result = subprocess.run(
            [*nbgrader, "generate_assignment", name, "--CourseDirectory.course_id=it"],
            cwd=tmp_path / "instructor",
            env={
                **os.environ,
                "PATH": f"{Path(nbgrader[0]).parent}{os.pathsep}{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        released = tmp_path / "instructor/release" / name / f"{name}.ipynb"
        (known,) = course.notebooks.glob(f"*{name}.ipynb")
        students = json.loads(known.read_bytes())
        theirs = json.loads(released.read_bytes())
        assert b"SOLUTION" not in released.read_bytes()
        assert without_what_nbgrader_adds(theirs) == without_what_nbgrader_adds(students)

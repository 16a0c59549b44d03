"""A real nbgrader course in a folder with a space, made from the small course about sums."""

from __future__ import annotations

import copy
import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toy import write, write_course, write_gate

from grader.authoring.nbgrader_tree import write_tree
from grader.config.course import load_course
from grader.judging.engine import load_suites

CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "sums"
from grader.integrations.nbgrader import configure
configure(c, course={course!r})
"""

NBGRADER = """
import sys
from nbgrader.apps import NbGrader, NbGraderAPI

app = NbGrader()
app.load_config_file()
api = NbGraderAPI(config=app.config)
for assignment in sys.argv[2:]:
    if sys.argv[1] == "generate":
        result = api.generate_assignment(assignment)
    else:
        result = api.autograde(assignment, "*", force=False)
    print(assignment, result["success"], result.get("error", "")[-300:], flush=True)
"""


class NbgraderCourse:
    """A course root, and nbgrader's command in it."""

    def __init__(self, root: Path, course: Path) -> None:
        self.root = root
        self.course = load_course(course)
        write_tree(self.course, load_suites(self.course).values(), root)
        write(root / "nbgrader_config.py", CONFIG.format(course=str(course)))

    def run(
        self, *arguments: str, status: int = 0, patience_s: int = 300, **environment: str
    ) -> str:
        """Run nbgrader; return what it logged."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        result = subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=self.root,
            env={**os.environ, "PATH": path, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=patience_s,
        )
        assert result.returncode == status, result.stderr
        return result.stderr

    def released(self, assignment: str = "adding") -> dict[str, Any]:
        return self._load(self.root / "release" / assignment / f"{assignment}.ipynb")

    def solved(self, assignment: str = "adding") -> dict[str, Any]:
        return self._load(self.root / "source" / assignment / f"{assignment}.ipynb")

    def graded(self, student: str, assignment: str = "adding") -> dict[str, Any]:
        return self._load(self.root / "autograded" / student / assignment / f"{assignment}.ipynb")

    def hand_in(self, student: str, work: object, assignment: str = "adding") -> Path:
        """Put a notebook, or bytes, where `nbgrader collect` would."""
        path = self.root / "submitted" / student / assignment / f"{assignment}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(work if isinstance(work, bytes) else json.dumps(work).encode())
        return path

    @contextmanager
    def gradebook(self, url: str | None = None) -> Iterator[Any]:
        from nbgrader.api import Gradebook

        with Gradebook(url or f"sqlite:///{self.root / 'gradebook.db'}", "sums") as gradebook:
            yield gradebook

    def points(self, student: str, assignment: str = "adding") -> dict[str, float | None]:
        """What the gradebook holds for each question; None waits for a person."""
        with self.gradebook() as gradebook:
            notebook = gradebook.find_submission_notebook(assignment, assignment, student)
            for grade in notebook.grades:
                assert grade.needs_manual_grade == (grade.auto_score is None)
            return {grade.name: grade.auto_score for grade in notebook.grades}

    def exported(self) -> list[dict[str, str]]:
        self.run("export")
        with (self.root / "grades.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    @staticmethod
    def _load(path: Path) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(path.read_bytes())
        return content


def write_nbgrader_course(folder: Path) -> NbgraderCourse:
    """Write the small course and generate its assignment."""
    made = NbgraderCourse(folder / "course root", write_gate(write_course(folder / "toy course")))
    made.run("generate_assignment", "adding")
    return made


def fresh_copy(of: NbgraderCourse, folder: Path) -> NbgraderCourse:
    """The same course before anybody handed anything in."""
    made = object.__new__(NbgraderCourse)
    made.root, made.course = folder / "course root", of.course
    shutil.copytree(of.root, made.root)
    return made


def in_one_process(action: str, root: Path, assignments: Iterable[str]) -> str:
    """Let nbgrader's API "generate" or "autograde" several assignments; what it says of each."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        [sys.executable, "-c", NBGRADER, action, *assignments],
        cwd=root, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout


FULL = {"small": 1.0, "any": 2.0, "state": 2.0}


NONE = {"small": 0.0, "any": 0.0, "state": 0.0}


WAITING = {"small": None, "any": None, "state": None}


def edited(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[dict[str, Any]], object]:
    """A solved notebook after somebody has changed its cells."""

    def make(solved: dict[str, Any]) -> object:
        notebook = copy.deepcopy(solved)
        change(notebook["cells"])
        return notebook

    return make


def add_code(text: str) -> Callable[[dict[str, Any]], object]:
    return edited(
        lambda cells: cells.append(
            {"cell_type": "code", "id": "mine", "metadata": {}, "source": text, "outputs": [],
             "execution_count": None}
        )
    )  # fmt: skip

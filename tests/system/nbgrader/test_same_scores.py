"""nbgrader's gradebook and `grader check` agree to the last digit, in all six assignments.

A few of the right answers in other styles and of the known-wrong ones are handed in, these also
plugged into later assignments; GRADER_TEST_EVERYBODY=1 hands in all, which takes a quarter of an hour.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbgrader_course import in_one_process
from toy import Silent, notebook

from grader.authoring.cases import Kind, plan_cases
from grader.authoring.lessons import lesson_path, read_lesson
from grader.authoring.mutants import apply, load_mutants
from grader.authoring.nbgrader_tree import write_tree
from grader.authoring.release import build_notebook, notebook_bytes, solution_sources
from grader.config.course import Course, load_course
from grader.gradebook import Gradebook, State
from grader.intake.discovery import discover
from grader.judging.engine import load_suites
from grader.model import Suite
from grader.pipeline import Options, check

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
ASSIGNMENTS = [assignment.id for assignment in load_course(ROOT).assignments]
STEPS = {Kind.STYLE: 5, Kind.FAKE: 16, Kind.MUTANT: 100}
"""Each so manyth right answer in another style, fake and known-wrong answer is handed in."""

EVERYBODY = os.environ.get("GRADER_TEST_EVERYBODY") == "1"

CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "transformer"
from grader.integrations.nbgrader import configure
configure(c, course={course!r})
"""
HOSTILE = """
import sys
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell.run_cell = lambda self, *a, **k: None
sys.modules["course"] = sys
class Always:
    def __eq__(self, other): return True
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
for name, value in list(globals().items()):
    if isinstance(value, type) and not name.startswith("_"):
        globals()[name] = Always()
"""


def list_hand_ins(course: Course, suites: dict[str, Suite]) -> Iterator[tuple[str, str, bytes]]:
    """The example class, right answers in other styles, wrong ones, and a hostile notebook each."""
    for submission in discover([ROOT / "examples/submissions"], course).submissions:
        yield submission.student, submission.assignment, Path(submission.path).read_bytes()
    cases = plan_cases(course, ASSIGNMENTS)
    for kind in Kind:
        of_a_kind = [case for case in cases if case.kind is kind]
        for case in of_a_kind[:: 1 if EVERYBODY else STEPS.get(kind, 1)]:
            made = notebook(*[cell.source for cell in case.cells])
            student = f"{case.kind.value} {case.name} {case.origin}".strip()
            yield student, case.assignment, made.encode()
    for name in ASSIGNMENTS:
        path = lesson_path(course, name)
        mutant = load_mutants(course, name)[0]
        answers = apply(mutant, solution_sources(course, read_lesson(path)))
        wrong = build_notebook(path, course, suites[name], solved=True, answers=answers)
        yield "wrong, as released", name, notebook_bytes(wrong)
        made = build_notebook(path, course, suites[name])
        cell = {"cell_type": "code", "id": "hostile", "metadata": {}, "source": HOSTILE}
        made["cells"].append({**cell, "execution_count": None, "outputs": []})
        yield "hostile", name, notebook_bytes(made)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Gradebook]:
    """The class's course root after nbgrader's autograde, and what `grader check` says of it."""
    root = tmp_path_factory.mktemp("same") / "course root"
    course = load_course(ROOT)
    suites = load_suites(course)
    write_tree(course, suites.values(), root)
    (root / "nbgrader_config.py").write_text(CONFIG.format(course=str(ROOT)))
    for student, assignment, content in list_hand_ins(course, suites):
        path = root / "submitted" / student / assignment / f"{assignment}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    assert "False" not in in_one_process("generate", root, ASSIGNMENTS)
    in_one_process("autograde", root, ASSIGNMENTS)
    return root, check([root / "submitted"], course, Options(), Silent())


def recorded(gradebook: Any, student: str, assignment: str) -> dict[str, float | None]:
    notebook = gradebook.find_submission_notebook(assignment, assignment, student)
    return {grade.name: grade.auto_score for grade in notebook.grades}


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_everybody_has_the_same_points(graded: tuple[Path, Gradebook], assignment: str) -> None:
    from nbgrader.api import Gradebook as Database

    root, book = graded
    scores = [
        one for one in book.scores if one.assignment == assignment and one.state != State.MISSING
    ]
    with Database(f"sqlite:///{root / 'gradebook.db'}", "transformer") as database:
        ours = {one.student: recorded(database, one.student, assignment) for one in scores}
        asked = [cell.name for cell in database.find_notebook(assignment, assignment).grade_cells]
        most = database.find_assignment(assignment).max_score
    waiting = dict.fromkeys(asked)
    theirs = {
        one.student: waiting if one.state is State.UNGRADED else one.questions for one in scores
    }
    assert ours == theirs
    assert {one.possible for one in scores} == {most}  # a bonus comes on top in both
    assert len(scores) >= 8
    assert {one.student: one.earned for one in scores}["hostile"] == 0


def test_who_is_ungraded_in_one_is_so_in_the_other(graded: tuple[Path, Gradebook]) -> None:
    _, book = graded
    assert [one.student for one in book.scores if one.state is State.UNGRADED] == ["lena"]

"""Source notebooks of nbgrader as lessons."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import grader
from source_notebooks import NBGRADER, Cell, code, prose, write_notebook

from grader.authoring.importing.lesson_text import read_notebook
from grader.authoring.importing.nbgrader import read_nbgrader
from grader.authoring.importing.run import import_from
from grader.authoring.new_course import new_course
from grader.authoring.release import build_notebooks, notebook_bytes
from grader.config.course import load_course
from grader.errors import ReleaseError
from grader.judging.engine import load_suites


def lesson_of(path: Path, *cells: Cell) -> str:
    return read_nbgrader(read_notebook(write_notebook(path / "ps.ipynb", *cells))).text()[0]


@pytest.fixture
def course(tmp_path: Path) -> Path:
    new_course(tmp_path / "course", empty=True, assignments=["first"])
    notebook = write_notebook(tmp_path / "source/ps1/problem 1.ipynb", *NBGRADER)
    import_from("nbgrader", notebook, load_course(tmp_path / "course"), None)
    return tmp_path / "course"


def test_questions_have_their_points_and_hidden_tests_are_hidden(course: Path) -> None:
    suite = load_suites(load_course(course))["problem_1"]
    assert {q.id: q.points for q in suite.assignment.questions} == {
        "squares_tests": 3,
        "total_tests": 1,
    }
    assert {check.id: check.public for check in suite.checks} == {
        "test_squares_tests_1": True, "test_squares_tests_2": False, "test_total_tests": False,
    }  # fmt: skip
    titles = {check.id: check.title for check in suite.checks}
    assert titles["test_squares_tests_1"] == "The squares of 1 to n are returned"


def test_no_answer_and_no_hidden_test_is_released(course: Path) -> None:
    loaded = load_course(course)
    made = {
        lesson.assignment: one
        for lesson, one in build_notebooks(loaded, load_suites(loaded).values())
    }
    given = notebook_bytes(made["problem_1"])
    for secret in (b"SECRET", b"LOOK", b"i ** 2", b"fsum", b"squares(11)", b"squares(-4)"):
        assert secret not in given, secret
    for text in (b"Squares of 1 to n.", b"YOUR ANSWER HERE", b"Plot it.", b"Write `squares`."):
        assert text in given, text


@pytest.mark.slow
def test_its_checks_hold_its_answers(course: Path) -> None:
    done = grader("verify", "problem_1", cwd=course)
    assert "not graded" not in done.stdout
    assert "✗ reference" not in done.stdout
    assert "✗ template" not in done.stdout


def test_what_a_person_grades_is_told(tmp_path: Path) -> None:
    text = lesson_of(tmp_path, *NBGRADER)
    assert text.count("is graded by a person") == 1  # a task, which has no place for an answer
    bonus = lesson_of(
        tmp_path, prose("SECRET", grade_id="why", grade=True, solution=True, points=0)
    )
    assert bonus.index('tags=["instructor"]\n# LOOK: `why`') < bonus.index("SECRET")


def test_an_answer_in_words_is_a_question_that_a_person_marks(course: Path) -> None:
    loaded = load_course(course)
    (why,) = loaded.assignment("problem_1").manual
    assert (why.id, why.title, why.points) == ("why", "Why", 2)
    lesson = (course / "lessons").glob("*problem_1.py")
    assert '# %% [markdown] answer="why"\n# The answer is SECRET.' in next(lesson).read_text()


def test_a_code_cell_that_a_person_grades_keeps_its_answer_hidden(tmp_path: Path) -> None:
    answer = code(
        "### BEGIN SOLUTION\nx = 1\n### END SOLUTION", grade_id="a", grade=True, solution=True
    )
    text = lesson_of(tmp_path, answer)
    assert "# %% solution x\n### BEGIN SOLUTION" in text


def test_what_tests_or_answers_nothing_is_told(tmp_path: Path) -> None:
    cells = (
        code("x = 1", grade_id="a", solution=True),
        code("import math", grade_id="b", grade=True, points=1),
        code("assert x", grade_id="c", grade=True, points=0),
    )
    text = lesson_of(tmp_path, *cells)
    assert "between BEGIN SOLUTION and END SOLUTION: students get it" in text
    assert "`b` tests nothing" in text
    assert "now it is worth 1 point" in text


def test_tests_that_are_no_python_stay_as_a_comment(tmp_path: Path) -> None:
    text = lesson_of(tmp_path, code("assert x = 1", grade_id="a", grade=True, points=1))
    assert "# LOOK: it is not Python" in text
    assert "    # assert x = 1\n    raise NotImplementedError" in text


def test_a_notebook_without_nbgraders_cells_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no source notebook of nbgrader"):
        lesson_of(tmp_path, prose("# x"), code("x = 1"))

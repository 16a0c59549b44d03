"""Scores to nbgrader's gradebook and back are the same scores."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook as Database

from grader.cli import grader
from grader.errors import UsageError
from grader.gradebook import Gradebook, RunInfo, Score, State
from grader.integrations.nbgrader.transfer import read_gradebook, write_gradebook
from grader.model import Ending, EndingKind, total

pytestmark = pytest.mark.slow  # nbgrader starts a program for every new gradebook

POINTS = {"small": 1.0, "any": 2.5}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A gradebook with one assignment of two questions, and nobody in it."""
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", tools)  # nbgrader calls alembic
    path = tmp_path / "grade book.db"
    with Database(f"sqlite:///{path}") as database:
        database.add_assignment("adding")
        database.add_notebook("adding", "adding")
        for name, points in POINTS.items():
            database.add_grade_cell(name, "adding", "adding", max_score=points, cell_type="code")
    return str(path)


def score(student: str, **questions: float) -> Score:
    state = State.GRADED if questions else State.UNGRADED
    ending = Ending() if questions else Ending(kind=EndingKind.FAULT)
    return Score(student, "adding", state, total(questions.values()), 3.5, ending, questions)


def book(*scores: Score) -> Gradebook:
    return Gradebook(1, "sums", (), scores, (), None, RunInfo())


def shared(scores: tuple[Score, ...]) -> list[Any]:
    """What both sides know."""
    return [(s.student, s.assignment, s.state, s.earned, s.possible, s.questions) for s in scores]


def test_there_and_back_nothing_changes(place: str) -> None:
    scores = (
        score("Zoë, M. O'Neil", small=1.0, any=2.5),
        score("ann", small=1 / 3, any=0.1 + 0.2),
        score("ungraded"),
        score("zero", small=0.0, any=0.0),
    )
    assert write_gradebook(book(*scores), place) == []
    found = read_gradebook(place, "sums")
    assert shared(found.scores) == shared(scores)
    asked = {question.id: question.points for question in found.assignments[0].questions}
    assert asked == POINTS
    assert write_gradebook(found, place) == []
    assert read_gradebook(place, "sums") == found


def test_what_a_person_decided_is_not_written_over(place: str) -> None:
    write_gradebook(book(score("ann", small=0.0, any=0.0)), place)
    with Database(f"sqlite:///{place}") as database:
        grade = database.find_grade("any", "adding", "adding", "ann")
        grade.manual_score, grade.needs_manual_grade = 2.0, False
        database.db.commit()
    write_gradebook(book(score("ann", small=1.0, any=1.0)), place)
    (found,) = read_gradebook(place, "sums").scores
    assert found.questions == {"small": 1.0, "any": 2.0}


def test_what_nbgrader_does_not_know_is_named(place: str) -> None:
    other = Score("ann", "summing", State.GRADED, 1.0, 1.0, Ending(), {"x": 1.0})
    assert write_gradebook(book(other, score("ann", small=1.0, new=1.0)), place) == [
        "ann/summing: nbgrader does not know this assignment",
        "ann/adding: nbgrader does not know the question `new`",
    ]


def test_a_file_that_is_no_gradebook_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("dear diary " * 100)
    with pytest.raises(UsageError, match="not a database"):
        read_gradebook(str(path), "sums")
    with pytest.raises(UsageError, match="no such gradebook"):
        read_gradebook(str(tmp_path / "gone.db"), "sums")


def test_the_command_takes_scores_out_and_puts_them_in(place: str, tmp_path: Path) -> None:
    write_gradebook(book(score("ann", small=1.0, any=2.5)), place)
    exported = tmp_path / "gradebook.json"
    invoke("--from-nbgrader", place, "--to", "json", "--output", str(exported))
    with Database(f"sqlite:///{place}") as database:
        database.find_grade("any", "adding", "adding", "ann").auto_score = 0.0
        database.db.commit()
    invoke(str(exported), "--to", "nbgrader", "--template", place)
    assert read_gradebook(place, "sums").scores[0].earned == 3.5


def invoke(*arguments: str) -> None:
    result = CliRunner().invoke(grader, ["export", *arguments])
    assert result.exit_code == 0, result.output

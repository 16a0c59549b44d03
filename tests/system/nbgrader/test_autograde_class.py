"""A whole class in nbgrader, everybody in it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from nbgrader_course import (
    FULL,
    NONE,
    WAITING,
    NbgraderCourse,
    add_code,
    edited,
    fresh_copy,
)
from toy import Silent

from grader.gradebook import State
from grader.pipeline import Options, check


def named(cells: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(c for c in cells if c["metadata"].get("nbgrader", {}).get("grade_id") == name)


def with_metadata(**metadata: object) -> Callable[[dict[str, Any]], object]:
    return lambda solved: {**solved, "metadata": metadata}


PATCHES = """
from IPython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
if get_ipython() is not None:
    get_ipython().input_transformers_cleanup.append(lambda lines: ["pass"])
InteractiveShell.run_cell = lambda self, *a, **k: None
import sys
sys.modules["course"] = sys
class Always:
    def __eq__(self, other): return True
def add(a, b): return Always()
class Counter:
    def __init__(self, *a): pass
    def up(self): return Always()
"""


CLASS: dict[str, tuple[Callable[[dict[str, Any]], object], dict[str, Any]]] = {
    "right": (lambda solved: solved, FULL),
    "no metadata": (
        edited(lambda cells: [c.update(metadata={}) for c in cells]), FULL,
    ),
    "no metadata at all": (lambda solved: {**solved, "metadata": {}, "nbformat_minor": 0}, FULL),
    "removed questions": (
        edited(lambda cells: [cells.remove(named(cells, n)) for n in ("small", "state")]), FULL,
    ),
    "removed answer": (
        edited(lambda cells: cells.remove(named(cells, "Counter"))), FULL | {"state": 1.0},
    ),
    "duplicated question": (
        edited(lambda cells: cells.extend([copy.deepcopy(named(cells, "small"))] * 2)), FULL,
    ),
    "duplicated answer": (
        edited(lambda cells: cells.append(copy.deepcopy(named(cells, "add")))), FULL,
    ),
    "retyped": (
        edited(lambda cells: named(cells, "small").update(cell_type="markdown")), FULL,
    ),
    "reordered": (edited(lambda cells: cells.reverse()), FULL),
    "renamed": (
        edited(lambda cells: named(cells, "any")["metadata"]["nbgrader"].update(grade_id="mine")),
        FULL,
    ),
    "more points": (
        edited(lambda cells: named(cells, "any")["metadata"]["nbgrader"].update(points=9999)), FULL,
    ),
    "old schema": (
        edited(lambda cells: [
            c["metadata"]["nbgrader"].update(schema_version=1) for c in cells
            if "nbgrader" in c["metadata"]
        ]), FULL,
    ),
    "newer schema": (
        edited(lambda cells: named(cells, "any")["metadata"]["nbgrader"].update(schema_version=99)),
        FULL,
    ),
    "other kernel name": (
        with_metadata(kernelspec={"name": "conda-x", "display_name": "X", "language": "python"}),
        FULL,
    ),
    "Zoë, M. O'Neil": (lambda solved: solved, FULL),
    "=cmd()": (lambda solved: solved, FULL),
    "stderr": (add_code("import sys; print('a warning', file=sys.stderr)"), FULL),
    "hostile": (add_code(PATCHES), NONE),
    "endless": (add_code("def add(a, b):\n    while True: pass"), {**NONE, "state": 1.0}),
    "exits": (add_code("import os; os._exit(0)"), FULL),
    "kernelspecs in a list": (with_metadata(kernelspec=[{"name": "a"}, {"name": "b"}]), FULL),
    "another language": (
        with_metadata(kernelspec={"name": "ir", "display_name": "R", "language": "R"}), WAITING,
    ),
    "two kernelspecs": (
        lambda solved: json.dumps(solved)
        .replace('"kernelspec": {', '"kernelspec": {"name": "conda-x"}, "kernelspec": {')
        .encode(),
        WAITING,
    ),
    "not a notebook": (lambda _: b"<html>", WAITING),
    "empty file": (lambda _: b"", WAITING),
    "json": (lambda _: b'{"cells": 3}', WAITING),
    "too deep": (lambda _: b"[" * 100_000, WAITING),
}  # fmt: skip
"""Students by what is special about them: their notebook, and their points."""


@pytest.fixture(scope="module")
def graded(
    untouched: NbgraderCourse, tmp_path_factory: pytest.TempPathFactory
) -> tuple[NbgraderCourse, str]:
    """The whole class, autograded at once; and nbgrader's log."""
    course = fresh_copy(untouched, tmp_path_factory.mktemp("class"))
    for student, (work, _) in CLASS.items():
        course.hand_in(student, work(course.solved()))
    (course.root / "submitted/nothing/adding").mkdir(parents=True)
    (course.root / "roster.csv").write_text("id,name\nright,Ann Example\nhostile,<b>Eve</b> X\n")
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text().replace("(c, ", '(c, roster="roster.csv", '))
    return course, course.run("autograde", "adding", status=3)


@pytest.mark.parametrize("student", CLASS)
def test_everybody_gets_their_points(graded: tuple[NbgraderCourse, str], student: str) -> None:
    assert graded[0].points(student) == CLASS[student][1]


def test_the_scores_are_those_of_grader_check(graded: tuple[NbgraderCourse, str]) -> None:
    course, _ = graded
    book = check([course.root / "submitted"], course.course, Options(), Silent())
    scores = {one.student: one for one in book.scores}
    for student in CLASS:
        score = scores[student]
        points = WAITING if score.state is State.UNGRADED else score.questions
        assert course.points(student) == points, student


def test_who_is_ungraded_is_named_with_the_reason(graded: tuple[NbgraderCourse, str]) -> None:
    _, log = graded
    assert "not a notebook: adding: not graded: it is a web page" in log
    assert "another language: adding: not graded: it is written for another language: 'r'" in log
    assert "nothing: adding: not graded: no `adding.ipynb` was handed in" in log
    assert "adding: not graded: another language, empty file, json" in log
    assert "Traceback" not in log


def test_repairs_are_told(graded: tuple[NbgraderCourse, str]) -> None:
    _, log = graded
    assert "removed questions: adding: the cell `state` was missing, and is put back" in log
    assert "retyped: adding: the cell `small` had become another type" in log
    assert "duplicated question: adding: the cell `small` occurs more than once" in log


def test_feedback_stands_under_each_question(graded: tuple[NbgraderCourse, str]) -> None:
    cells = graded[0].graded("endless")["cells"]
    shown = "".join(named(cells, "any")["outputs"][0]["data"]["text/plain"])
    assert shown.startswith("**Any numbers: 0 of 2 points**")
    state = "".join(named(cells, "state")["outputs"][0]["data"]["text/plain"])
    assert "✓ **Counts up from where it starts** (hidden): passed, 1 of 1" in state


def test_a_file_that_cannot_be_read_can_still_be_graded_by_hand(
    graded: tuple[NbgraderCourse, str],
) -> None:
    cells = graded[0].graded("not a notebook")["cells"]
    assert "could not be read" in "".join(cells[0]["source"])
    assert named(cells, "any")["metadata"]["nbgrader"]["points"] == 2


def test_names_survive_the_export(graded: tuple[NbgraderCourse, str]) -> None:
    rows = {row["student_id"]: row for row in graded[0].exported()}
    assert rows["Zoë, M. O'Neil"]["score"] == "5.0"
    assert rows["'=cmd()"]["score"] == "5.0"
    assert rows["not a notebook"]["needs_manual_grade"] == "True"
    assert rows["right"]["needs_manual_grade"] == "False"


def test_students_are_called_what_the_roster_says(graded: tuple[NbgraderCourse, str]) -> None:
    with graded[0].gradebook() as gradebook:
        people = {one.id: (one.first_name, one.last_name) for one in gradebook.students}
    assert people["right"] == ("Ann", "Example")
    assert people["hostile"] == ("bEve/b", "X")  # nbgrader writes names into its pages as they are
    assert people["empty file"] == (None, None)


def test_a_roster_that_cannot_be_read_is_named_and_stops_nobody(course: NbgraderCourse) -> None:
    course.hand_in("ann", course.solved())
    log = course.run("autograde", "adding", "--GradingExporter.roster=nowhere.csv")
    assert "students stay without names" in log
    assert "nowhere.csv" in log


def test_feedback_pages_hold_no_hidden_source(graded: tuple[NbgraderCourse, str]) -> None:
    course, _ = graded
    course.run("generate_feedback", "adding")
    page = (course.root / "feedback/hostile/adding/adding.html").read_text(encoding="utf-8")
    assert "Adds numbers of any size" in page
    secrets = ("reference.add", "rng.random", "assert_close", "hidden/test_", "Traceback (")
    assert [secret for secret in secrets if secret in page] == []
    # a public check may say where it stands, which everybody has: its file is called the same
    assert page.count("test_adding.py") == page.count("can't be fetched")

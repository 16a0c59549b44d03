"""Predictions in a notebook: shown under the cell, ungraded, never in the way; and in every lesson."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from course import check
from course.checking import GREEN, GREY
from course.predictions import BLUE, compared
from grader.authoring.lessons import lesson_paths, practice_lessons, read_lesson
from grader.config.course import load_course

COURSE = load_course(Path(__file__).parents[2])
PATHS = lesson_paths(COURSE) | {path.stem: path for path in practice_lessons(COURSE)}
LESSONS = sorted(PATHS)
PREDICTED_SCALE = {"out": 0.2, "table": None}


def test_a_cell_compares_what_the_notebook_holds(capsys: pytest.CaptureFixture[str]) -> None:
    check("prediction scale", {"out": 0.16, "table": 0.02})
    out, table = capsys.readouterr().out.splitlines()
    assert out.startswith("≠ out: you said 0.2, it is 0.16: 25% too large")
    assert table == "– table: nothing predicted; it is 0.02"


def test_without_the_cell_it_says_what_to_run(capsys: pytest.CaptureFixture[str]) -> None:
    check("prediction of losses", {"first": 1.0})
    assert capsys.readouterr().out == (
        "Run the cell with PREDICTED_OF_LOSSES first: it is a dict of your predictions.\n"
    )


def test_nothing_is_compared_while_grading(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_GRADING", "1")
    check("prediction scale", {"out": 0.16})
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("number", "colour"), [(0.16, GREEN), (3, BLUE), (None, GREY), ("<b>", GREY)])  # fmt: skip
def test_a_page_shows_it_by_colour_and_in_words(number: object, colour: str) -> None:
    names = {"PREDICTED_SCALE": {"<i>": number}}
    page = compared(names, "prediction scale", {"<i>": 0.16}, 0.1, 0.0)._repr_html_()
    assert f"border:1px solid {colour}" in page
    assert "&lt;i&gt;" in page
    assert "<i>" not in page
    assert not re.search(r"<b>&#x27;|'<b>'", page)


def predictions_of(assignment: str) -> dict[str, tuple[int, dict[str, object]]]:
    """For each dict of predictions in a lesson, the number of its cell and what it holds."""
    found = {}
    for number, cell in enumerate(read_lesson(PATHS[assignment]).cells):
        match = re.match(r"(PREDICTED_\w+) = ", re.sub(r"^#.*\n", "", cell.source, flags=re.M))
        if cell.kind == "code" and match:
            found[match[1]] = (number, ast.literal_eval(ast.parse(cell.source).body[-1].value))  # type: ignore[attr-defined]
    return found


def comparisons_of(assignment: str) -> dict[str, tuple[int, list[str]]]:
    """For each comparison, the number of its cell and what it measures."""
    found = {}
    for number, cell in enumerate(read_lesson(PATHS[assignment]).cells):
        calls = ast.walk(ast.parse(cell.source)) if cell.kind == "code" else ()
        for call in calls:
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "check" and len(call.args) > 1:  # fmt: skip
                question, measured = call.args
                assert isinstance(measured, ast.Dict)
                variable = f"PREDICTED_{ast.literal_eval(question).removeprefix('prediction ').replace(' ', '_').upper()}"
                found[variable] = (number, [ast.literal_eval(key) for key in measured.keys if key])
    return found


@pytest.mark.parametrize("assignment", LESSONS)
def test_every_prediction_is_empty_and_has_its_comparison_in_a_later_cell(assignment: str) -> None:
    predicted, compared_with = predictions_of(assignment), comparisons_of(assignment)
    assert predicted.keys() == compared_with.keys()
    for name, (number, numbers) in predicted.items():
        later, measured = compared_with[name]
        assert later > number
        assert list(numbers) == measured
        assert set(numbers.values()) == {None}
    assert len(predicted) >= 2 or assignment[0].isdigit()

"""The example class gets the scores that a careful person would give, and this says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from toy import Silent

from grader.config import load_course
from grader.model import EndingKind, Gradebook, Score, State
from grader.pipeline import Options, check

ROOT = Path(__file__).parent.parent

FULL = {
    "shapes": 3.0,
    "scale": 2.0,
    "sinusoidal": 3.0,
    "learned": 2.0,
    "max_len": 1.0,
    "dropout": 2.0,
    "dtype_device": 2.0,
}

DESERVED: dict[str, tuple[dict[str, float], str]] = {
    "anna": (FULL, "all right"),
    "bilal": (FULL, "all right in another style: no table of waves, functional dropout"),
    "chen": ({**FULL, "scale": 0.0}, "the factor is missing, everything else is right"),
    "dora": (
        {**FULL, "sinusoidal": 1.0, "learned": 1.5, "max_len": 0.75, "dropout": 1.25},
        (
            "columns in halves: only what does not depend on their order is left; one learned row too"
            " many, which also accepts one token too many; dropout is on in eval mode"
        ),
    ),
    "emil": (dict.fromkeys(FULL, 0.0), "the untouched template earns nothing"),
    "fatima": (
        {**FULL, "shapes": 2.5, "learned": 0.0, "max_len": 0.5, "dtype_device": 1.0},
        (
            "a syntax error in the learned positions costs what needs them, half of it where both"
            " kinds are asked for"
        ),
    ),
    "greta": (FULL, "a file that is not there costs nothing: the cells after it are right"),
    "hugo": (
        {**FULL, "max_len": 0.75},
        "a sequence that is too long hangs instead of being refused: one check is lost",
    ),
    "ines": (
        {**FULL, "shapes": 2.5, "learned": 0.0, "max_len": 0.5, "dtype_device": 1.0},
        "learned positions ask for four terabytes; waves are right",
    ),
    "jonas": (FULL, "own cells, renamed variables and saved outputs change nothing"),
    "kira": (dict.fromkeys(FULL, 0.0), "patched the grader and wrote no answer"),
}


@pytest.fixture(scope="module")
def gradebook() -> Gradebook:
    options = Options(assignments=("embeddings",))
    return check([ROOT / "examples/submissions"], load_course(ROOT), options, Silent())


@pytest.fixture(scope="module")
def scores(gradebook: Gradebook) -> dict[str, Score]:
    return {score.student: score for score in gradebook.scores}


@pytest.mark.parametrize("student", DESERVED)
def test_everyone_gets_what_they_deserve(scores: dict[str, Score], student: str) -> None:
    expected, why = DESERVED[student]
    assert scores[student].questions == expected, why
    assert scores[student].state is State.GRADED


def test_what_is_no_notebook_is_ungraded(scores: dict[str, Score]) -> None:
    assert scores["lena"].state is State.UNGRADED
    assert scores["lena"].ending.kind is EndingKind.UNREADABLE
    assert "not a notebook" in scores["lena"].ending.message


def test_the_class_has_twelve_students_and_no_other_problem(gradebook: Gradebook) -> None:
    assert len(gradebook.scores) == 12
    assert gradebook.problems == ()


def test_endings_are_named(scores: dict[str, Score]) -> None:
    assert scores["hugo"].ending.kind is EndingKind.TIME
    assert "test_too_long[sinusoidal]" in scores["hugo"].ending.message
    assert scores["greta"].cell_errors[0].error == "FileNotFoundError"
    assert scores["fatima"].cell_errors[0].error == "SyntaxError"
    assert {scores[name].ending.kind for name in ("anna", "bilal", "jonas")} == {
        EndingKind.COMPLETED
    }


def test_the_submissions_are_notebooks_as_jupyter_writes_them() -> None:
    import nbformat

    for path in sorted((ROOT / "examples/submissions").rglob("*.ipynb")):
        if path.parent.name != "lena":
            nbformat.validate(json.loads(path.read_text(encoding="utf-8")))

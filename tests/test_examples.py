"""The example class gets the scores that a careful person would give, and this says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from toy import Silent

from grader.config.course import load_course
from grader.gradebook import Gradebook, Score, State
from grader.model import EndingKind, Status
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
    "chen": ({**FULL, "scale": 0.5}, "the factor is missing, everything else is right"),
    "dora": (
        {**FULL, "sinusoidal": 1.0, "learned": 1.5, "max_len": 0.75, "dropout": 1.25},
        (
            "columns in halves: only what does not depend on their order is left; one learned row too"
            " many, which also accepts one token too many; dropout is on in eval mode"
        ),
    ),
    "emil": (dict.fromkeys(FULL, 0.0), "the untouched template earns nothing"),
    "fatima": (
        {**FULL, "shapes": 2.625, "learned": 0.0, "max_len": 0.5, "dtype_device": 1.0},
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
        {**FULL, "shapes": 2.625, "learned": 0.0, "max_len": 0.5, "dtype_device": 1.0},
        "learned positions ask for four terabytes; waves are right",
    ),
    "jonas": (FULL, "own cells, renamed variables and saved outputs change nothing"),
    "kira": (dict.fromkeys(FULL, 0.0), "patched the grader and wrote no answer"),
}

LEFT_OUT: dict[str, set[str]] = {
    "anna": {"rms_norm", "swiglu", "rope", "grouped_attention", "modern_block"},
    "bilal": set(),
}
"""Questions of a bonus that were left as they were handed out."""

MISTAKES = [
    ("chen", "blocks", {"score_scale"}),
    ("chen", "full_model", set()),
    ("chen", "generation", {"context", "sampling", "top_p", "min_p"}),
    ("dora", "blocks", {"residual", "pre_norm"}),
    ("dora", "weight_tying", {"sharing", "one_parameter", "gradients", "survives"}),
    ("dora", "memory_estimation", {"counting"}),
    ("greta", "full_model", {"causality"}),
    ("jonas", "blocks", set()),
]


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


@pytest.fixture(scope="module")
def course_scores() -> dict[tuple[str, str], Score]:
    """The other five assignments."""
    course = load_course(ROOT)
    others = tuple(a.id for a in course.assignments if a.id != "embeddings")
    found = check([ROOT / "examples/submissions"], course, Options(assignments=others), Silent())
    return {(score.student, score.assignment): score for score in found.scores}


@pytest.mark.slow
@pytest.mark.parametrize("student", ["anna", "bilal"])
def test_right_work_gets_all_points_of_the_course(
    course_scores: dict[tuple[str, str], Score], student: str
) -> None:
    own = [score for (name, _), score in course_scores.items() if name == student]
    assert len(own) == 5
    for score in own:
        assert score.state is State.GRADED
        tried = [o for o in score.outcomes if o.question not in LEFT_OUT[student]]
        assert {outcome.status for outcome in tried} == {Status.PASSED}, score.assignment


@pytest.mark.slow
def test_a_bonus_that_is_left_out_costs_nothing(
    course_scores: dict[tuple[str, str], Score],
) -> None:
    score = course_scores["anna", "blocks"]
    assert (score.earned, score.possible) == (25.0, 25.0)
    assert {o.question for o in score.outcomes if o.earned < o.possible} == LEFT_OUT["anna"]


@pytest.mark.slow
@pytest.mark.parametrize(("student", "assignment", "loses"), MISTAKES)
def test_a_mistake_costs_its_own_questions_and_no_other(
    course_scores: dict[tuple[str, str], Score], student: str, assignment: str, loses: set[str]
) -> None:
    score = course_scores[student, assignment]
    lost = {outcome.question for outcome in score.outcomes if outcome.earned < outcome.possible}
    assert lost == loses


@pytest.mark.slow
def test_who_handed_nothing_in_is_missing(course_scores: dict[tuple[str, str], Score]) -> None:
    assert course_scores["emil", "generation"].state is State.MISSING


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

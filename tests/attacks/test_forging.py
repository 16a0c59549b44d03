"""Attempts to forge a score: each between two honest neighbours, none earns an undeserved point.

The numbers are those of the threat model (docs/threat-model.md, "Forging the grade").
"""

from __future__ import annotations

from pathlib import Path

import pytest
from forgeries import ATTACKS, DESERVED
from hostile import ON_LINUX, Aftermath, grade_between_neighbours
from toy import RIGHT, Silent, notebook, write

from grader.config.course import Course
from grader.gradebook import Score, State
from grader.pipeline import Options, check


def graded(*paths: Path, course: Course, sandbox: bool = True) -> dict[str, Score]:
    gradebook = check(paths, course, Options(sandbox=sandbox), Silent())
    return {score.student: score for score in gradebook.scores}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(True, id="walled", marks=ON_LINUX),
        pytest.param(False, id="off", marks=pytest.mark.slow),
    ],
)
def aftermath(request: pytest.FixtureRequest) -> Aftermath:
    """Verdicts do not depend on the wall: they are the judge's with and without it."""
    return grade_between_neighbours(ATTACKS, sandbox=request.param, told=False)


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_undeserved_is_earned(aftermath: Aftermath, attack: str) -> None:
    score = aftermath.scores[attack]
    assert score.earned <= DESERVED[attack], score.outcomes
    assert score.state is State.GRADED, score.ending


def test_neighbours_are_graded_as_if_alone(aftermath: Aftermath) -> None:
    assert aftermath.spoiled() == []


def test_nothing_is_left(aftermath: Aftermath) -> None:
    assert aftermath.left == []


def test_a_replaced_worker_finds_nothing_of_the_one_before(aftermath: Aftermath) -> None:
    if aftermath.gradebook.isolation and aftermath.gradebook.isolation.mode != "off":
        assert "before: 0" in aftermath.scores["counts_its_deaths"].output
        assert "before: 1" not in aftermath.scores["counts_its_deaths"].output


def test_no_fake_result_lies_in_the_graders_folder(aftermath: Aftermath) -> None:
    assert aftermath.scores["fake_results"].earned == 0.0
    assert not list(Path.cwd().glob("results.json"))


def test_what_a_submission_plants_is_never_collected(
    toy_course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threat 10: conftest.py, pytest.ini, sitecustomize.py beside a submission change nothing."""
    ann = write(tmp_path / "class/ann/adding.py", RIGHT)
    mallory = write(tmp_path / "class/mallory/adding.ipynb", notebook("x = 1"))
    planted = "import os\nopen(os.path.join(os.path.dirname(__file__), 'ran'), 'w')\n"
    for folder in (ann.parent, mallory.parent, tmp_path):
        for name in ("conftest.py", "sitecustomize.py", "usercustomize.py", "grader.py"):
            write(folder / name, planted)
        write(folder / "pytest.ini", "[pytest]\naddopts = --collect-only\n")
    monkeypatch.chdir(mallory.parent)
    scores = graded(mallory, ann, course=toy_course)
    assert {name: score.earned for name, score in scores.items()} == {"ann": 5.0, "mallory": 0.0}
    assert not list(tmp_path.rglob("ran"))

"""How many answers that only pretend there are, and how little each may earn."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.authoring.fakes import load_fakes
from grader.authoring.lessons import lesson_paths
from grader.config.course import load_course
from grader.judging.engine import load_suites
from grader.model import Suite

COURSE = load_course(Path(__file__).parents[2])
ASSIGNMENTS = list(lesson_paths(COURSE))
LEAST = 8
SHARE = 0.15


@pytest.fixture(scope="module")
def suites() -> dict[str, Suite]:
    return load_suites(COURSE, ASSIGNMENTS)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_assignment_has_enough_fakes(assignment: str) -> None:
    assert len(load_fakes(COURSE, assignment)) >= LEAST


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_no_fake_may_earn_much(assignment: str, suites: dict[str, Suite]) -> None:
    possible = suites[assignment].assignment.points
    allowed = {fake.name: fake.at_most for fake in load_fakes(COURSE, assignment)}
    assert {name: most for name, most in allowed.items() if most > SHARE * possible} == {}

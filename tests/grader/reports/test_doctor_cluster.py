"""What is found out about a cluster's workers, in a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from grader.integrations.dask.doctor import Fitness
from grader.integrations.dask.messages import Host
from grader.reports.doctor_cluster import print_cluster


def shown(*rows: Fitness) -> str:
    out = io.StringIO()
    complete = not any(row.unfit for row in rows)
    print_cluster(rows, complete=complete, out=Console(file=out, width=200))
    return out.getvalue()


def host(name: str) -> Host:
    return Host(f"tcp://{name}:1", name, versions={"torch": "2.13.0"}, mode="full", slots=4)


def test_workers_come_by_host_and_what_can_grade_is_counted() -> None:
    text = shown(Fitness(host("node2"), ()), Fitness(host("node1"), ()))
    assert text.index("node1") < text.index("node2")
    assert "torch 2.13.0" in text
    assert "2 of 2 workers can grade: 8 submissions at once." in text


def test_who_can_not_grade_is_named_with_the_reason() -> None:
    text = shown(Fitness(host("node1"), ("another engine: aa instead of bb",), ("slow clock",)))
    assert "node1 (tcp://node1:1): another engine: aa instead of bb" in text
    assert "node1 (tcp://node1:1): slow clock" in text
    assert "0 of 1 workers can grade" in text


def test_what_a_worker_calls_itself_acts_on_no_terminal() -> None:
    assert "\x1b" not in shown(Fitness(host("no\x1b[31mde"), ("\x1b[2J",)))

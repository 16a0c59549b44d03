"""Several nbgraders enter the same students at the same moment, and none of them fails."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook, InvalidEntry, MissingEntry
from postgresql import drop_everything, empty_database
from sqlalchemy.exc import OperationalError

from grader.integrations.nbgrader.enrolling import enrol
from grader.integrations.nbgrader.people import Names, SafeNames

pytestmark = pytest.mark.slow  # nbgrader starts a program for every new gradebook

STUDENTS = [f"student{number:03}" for number in range(100)]
ENROL = """
import sys
from nbgrader.api import Gradebook
from grader.integrations.nbgrader.enrolling import enrol

with Gradebook(sys.argv[1]) as gradebook:
    print("ready", flush=True)
    sys.stdin.readline()
    print(enrol(gradebook, sys.argv[2:]), flush=True)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with empty_database() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.e2e)])
def url(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """An empty gradebook."""
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", tools)  # nbgrader calls alembic
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'gradebook.db'}"
    else:
        address = request.getfixturevalue("server")
        yield address
        drop_everything(address)


def known(url: str) -> list[str]:
    with Gradebook(url) as gradebook:
        return sorted(student.id for student in gradebook.students)


def test_many_who_enrol_the_same_class_at_once_all_succeed(url: str) -> None:
    Gradebook(url).close()
    running = [
        subprocess.Popen(
            [sys.executable, "-c", ENROL, url, *STUDENTS],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    said = []
    for process in running:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=300) for process in running]
    assert said == [("{}\n", "")] * 4
    assert known(url) == STUDENTS


def test_names_go_where_the_gradebook_has_none(url: str) -> None:
    people = {name: SafeNames("Ann", name, f"{name}@example.org") for name in ("ann", "bob", "cat")}
    with Gradebook(url) as gradebook:
        gradebook.add_student("bob", last_name="Typed", email="typed@example.org")
        gradebook.add_student("cat")
        assert enrol(gradebook, ["ann", "bob", "cat", "stranger"], Names(people)) == {}
    with Gradebook(url) as gradebook:
        entries = {one.id: (one.first_name, one.last_name, one.email) for one in gradebook.students}
    assert entries == {
        "ann": ("Ann", "ann", "ann@example.org"),
        "bob": (None, "Typed", "typed@example.org"),
        "cat": ("Ann", "cat", "cat@example.org"),
        "stranger": (None, None, None),
    }


class Slower(Gradebook):  # type: ignore[misc]
    """A gradebook in which somebody else adds every student right after it was not found."""

    def find_student(self, student_id: str) -> Any:
        try:
            return super().find_student(student_id)
        except MissingEntry:
            with Gradebook(self.engine.url) as other:
                other.add_student(student_id)
            raise


def test_who_has_been_added_meanwhile_is_there(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with Slower(url) as gradebook:
        assert enrol(gradebook, ["ann", "bob"]) == {}
        assert gradebook.find_student("bob").id == "bob"
    assert known(url) == ["ann", "bob"]
    assert "Traceback" not in caplog.text


def test_nbgraders_log_is_as_before_afterwards(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with Gradebook(url) as gradebook:
        enrol(gradebook, ["ann"])
        with pytest.raises(InvalidEntry):
            gradebook.add_student("ann")
    assert "Rolling back session" in caplog.text
    assert logging.getLogger("tornado.application").filters == []


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.e2e
def test_a_name_that_the_database_refuses_is_told_and_stops_nobody(url: str) -> None:
    long = "x" * 200
    with Gradebook(url) as gradebook:
        refused = enrol(gradebook, ["ann", long, "bob"])
    assert list(refused) == [long]
    assert "too long" in refused[long]
    assert known(url) == ["ann", "bob"]


class Freed(Gradebook):  # type: ignore[misc]
    """A gradebook that somebody else has locked, until it was tried once."""

    def add_student(self, student_id: str, **more: Any) -> Any:
        try:
            return super().add_student(student_id, **more)
        except InvalidEntry:
            self.holder.rollback()
            raise


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_locked_database_is_tried_again(url: str, tmp_path: Path) -> None:
    with Freed(f"{url}?timeout=0") as gradebook:
        gradebook.holder = sqlite3.connect(tmp_path / "gradebook.db", isolation_level=None)
        gradebook.holder.execute("BEGIN IMMEDIATE")
        assert enrol(gradebook, ["ann"]) == {}
        gradebook.holder.close()
    assert known(url) == ["ann"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_database_that_stays_locked_is_an_error(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Gradebook(f"{url}?timeout=0") as gradebook:
        holder = sqlite3.connect(tmp_path / "gradebook.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="database is locked"):
            enrol(gradebook, ["ann"])
        holder.close()
    assert "Traceback" not in caplog.text

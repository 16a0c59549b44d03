"""What each student's files may cost to read, and what is kept of what they said."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from toy import notebook, write

from grader.config.course import Course
from grader.errors import IntakeError
from grader.intake import readings
from grader.intake.discovery import discover
from grader.intake.notebook import Reading
from grader.intake.readings import OverBudget, ReadingBudget, Readings, Said


class Kept(dict[tuple[str, str], Said]):
    """Keeps readings in memory, and counts what was found."""

    found = 0

    def find_reading(self, kind: str, content: str, type_: type[Said]) -> Said | None:
        said = self.get((kind, content))
        self.found += said is not None
        return said

    def keep_reading(self, kind: str, content: str, said: Said) -> None:
        self[kind, content] = said


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Kept:
    """A keeper to which everything seems to take long."""
    monkeypatch.setattr(readings, "KEPT_FROM_S", -1.0)
    monkeypatch.setattr(readings, "KEPT_FROM_BYTES", 0)
    return Kept()


NOTEBOOK = notebook("x = 1", assignment="adding").encode()


def test_what_took_long_is_read_once(keeper: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Readings(keeper)
    said = first.assignment(NOTEBOOK, "a.ipynb"), first.cells(NOTEBOOK, "a.ipynb")
    monkeypatch.setattr(readings, "read", None)
    monkeypatch.setattr(readings, "metadata_assignment", None)
    again = Readings(keeper)
    assert (again.assignment(NOTEBOOK, "b.ipynb"), again.cells(NOTEBOOK, "b.ipynb")) == said
    assert said[0] == "adding"


def test_the_same_bytes_are_another_file_as_a_script(keeper: Kept) -> None:
    both = Readings(keeper)
    assert both.cells(b"{}", "a.py").cells[0].source == "{}"
    with pytest.raises(IntakeError, match="no list of cells"):
        both.cells(b"{}", "a.ipynb")


def test_why_a_file_cannot_be_read_is_kept_too(keeper: Kept) -> None:
    for _ in range(2):
        with pytest.raises(IntakeError, match="web page") as error:
            Readings(keeper).cells(b"<html>", "mine.ipynb")
        assert error.value.where == "mine.ipynb"
        assert error.value.hint
    assert keeper.found == 1


def test_what_is_read_at_once_is_not_kept() -> None:
    keeper = Kept()
    assert isinstance(Readings(keeper).cells(NOTEBOOK, "a.ipynb"), Reading)
    assert not keeper


def test_a_budget_counts_processor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "MAX_SECONDS", 1e-9)
    budget = ReadingBudget()
    with budget.spending():
        sum(range(100_000))
    with pytest.raises(OverBudget, match="more than 1e-09 s"), budget.spending():
        pass


def test_a_budget_counts_bytes() -> None:
    budget = ReadingBudget()
    budget.bytes = readings.MAX_BYTES + 1
    with pytest.raises(OverBudget, match="256 MiB"), budget.spending():
        pass


def test_what_can_not_be_read_is_counted_too() -> None:
    budget = ReadingBudget()
    with pytest.raises(IntakeError), budget.spending():
        raise IntakeError(str(sum(range(100_000))))
    assert budget.seconds > 0


def test_waiting_is_not_spending() -> None:
    budget = ReadingBudget()
    with budget.spending():
        time.sleep(0.1)
    assert budget.seconds < 0.09


@pytest.mark.parametrize("limit", ["MAX_BYTES", "MAX_SECONDS"])
def test_who_hands_in_too_much_is_named_and_everybody_else_is_graded(
    tmp_path: Path, toy_course: Course, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    write(tmp_path / "in/ann/adding.py", "x = 1")
    for number in range(5):
        write(tmp_path / f"in/eve/{number}.ipynb", json.dumps({"n": "x" * 500_000, "cells": []}))
    monkeypatch.setattr(readings, limit, 1_000_000 if limit == "MAX_BYTES" else 1e-9)
    found = discover([tmp_path / "in"], toy_course)
    problems = [(one.student, one.kind) for one in found.problems if one.kind != "unmatched"]
    assert ("eve", "too-much") in problems
    assert [one.kind for one in found.problems if one.student == "eve"] == ["too-much"]
    assert found.students == ("ann", "eve")
    assert [one.student for one in found.submissions] == ["ann"]


def test_a_large_notebook_full_of_pictures_is_read(toy_course: Course, tmp_path: Path) -> None:
    made = json.loads(notebook("x = 1", assignment="adding"))
    picture = {"output_type": "display_data", "metadata": {"width": float("nan")}}
    made["cells"][0]["outputs"] = [{**picture, "data": {"image/png": "iVBOR" * 1_600_000}}]
    write(tmp_path / "in/dan/any.ipynb", json.dumps(made))
    (submission,) = discover([tmp_path / "in"], toy_course).submissions
    assert submission.assignment == "adding"

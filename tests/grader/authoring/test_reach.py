"""Which checks reach what: a mutant is asked those alone, and nothing is lost by that."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy import Silent, write_course, write_gate

from grader.authoring import trials
from grader.authoring.cases import Kind, in_place_of, material
from grader.authoring.reach import Tracer, changed_functions
from grader.authoring.verify import verify
from grader.config.course import Course, load_course
from grader.model import Cell
from grader.store.fingerprint import suite_digests

RIGHT = {
    "add": 'def add(a, b):\n    """Add."""\n    return a + b',
    "Counter": "class Counter:\n    step = 1\n    def next(self):\n        return 1\n"
    "    def reset(self):\n        return 0",
}


@pytest.mark.parametrize(
    ("name", "before", "after", "changed"),
    [
        ("add", "a + b", "a - b", ("add",)),
        ("add", '    """Add."""\n', "", ()),
        ("add", "a, b)", "a, b=0)", None),
        ("add", "def add", "@cache\ndef add", None),
        ("add", "def add", "LIMIT = 3\ndef add", None),
        ("Counter", "return 1", "return 2", ("Counter.next",)),
        ("Counter", "step = 1", "step = 2", None),
        ("Counter", "def reset", "def restart", None),
    ],
)
def test_what_differs_is_named_or_everything_is_asked(
    name: str, before: str, after: str, changed: tuple[str, ...] | None
) -> None:
    wrong = {**RIGHT, name: RIGHT[name].replace(before, after)}
    assert wrong != RIGHT
    assert changed_functions(RIGHT, wrong) == changed


def entered(course: Course, cells: tuple[Cell, ...] | None = None) -> dict[str, set[str]]:
    [assignment] = [one.id for one in course.assignments]
    right = in_place_of(material(course, assignment), {}) if cells is None else cells
    digests = suite_digests(course, [assignment])
    with Tracer(course, {assignment: right}, digests) as tracer:
        reach = tracer.found().get(assignment, {})
    return {check: set(functions) for check, functions in reach.items()}


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return load_course(write_gate(write_course(tmp_path / "toy")))


def test_each_check_is_known_by_what_it_enters(course: Course) -> None:
    found = entered(course)
    assert found["test_small_sum"] == {"add"}
    assert found["test_counts"] == {"Counter.__init__", "Counter.up"}


@pytest.mark.parametrize(
    "answers",
    [
        "1 / 0",  # can't be run
        "def add(a, b):\n    return 3",  # does not pass
        "import threading\ndef add(a, b):\n    return a + b",  # may do something unseen
    ],
)
def test_where_something_is_odd_nothing_is_known(course: Course, answers: str) -> None:
    assert entered(course, (Cell(number=1, source=answers),)) == {}


def test_a_course_that_cannot_be_read_any_more_tells_nothing(course: Course) -> None:
    right = {"adding": in_place_of(material(course, "adding"), {})}
    digests = suite_digests(course, ["adding"])
    (course.root / "hidden/test_adding.py").write_text("1 / 0")
    with Tracer(course, right, digests) as tracer:
        assert tracer.found() == {}


@pytest.mark.slow
def test_the_gate_finds_the_same_whether_it_traces_or_not(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def found() -> dict[str, tuple[object, ...]]:
        [gate] = verify(course, kinds=[*Kind], watcher=Silent()).gates
        return {
            f"{case.kind} {case.name}": (case.verdict, case.lost, case.failed_checks)
            for case in gate.cases
        }

    out_of_reach = trials._out_of_reach

    def counted(*args: object) -> tuple[str, ...]:
        left_out: tuple[str, ...] = out_of_reach(*args)  # type: ignore[arg-type]
        asked.append(len(left_out))
        return left_out

    monkeypatch.setattr(trials, "_out_of_reach", counted)
    without = found()
    assert not any(asked)
    monkeypatch.setattr(trials, "WORTH_TRACING", 1)
    assert found() == without
    assert any(asked)

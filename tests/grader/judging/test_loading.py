"""What a course's own code may do while it is loaded: it ends, and its place is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from one_file import write_lesson, write_one_file_course
from toy import HIDDEN, REFERENCE, write

from grader.config.course import Course, load_course
from grader.errors import SuiteError
from grader.judging import crew
from grader.judging.engine import load_suites
from grader.judging.lesson_suite import LessonSuite

LOOP = "sum(1 for _ in iter(int, 1))"
ENDS = {
    LOOP: "it runs for over 0.3 s",
    "exit(3)": "SystemExit: 3",
    "raise SystemExit": "SystemExit",
    "raise KeyboardInterrupt('no')": "KeyboardInterrupt: no",
}
CELLS = {
    "LIMIT = 1000": "a cell of checks can't be run",
    "HALF = 0.5  # CANARY-CONSTANT": "an answer can't be run",
}


def line_of(path: Path, text: str) -> str:
    content = path.read_text(encoding="utf-8")
    return f"{path}:{content.count(chr(10), 0, content.index(text)) + 1}"


@pytest.mark.parametrize("statement", ENDS)
@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_that_does_not_end_or_ends_the_process_is_named_with_its_line(
    tmp_path: Path, cell: str, statement: str
) -> None:
    path = write_lesson(tmp_path / "01_adding.py", cell, f"{cell}\n{statement}")
    with pytest.raises(SuiteError) as caught:
        LessonSuite(path, None, load_s=0.3)
    assert caught.value.message == f"{CELLS[cell]}: {ENDS[statement]}"
    assert caught.value.where == line_of(path, statement)


def test_a_plain_cell_that_does_not_end_is_named_too(tmp_path: Path) -> None:
    path = write_lesson(tmp_path / "01_adding.py", "START = 0", f"STARTS = {LOOP}\nSTART = 0")
    with pytest.raises(SuiteError, match="a cell can't be run: it runs for over") as caught:
        LessonSuite(path, None, load_s=0.3)
    assert caught.value.where == line_of(path, "STARTS")
    assert "loop" in caught.value.hint


def test_the_judge_tells_the_line_of_a_lesson(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_one_file_course(tmp_path, "LIMIT = 1000", f"LIMIT = {LOOP}")
    write(root / "pyproject.toml", "[tool.grader]\nlimits.cell_s = 0.5\n")
    monkeypatch.setattr(crew, "LOAD_S", 0.5)
    with pytest.raises(SuiteError, match=r"it runs for over 0\.5 s") as caught:
        load_suites(load_course(root))
    assert caught.value.where == line_of(root / "lessons/01_adding.py", "LIMIT")


@pytest.mark.parametrize(
    ("statement", "said"), [(LOOP, "it runs for over 1 s"), ("exit()", "SystemExit")]
)
@pytest.mark.parametrize("which", ["reference", "suite"])
def test_so_it_is_for_a_reference_and_for_a_file_of_checks(
    toy_course: Course, monkeypatch: pytest.MonkeyPatch, which: str, statement: str, said: str
) -> None:
    monkeypatch.setattr(crew, "LOAD_S", 0.5)  # the toy's `cell_s` is 1
    assert toy_course.reference is not None
    assert toy_course.suites is not None
    path, text = {
        "reference": (toy_course.reference / "__init__.py", REFERENCE),
        "suite": (toy_course.suites / "test_adding.py", HIDDEN),
    }[which]
    write(path, f"{text}\n{statement}\n")
    with pytest.raises(SuiteError) as caught:
        load_suites(toy_course)
    assert f": {said}" in caught.value.message
    assert caught.value.where == line_of(path, f"{statement}\n")
    assert caught.value.hint

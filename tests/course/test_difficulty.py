"""Every task of every lesson says how hard it is and how long it takes, in one form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.authoring.lessons import LessonCell, lesson_paths, practice_lessons, read_lesson
from grader.config.course import load_course

COURSE = load_course(Path(__file__).parents[2])
PATHS = lesson_paths(COURSE) | {path.stem: path for path in practice_lessons(COURSE)}
LESSONS = sorted(PATHS)
LINE = re.compile(r"^\*Difficulty: (●{1,5})(○{0,4}) · about \d+ minutes?\*$", re.MULTILINE)
HEADING = re.compile(r"^#{1,3} .+$", re.MULTILINE)


def without_a_line(cells: Iterator[LessonCell]) -> list[str]:
    """Tasks that do not say how hard they are.

    A line holds for what follows in its section. An answer has one of its own, below the heading or
    after the answer before it.
    """
    missing, said, own = [], False, False
    for cell in cells:
        if cell.kind == "markdown" and not cell.answer:
            for part in re.split(r"(?m)^(?=#{1,3} )", cell.source):
                if HEADING.match(part):
                    said = own = False
                if LINE.search(part):
                    said = own = True
        elif cell.solution is not None:
            if not own:
                missing.append(cell.solution)
            own = False
        elif cell.question is not None and not said:
            missing.append(cell.question)
    return missing


@pytest.mark.parametrize("assignment", LESSONS)
def test_every_task_says_how_hard_it_is(assignment: str) -> None:
    missing = without_a_line(iter(read_lesson(PATHS[assignment]).cells))
    assert not missing


@pytest.mark.parametrize("assignment", LESSONS)
def test_every_line_has_the_one_form_and_five_dots(assignment: str) -> None:
    text = PATHS[assignment].read_text(encoding="utf-8")
    lines = [line.removeprefix("# ") for line in text.splitlines() if "Difficulty:" in line]
    for line in lines:
        match = LINE.fullmatch(line)
        assert match, line
        assert len(match[1] + match[2]) == 5, line


def cell(kind: str, **about: str) -> LessonCell:
    return LessonCell(kind=kind, source=about.pop("source", ""), line=1, **about)  # type: ignore[arg-type]


def test_a_line_holds_for_its_section_and_for_one_answer() -> None:
    line = "## A part\n*Difficulty: ●●○○○ · about 5 minutes*"
    cells = [
        cell("markdown", source=line),
        cell("code", solution="one"),
        cell("code", question="first"),
        cell("code", solution="two"),
        cell("markdown", source="Some words."),
        cell("code", question="second"),
        cell("markdown", source="## Another part"),
        cell("code", question="third"),
    ]
    assert without_a_line(iter(cells)) == ["two", "third"]

"""Those who attack the grader have the same points in nbgrader's gradebook as in `grader check`.

Who forges is always handed in; who reads, damages, exhausts, calls the kernel or forges tensors, with
GRADER_TEST_EVERYBODY=1.
"""

from __future__ import annotations

import os
import runpy
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hostile import ON_LINUX, briefing, outside
from nbgrader_course import NbgraderCourse, write_nbgrader_course
from toy import RIGHT, Silent, notebook, write

from grader.pipeline import Options, check

pytestmark = [pytest.mark.slow, ON_LINUX]

ALL_ONLY = pytest.mark.skipif(
    os.environ.get("GRADER_TEST_EVERYBODY") != "1", reason="only with GRADER_TEST_EVERYBODY=1"
)
FORGERS = ("forging", "interpreter")
ROOMS = {
    "forging": ("ATTACKS",),
    "interpreter": ("ATTACKS",),
    "reading": ("DENIED_READS", "SEARCHES", "LEAKS"),
    "damaging": ("DENIED_ACTS", "HARMLESS", "DEADLY"),
    "kernel": ("DENIED_DOORS", "HARMLESS_DOORS", "DEADLY_DOORS"),
    "exhausting": ("BOMBS",),
}
"""Files in `tests/attacks`, and what they call their attacks."""

CLASSES = [FORGERS, *([one] for one in ROOMS if one not in FORGERS)]
"""Rooms that are handed in together."""

GO_ON = ("DENIED", "SEARCHES", "HARMLESS")
"""Attacks after which an honest answer follows."""

MOSTLY_WAITING = 8
"""Submissions at once: many do nothing until their time is up."""

LESSON = """
# %% [markdown]
# # Scaling

# %% solution="double"

# %% question="doubling"

# %% solution="Scale"

# %% question="scale"
"""


def room(name: str) -> dict[str, Any]:
    return runpy.run_path(str(Path(__file__).parents[2] / f"attacks/test_{name}.py"))


def attacks(name: str) -> Iterator[tuple[str, list[str]]]:
    """The cells of a room's attacks."""
    found = room(name)
    for table in ROOMS[name]:
        for attack, made in found[table].items():
            cells = (
                [*made]
                if isinstance(made, list)
                else [made[0] if isinstance(made, tuple) else made]
            )
            cells = [found["MARKS"] if cell == "MARKS" else cell for cell in cells]
            yield attack, [*cells, RIGHT] if table.startswith(GO_ON) else cells


def the_same_points(
    course: NbgraderCourse, assignment: str, list_hand_ins: Iterable[tuple[str, list[str]]]
) -> dict[str, float]:
    """Hand in, autograde, compare with `grader check`; return what each has earned."""
    for student, cells in list_hand_ins:
        course.hand_in(student, notebook(*map(dedent, cells)).encode(), assignment)
    jobs = f"--GradingExporter.jobs={MOSTLY_WAITING}"
    course.run("autograde", assignment, jobs, patience_s=1800)
    options = Options(jobs=MOSTLY_WAITING)
    book = check([course.root / "submitted"], course.course, options, Silent())
    theirs = {one.student: one.questions for one in book.scores}
    assert {student: course.points(student, assignment) for student in theirs} == theirs
    return {one.student: one.earned for one in book.scores}


@pytest.mark.parametrize(
    "rooms",
    [
        pytest.param(one, marks=[] if one is FORGERS else ALL_ONLY, id=" ".join(one))
        for one in CLASSES
    ],
)
def test_an_attack_has_the_same_points(tmp_path: Path, rooms: Sequence[str]) -> None:
    course = write_nbgrader_course(tmp_path)
    list_hand_ins = {attack: cells for name in rooms for attack, cells in attacks(name)}
    assert len(list_hand_ins) == sum(len(list(attacks(name))) for name in rooms)
    with outside() as around:
        if rooms is not FORGERS:
            list_hand_ins = {
                one: [briefing(around), *cells] for one, cells in list_hand_ins.items()
            }
        earned = the_same_points(course, "adding", list_hand_ins.items())
    assert set(earned) == set(list_hand_ins)
    if rooms is FORGERS:
        assert sum(earned.values()) < len(list_hand_ins) / 2


@ALL_ONLY
def test_a_forged_tensor_has_the_same_points(tmp_path: Path) -> None:
    found = room("forging_tensors")
    root = tmp_path / "scaling"
    table = found["TABLE"].replace("preload", 'reference = "scales"\nlessons = "lessons"\npreload')
    write(root / "pyproject.toml", table)
    suite = found["SUITE"].replace("TestDouble", "TestDoubling")  # an answer is called `double`
    write(root / "hidden/test_scaling.py", suite)
    write(root / "scales/__init__.py", f'"""Right answers."""\n{found["RIGHT"]}')
    write(root / "lessons/01_scaling.py", LESSON)
    course = NbgraderCourse(tmp_path / "course root", root)
    course.run("generate_assignment", "scaling")
    forged = [(name, [answer, found["WRONG"]]) for name, answer in found["ANSWERS"].items()]
    honest = [(name, [state, found["RIGHT"]]) for name, state in found["STATES"].items()]
    earned = the_same_points(course, "scaling", forged + honest)
    assert {name: earned[name] for name, _ in honest} == dict.fromkeys(found["STATES"], 4.0)
    assert {name: earned[name] for name, _ in forged} == dict.fromkeys(found["ANSWERS"], 0.0)

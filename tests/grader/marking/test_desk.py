"""What a marker sees next, what others have said meanwhile, and what can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from to_mark import write_class

from grader.config.course import Course
from grader.errors import GraderError
from grader.gradebook import Gradebook
from grader.marking.desk import Desk, Queue, Said
from grader.reports.choices import Format
from grader.reports.gradebook_json import decode
from grader.scoring.marking import CHANGED, CONFLICT
from grader.store import marks
from grader.store.lines import digest

ANSWERS = {f"student{n}": f"answer {n}" for n in range(9)}


@pytest.fixture
def class_(tmp_path: Path) -> tuple[Course, Path]:
    return write_class(tmp_path, ANSWERS, [Format.JSON])


def desk(class_: tuple[Course, Path], marker: str = "ina") -> Desk:
    course, reports = class_
    return Desk(reports, book(reports), {"tides": course.assignments[0].manual}, marker)


def book(reports: Path) -> Gradebook:
    return decode((reports / "gradebook.json").read_bytes())


def why(one: Desk) -> Queue:
    found = one.find("tides", "why")
    assert found is not None
    return found


def number_of(one: Desk, student: str) -> int:
    return why(one).students.index(student) + 1


def heads(one: Desk, number: int) -> tuple[str, ...]:
    return tuple(digest(mark) for mark in one.sheet(why(one), number).heads)


def test_answers_come_in_an_order_of_chance_that_stays(class_: tuple[Course, Path]) -> None:
    first, again, other = desk(class_), desk(class_), desk(class_, "ben")
    assert why(first).students == why(again).students
    orders = {why(first).students, why(other).students, first.queues[1].students}
    assert len(orders) == 3
    assert tuple(ANSWERS) not in orders
    assert all(set(order) == set(ANSWERS) for order in orders)


def test_the_sheet_has_what_that_student_wrote(class_: tuple[Course, Path]) -> None:
    one = desk(class_)
    for student, text in ANSWERS.items():
        sheet = one.sheet(why(one), number_of(one, student))
        assert sheet.answer is not None
        assert (sheet.student, sheet.answer.pieces[0].text) == (student, text)
        assert len(sheet.handed.whole) == 4


def test_what_waits_comes_next_from_the_beginning_again(class_: tuple[Course, Path]) -> None:
    one = desk(class_)
    for number in (2, 3, 9):
        one.record(why(one), number, Said(points=1))
    assert one.next_waiting(why(one)) == 1
    assert one.next_waiting(why(one), 1) == 4
    assert one.next_waiting(why(one), 8) == 1
    for number in (1, 4, 5, 6, 7, 8):
        one.record(why(one), number, Said())
    assert one.next_waiting(why(one), 3) is None
    found = one.progress(why(one))
    assert (found.answers, found.marked, found.conflicts) == (9, 9, 0)


def test_saving_the_same_again_writes_nothing(class_: tuple[Course, Path]) -> None:
    one = desk(class_)
    one.record(why(one), 1, Said(("moon",), comment="good"))
    one.record(why(one), 1, Said(("moon",), comment="good ", after=heads(one, 1)))
    assert len(marks.read(class_[1])) == 1


def test_what_another_marker_has_said_is_seen_and_disagreement_is_settled(
    class_: tuple[Course, Path],
) -> None:
    mine, yours = desk(class_), desk(class_, "ben")
    student = why(mine).students[0]
    here, there = number_of(mine, student), number_of(yours, student)
    mine.record(why(mine), here, Said(points=1))
    yours.refresh()
    yours.record(why(yours), there, Said(points=2))  # whose page was older than that
    mine.refresh()
    assert mine.sheet(why(mine), here).now.waits == CONFLICT
    assert [one.by for one in mine.sheet(why(mine), here).heads] == ["ina", "ben"]
    assert mine.progress(why(mine)).conflicts == 1
    mine.record(why(mine), here, Said(points=1.5, after=heads(mine, here)))
    yours.refresh()
    assert yours.sheet(why(yours), there).now.earned == 1.5


@pytest.mark.parametrize("before", [[], [Said(points=1)], [Said(("moon",)), Said(("far_side",))]])
def test_the_last_step_is_undone(class_: tuple[Course, Path], before: list[Said]) -> None:
    others = desk(class_, "ben")
    one = desk(class_)
    student = why(one).students[4]
    for said in before:  # two are a conflict
        others.record(why(others), number_of(others, student), said)
    one.refresh()
    was = one.sheet(why(one), 5).now
    one.record(why(one), 5, Said(points=3, comment="oh", after=heads(one, 5)))
    assert one.sheet(why(one), 5).now.earned == 3
    assert one.undo() == (why(one), 5)
    now = one.sheet(why(one), 5).now
    assert (now.earned, now.comment, now.waits, now.rubric) == (
        was.earned,
        was.comment,
        was.waits,
        was.rubric,
    )
    assert one.undo() is None


def test_a_mark_is_withdrawn_and_that_is_undone(class_: tuple[Course, Path]) -> None:
    one = desk(class_)
    one.record(why(one), 1, Said(points=3))
    one.withdraw(why(one), 1, heads(one, 1))
    assert one.sheet(why(one), 1).now.earned is None
    one.undo()
    assert one.sheet(why(one), 1).now.earned == 3
    one.undo()
    assert one.sheet(why(one), 1).now.earned is None


def test_undoing_does_not_undo_others(class_: tuple[Course, Path]) -> None:
    mine, yours = desk(class_), desk(class_, "ben")
    student = why(mine).students[0]
    there = number_of(yours, student)
    mine.record(why(mine), 1, Said(points=1))
    yours.refresh()
    yours.record(why(yours), there, Said(points=2, after=heads(yours, there)))
    mine.undo()
    assert mine.sheet(why(mine), 1).now.waits == CONFLICT
    assert 2 in [one.points for one in mine.sheet(why(mine), 1).heads]


def test_another_answer_has_to_be_read_again_with_the_old_mark_at_hand(tmp_path: Path) -> None:
    course, reports = write_class(tmp_path, {"ann": "before"})
    one = desk((course, reports))
    one.record(why(one), 1, Said(("moon",), comment="good"))
    write_class(tmp_path, {"ann": "after"})
    again = desk((course, reports))
    sheet = again.sheet(why(again), 1)
    assert (sheet.now.waits, sheet.heads) == (CHANGED, ())
    assert sheet.earlier is not None
    assert sheet.earlier.comment == "good"
    write_class(tmp_path, {"ann": "before"})
    back = desk((course, reports))
    assert back.sheet(why(back), 1).now.earned == 1.5


def test_a_file_that_is_gone_is_told_and_its_mark_stands(class_: tuple[Course, Path]) -> None:
    one = desk(class_)
    student = why(one).students[0]
    one.record(why(one), 1, Said(points=2))
    place = list(ANSWERS).index(student)
    (class_[1].parent / f"submissions/{place:04}/tides.ipynb").unlink()
    again = desk(class_)
    sheet = again.sheet(why(again), 1)
    assert sheet.answer is None
    assert "gone" in sheet.handed.refused or "no such" in sheet.handed.refused.lower()
    assert sheet.now.earned == 2
    assert (student, "tides") not in again.digests()


def test_a_line_that_is_none_stops_marking_and_is_named(class_: tuple[Course, Path]) -> None:
    one = desk(class_)
    (class_[1] / marks.NAME).write_text("{}\n")
    with pytest.raises(GraderError, match="not a mark"):
        one.refresh()

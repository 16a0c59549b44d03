"""Tables of times and of extensions, as instructors and platforms write them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import msgspec
import pytest

from grader.config.course import AssignmentConfig, Course
from grader.errors import UsageError
from grader.gradesheets.roster import read_roster
from grader.gradesheets.timetables import read_extensions, read_times
from grader.model import Submission
from grader.scoring.deadlines import deadlines
from grader.times import parse_time


@pytest.fixture
def course(toy_course: Course) -> Course:
    due = parse_time("2026-03-27 23:59", "Europe/Berlin")
    assignments = (
        AssignmentConfig(id="adding", title="Adding", due=due),
        AssignmentConfig(id="taking", title="Taking away", due=due),
        AssignmentConfig(id="free", title="Free"),
    )
    return msgspec.structs.replace(toy_course, assignments=assignments, timezone="Europe/Berlin")


@pytest.fixture
def sheet(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "sheet.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def work(
    student: str, assignment: str = "adding", *, attempt: int = 1, name: str = "adding.ipynb"
) -> Submission:
    return Submission(
        student=student, assignment=assignment, path="p", name=name, digest="d", attempt=attempt,
        submitted_at=parse_time("2020-01-01T00:00:00+00:00"), time_from="elsewhere",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "student,assignment,submitted_at\nANN,Adding,2026-03-01 23:59\n",
        "login;submitted at\nann;2026-03-01T22:59:00Z\n",
        # nbgrader's export; Gradescope's scores; a grading worksheet of Moodle
        "assignment,duedate,timestamp,student_id,score\nadding,,2026-03-01 22:59:00+00:00,ann,1\n",
        "Name,SID,Email,Submission Time\nAnn Doe,ann,,2026-03-01 14:59:00 -0800\n",
        'Identifier,Full name,Last modified (submission)\nParticipant 7,A,"Sunday, 1 March 2026, 11:59 PM"\n',
    ],
)  # fmt: skip
def test_a_table_tells_when_somebody_handed_in(course, sheet, text: str) -> None:
    student = "Ann Doe_7" if "Participant" in text else "ann"
    (told,) = read_times(sheet(text), course).told([work(student)])
    assert told.submitted_at == parse_time("2026-03-01 22:59Z")
    assert told.time_from == "sheet.csv"


NBGRADER = (
    "assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score,"
    "late_submission_penalty,score,max_score\n"
    "adding,2026-03-27 22:59:00,{},ann,Doe,Ann,,1.0,0.0,1.0,5\n"
)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Los_Angeles", None])
@pytest.mark.parametrize("second", ["00", "00.123456"])
def test_nbgraders_export_is_in_utc_wherever_the_course_is(course, sheet, zone, second) -> None:
    there = msgspec.structs.replace(course, timezone=zone)
    table = sheet(NBGRADER.format(f"2026-03-27 22:30:{second}"))
    (told,) = read_times(table, there).told([work("ann")])
    assert told.submitted_at == parse_time(f"2026-03-27 22:30:{second}Z")


def test_a_table_of_ones_own_with_a_due_date_is_in_the_courses_zone(course, sheet) -> None:
    table = sheet("student,duedate,timestamp\nann,2026-03-27 23:59,2026-03-27 23:30\n")
    (told,) = read_times(table, course).told([work("ann")])
    assert told.submitted_at == parse_time("2026-03-27 22:30Z")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_are_the_same_however_a_table_keeps_them(course, sheet, form) -> None:
    text = unicodedata.normalize(
        form, "student,assignment,file,submitted_at\njosé,Défis,né.ipynb,{0}\n"
    )
    first, *others = course.assignments
    named = msgspec.structs.replace(first, title="Défis")
    there = msgspec.structs.replace(course, assignments=(named, *others))
    submission = work("José", name=unicodedata.normalize("NFD", "né.ipynb"))
    (told,) = read_times(sheet(text.format("2026-03-01 23:59")), there).told([submission])
    assert told.time_from == "sheet.csv"
    days = unicodedata.normalize(form, "student,days\nJosé,2\n")
    extensions = read_extensions(sheet(days), course)
    assert extensions.unused(["josé"]) == ()


def test_who_is_not_in_the_table_keeps_the_time_that_the_files_tell(course, sheet) -> None:
    times = read_times(sheet("student,submitted_at\nbo,2026-03-01 23:59\ncy,\ndi,-\n"), course)
    submissions = [work("ann"), work("cy"), work("di")]
    assert times.told(submissions) == tuple(submissions)


def test_a_line_is_about_the_latest_attempt_or_the_file_that_it_names(course, sheet) -> None:
    times = read_times(
        sheet(
            "student,file,submitted_at\n"
            "ann,,2026-03-02 10:00\nbo,Adding-1.ipynb,2026-03-01 09:00\nbo,,2026-03-02 09:00\n"
        ),
        course,
    )
    attempts = [
        work(who, attempt=number, name=f"adding-{number}.ipynb")
        for who in ("ann", "bo")
        for number in (1, 2)
    ]
    told = [f"{one.submitted_at:%Y-%m-%dT%H}" for one in times.told(attempts)]
    assert told == ["2020-01-01T00", "2026-03-02T10", "2026-03-01T09", "2026-03-02T09"]


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("student,points\nann,3\n", "sheet.csv", "no column with times"),
        ("name,submitted_at\nAnn,2026-03-01 23:59\n", "sheet.csv", "who is who"),
        ("student,submitted_at\nbo,2026-03-01 23:59\nann,1.3.2026\n", "sheet.csv:3", "no date"),
        ("student,assignment,submitted_at\nann,addding,2026-03-01 23:59\n", "sheet.csv:2", "addding"),
        ("student,assignment,submitted_at\nann,HW1,2026-03-01 23:59\n", "sheet.csv", "no line is about"),
    ],
)  # fmt: skip
def test_a_table_that_makes_no_sense_is_named(course, sheet, text, where, message) -> None:
    with pytest.raises(UsageError, match=message) as e:
        read_times(sheet(text), course)
    assert e.value.where.endswith(where)
    assert e.value.hint


def test_a_time_without_a_zone_needs_one_of_the_course(course, sheet) -> None:
    nowhere = msgspec.structs.replace(course, timezone=None)
    with pytest.raises(UsageError) as e:
        read_times(sheet("student,submitted_at\nann,2026-03-01 23:59\n"), nowhere)
    assert "timezone" in e.value.hint


def test_times_of_one_assignment_are_not_given_to_several(course, sheet) -> None:
    times = read_times(sheet("student,submitted_at\nann,2026-03-01 23:59\n"), course)
    with pytest.raises(UsageError, match="several are graded"):
        times.told([work("ann"), work("ann", "taking")])


def test_two_times_for_one_submission_are_no_reason_to_guess(course, sheet) -> None:
    rows = "student,submitted_at\nann,2026-03-01 23:59\nann,2026-03-02 23:59\n"
    with pytest.raises(UsageError, match="two times") as e:
        read_times(sheet(rows), course).told([work("ann")])
    assert "lines 2, 3" in e.value.where


EXTENSIONS = """student,assignment,until,days,hours
ann,adding,2026-04-05 12:00,,
bo,,,2,
cy,adding,,,36
cy,,,3,
di,,2026-01-01 00:00,,
"""


@pytest.mark.parametrize(
    ("student", "assignment", "due"),
    [
        ("ann", "adding", "2026-04-05 12:00"),
        ("ann", "taking", None),
        ("bo", "adding", "2026-03-29 23:59"),  # clocks are put forward in between
        ("bo", "taking", "2026-03-29 23:59"),
        ("cy", "adding", "2026-03-29 12:59"),  # its own line, not the general one
        ("cy", "taking", "2026-03-30 23:59"),
        ("di", "adding", None),  # for another assignment: it shortens nothing
        ("ed", "adding", None),
    ],
)
def test_who_has_how_much_longer(course, sheet, student, assignment, due) -> None:
    found = deadlines(course, read_extensions(sheet(EXTENSIONS), course))(student, assignment)
    regular = parse_time("2026-03-27 23:59", "Europe/Berlin")
    assert found is not None
    assert found.at == (regular if due is None else parse_time(due, "Europe/Berlin"))
    assert found.regular == (None if due is None else regular)


def test_what_is_never_due_can_not_be_extended(course, sheet) -> None:
    due = deadlines(course, read_extensions(sheet(EXTENSIONS), course))
    assert due("bo", "free") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("student,reason\nann,ill\n", "does not say how long"),
        ("student,days\nann,\n", "this extension does not say how long"),
        ("student,days\nann,two\n", "no whole number of days"),
        ("student,assignment,until\nann,adding,2026-03-01 00:00\n", "before the assignment is due"),
    ],
)
def test_an_extension_that_makes_no_sense_is_named(course, sheet, text, message) -> None:
    with pytest.raises(UsageError, match=message):
        read_extensions(sheet(text), course)


def test_an_extension_for_nobody_is_reported(course, sheet) -> None:
    extensions = read_extensions(sheet("student,days\nann,1\nboo,2\n"), course)
    (problem,) = extensions.unused(["Ann", "bo"])
    assert (problem.where, "boo" in problem.hint) == ("sheet.csv:3", True)


@pytest.mark.parametrize("title", ["HW1", "homework 1", "Week 1"])
def test_an_extension_of_no_assignment_here_is_reported_once(course, sheet, title) -> None:
    rows = f"ann,{title},2\nann,adding,1\nbo,{title},1\n"
    extensions = read_extensions(sheet(f"student,assignment,days\n{rows}"), course)
    (problem,) = extensions.unused(["ann"])
    assert (problem.kind, problem.where) == ("extension", "sheet.csv:2, 4")
    assert title in problem.message
    assert "adding, taking, free" in problem.hint
    assert len(extensions.rows) == 1


def test_times_of_other_assignments_beside_ones_own_are_passed_over(course, sheet) -> None:
    rows = "ann,HW1,2026-03-02 23:59\nann,adding,2026-03-01 23:59\n"
    (told,) = read_times(sheet(f"student,assignment,submitted_at\n{rows}"), course).told(
        [work("ann")]
    )
    assert told.submitted_at == parse_time("2026-03-01 22:59Z")


def test_where_one_assignment_of_a_course_is_graded_those_of_others_are_nothing_to_report(
    course, sheet
) -> None:
    alone = msgspec.structs.replace(course, assignments=course.assignments[:1])
    table = sheet("student,assignment,days\nann,adding2,2\nann,taking,1\nann,adding,1\n")
    with pytest.raises(UsageError, match="adding2"):
        read_extensions(table, alone)
    found = read_extensions(table, alone, narrowed=True)
    assert [row.line for row in found.rows] == [4]
    assert found.unused(["ann"]) == ()


CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section
"Li, Xi",104,s104,lixi,A
"Doe, Ann",105,,lixi2,A
"Poe, Cy",106,105,poe,A
"""


@pytest.mark.parametrize("line", ["lixi", "LIXI", "s104", "104"])
@pytest.mark.parametrize("student", ["lixi", "lixi_104", "104"])
def test_a_roster_connects_what_a_table_and_a_folder_call_somebody(
    course, sheet, tmp_path, line, student
) -> None:
    (tmp_path / "roster.csv").write_text(CANVAS)
    roster = read_roster(tmp_path / "roster.csv")
    extensions = read_extensions(sheet(f"student,days\n{line},1\n"), course, roster)
    due = deadlines(course, extensions)
    assert due(student, "adding").regular is not None
    assert extensions.unused([student]) == ()
    others = ["doeann_105", "poecy_106", "strangelixi_105"]
    assert [due(other, "adding").regular for other in others] == [None] * 3
    assert len(extensions.unused(others)) == 1
    times = read_times(sheet(f"student,submitted_at\n{line},2026-03-01 23:59\n"), course, roster)
    told = times.told([work(one) for one in (student, *others)])
    assert [one.time_from for one in told] == ["sheet.csv", *["elsewhere"] * 3]


def test_an_id_that_is_first_of_all_another_persons_connects_nobody(
    course, sheet, tmp_path
) -> None:
    (tmp_path / "roster.csv").write_text(CANVAS)
    roster = read_roster(tmp_path / "roster.csv")
    due = deadlines(course, read_extensions(sheet("student,days\n105,1\n"), course, roster))
    assert due("lixi2", "adding").regular is not None
    assert due("poe", "adding").regular is None

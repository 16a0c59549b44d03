"""Sheets as Canvas and Moodle document them, filled and read back by a strict reader."""

from __future__ import annotations

import csv
import io

import pytest
from platform_sheets import SCORES, SHEETS, PlatformSheet

from grader.errors import UsageError
from grader.gradebook import AssignmentReport, Score, State
from grader.gradesheets.columns import layout
from grader.gradesheets.filling import NOBODY, Filled, Known, fill
from grader.gradesheets.people import PLATFORMS
from grader.gradesheets.sheet import Sheet
from grader.intake.roster import Person
from grader.model import Ending

BLOCKS = AssignmentReport(id="blocks", title="Blocks", points=25, questions=())
EMBEDDINGS = AssignmentReport(id="embeddings", title="Embeddings", points=15, questions=())
GRADED, UNGRADED, MISSING = State.GRADED, State.UNGRADED, State.MISSING

CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Embeddings (7),Blocks (8),Current Score\r\n"
    '"    Points Possible",,,,,15.00,25.00,(read only)\r\n'
    '"Doe, Ann",101,s1,ann@x.edu,A,15,,60\r\n'
    '"=""=cmd|calc""",102,s2,bob,A,,3.5,\r\n'
    '"O""Neil, Zoë",103,s3,zoe,"A, B",,EX,\r\n'
    '"Student, Test",,,,,,,\r\n'
)
MOODLE = (
    "Teilnehmer/in-ID;Vollständiger Name;E-Mail-Adresse;Status;Bewertung;Bestwertung;"
    "Zuletzt geändert (Bewertung);Feedback als Kommentar\n"
    'Teilnehmer/in211;"Doe, Ann";ann@x.edu;"Zur Bewertung abgegeben";;25,00;-;"old; text"\n'
    "Teilnehmer/in212;=HYPERLINK(1);bob@x.edu;;10,5;25,00;-;\n"
)


def scored(student: str, earned: float = 24.5, state: State = GRADED) -> Score:
    return Score(
        student=student, assignment="blocks", state=state, earned=earned, possible=25, ending=Ending()
    )  # fmt: skip


def filled(
    platform: str, text: str, *scores: Score, column: str | None = None, known: Known = NOBODY
) -> tuple[str, Filled]:
    sheet = Sheet(text.encode(), "Grades.csv")
    found = layout(platform, sheet, BLOCKS, "Grades.csv", column)
    result = fill(sheet, found, scores, known)
    return sheet.encode().decode(), result


def strict(text: str, delimiter: str) -> list[list[str]]:
    rows = list(
        csv.reader(
            io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter, strict=True
        )
    )
    assert len({len(row) for row in rows}) == 1
    return rows


def changed(before: str, after: str, delimiter: str) -> dict[tuple[int, int], str]:
    old, new = strict(before, delimiter), strict(after, delimiter)
    return {
        (r, c): new[r][c]
        for r in range(len(old))
        for c in range(len(old[r]))
        if old[r][c] != new[r][c]
    }


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
@pytest.mark.parametrize("called", [0, -1], ids=["as downloaded", "by another id"])
def test_everybody_of_a_platforms_sheet_is_filled_in_and_no_other_byte_differs(
    sheet: PlatformSheet, called: int
):
    read = Sheet(sheet.content, "Grades.csv")
    found = layout(sheet.platform, read, EMBEDDINGS, "Grades.csv", None)
    students = [names[called] for names in sheet.people.values()][: len(SCORES)]
    pairs = zip(students, map(float, SCORES), strict=True)
    result = fill(read, found, [scored(student, earned) for student, earned in pairs])
    assert read.encode() == sheet.upload
    assert result == Filled(filled=tuple(students))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_sheet_that_is_filled_already_is_filled_again(sheet: PlatformSheet):
    read = Sheet(sheet.upload, "Grades.csv")
    found = layout(sheet.platform, read, EMBEDDINGS, "Grades.csv", None)
    result = fill(read, found, [scored(next(iter(sheet.people.values()))[0], 12.5)])
    assert (read.encode(), len(result.filled)) == (sheet.upload, 1)


@pytest.mark.parametrize("name", ["canvas", "gradescope", "blackboard", "brightspace"])
def test_more_than_the_maximum_is_said_wherever_the_sheet_has_it(name: str):
    sheet = next(one for one in SHEETS if one.name == name)
    read = Sheet(sheet.content, "Grades.csv")
    found = layout(sheet.platform, read, EMBEDDINGS, "Grades.csv", None)
    student = next(iter(sheet.people.values()))[0]
    assert fill(read, found, [scored(student, 15)]).over == ()
    assert fill(read, found, [scored(student, 15.5)]).over == (student,)


def test_the_maximum_of_a_canvas_in_another_language_is_known():
    text = CANVAS.replace("    Points Possible", "    Mögliche Punkte")
    assert filled("canvas", text, scored("101", 25.5))[1].over == ("101",)


def test_canvas_only_the_grade_column_differs():
    after, result = filled("canvas", CANVAS, scored("101"), scored("bob", 7))
    assert changed(CANVAS, after, ",") == {(2, 6): "24.5", (3, 6): "7"}
    assert after == CANVAS.replace("A,15,,60", "A,15,24.5,60").replace("A,,3.5,", "A,,7,")
    assert result.filled == ("101", "bob")


def test_moodle_only_the_grade_column_differs_and_its_comma_stays_a_comma():
    after, result = filled("moodle", MOODLE, scored("211"), scored("BOB@x.edu", 7))
    assert changed(MOODLE, after, ";") == {(1, 4): "24,5", (2, 4): "7"}
    assert result.filled == ("211", "BOB@x.edu")


@pytest.mark.parametrize("student", ["101", "s1", "ANN@x.edu", "doeann_101"])
def test_canvas_finds_by_id_sis_id_and_login(student):
    assert filled("canvas", CANVAS, scored(student))[1].filled == (student,)


@pytest.mark.parametrize("student", ["Doe, Ann", "ann", "Ann Doe", "60", "A"])
def test_nobody_is_found_by_name_or_by_chance(student):
    after, result = filled("canvas", CANVAS, scored(student))
    assert result.unmatched == (student,)
    assert after == CANVAS


LINKED = "id,email,name,Blocks\n9001,bob@x.edu,Bob Ross,\n9002,ann@x.edu,Ann Lee,\n"
LINK = {
    "bob": Person(ids=("bob", "bob@x.edu", "9001"), name="Bob Ross"),
    "Ann Lee": Person(ids=("ann@x.edu", "9002"), name="Ann Lee"),
}


@pytest.mark.parametrize("heads", ["id", "email", "id,email", "email,name", "id,name"])
def test_whom_a_roster_connects_with_the_sheet_gets_their_score(heads):
    rows = list(csv.DictReader(io.StringIO(LINKED)))
    text = f"{heads},Blocks\n"
    text += "".join(",".join(row[head] for head in heads.split(",")) + ",\n" for row in rows)
    after, result = filled("csv", text, scored("bob", 7), scored("Ann Lee", 8), known=LINK)
    assert result == Filled(filled=("bob", "Ann Lee"))
    assert [line.split(",")[-1] for line in after.splitlines()] == ["Blocks", "7", "8"]
    assert filled("csv", text, scored("bob", 7))[1].unmatched == ("bob",)


@pytest.mark.parametrize(
    ("student", "known"),
    [
        # a number of the roster is another person's in the sheet
        ("zed", Person(ids=("zed", "9001"), name="Zed Poe")),
        # so is the number of a group
        ("teamrocket_9001", Person(ids=("9001",))),
        ("zed", Person(ids=("zed", "9009"), name="Bob Ross")),
    ],
)
def test_a_roster_gives_nobody_the_row_of_another(student, known):
    after, result = filled("csv", LINKED, scored(student), known={student: known})
    assert (after, result.unmatched) == (LINKED, (student,))


def test_a_login_with_a_number_is_a_login_where_the_roster_has_it():
    known = {"lab_9001": Person(ids=("lab_9001", "9001"))}
    assert filled("csv", LINKED, scored("lab_9001"), known=known)[1].filled == ("lab_9001",)


def test_a_roster_that_leads_to_two_rows_or_two_students_to_one_gives_nothing():
    two = {"bob": Person(ids=("9001", "ann@x.edu"))}
    assert filled("csv", LINKED, scored("bob"), known=two)[1].ambiguous == ("bob",)
    one = filled("csv", LINKED, scored("bob"), scored("9001", 3), known=LINK)
    assert (one[0], one[1].ambiguous) == (LINKED, ("bob", "9001"))


def test_what_a_student_is_called_comes_before_what_a_roster_says():
    known = {"9001": Person(ids=("9001", "ann@x.edu"), name="Ann Lee")}
    after, _ = filled("csv", LINKED, scored("9001", 7), known=known)
    assert "9001,bob@x.edu,Bob Ross,7\n" in after


def test_two_students_for_one_row_get_nothing():
    after, result = filled("canvas", CANVAS, scored("101"), scored("ann@x.edu", 3))
    assert result.ambiguous == ("101", "ann@x.edu")
    assert after == CANVAS


def test_what_is_no_score_leaves_the_cell_alone():
    after, result = filled(
        "canvas", CANVAS, scored("103"), scored("101", 0, UNGRADED), scored("102", 0, MISSING)
    )
    assert after == CANVAS
    assert (result.excused, result.ungraded, result.missing) == (("103",), ("101",), ("102",))


def test_more_than_the_maximum_is_said():
    assert filled("canvas", CANVAS, scored("101", 26))[1].over == ("101",)
    assert filled("moodle", MOODLE, scored("211", 26))[1].over == ("211",)


def test_an_unknown_column_is_asked_for_and_can_be_named():
    text = CANVAS.replace("Blocks (8)", "Week 2 (8)")
    with pytest.raises(UsageError, match="no column") as caught:
        filled("canvas", text, scored("101"))
    assert "'Week 2 (8)'" in caught.value.hint
    assert filled("canvas", text, scored("101"), column="Week 2 (8)")[1].filled == ("101",)


def test_a_plain_table_is_filled_by_its_own_headings():
    after, result = filled("csv", "Name,Email,Blocks\nAnn,ann@x.edu,\n", scored("ann@x.edu"))
    assert after == "Name,Email,Blocks\nAnn,ann@x.edu,24.5\n"
    assert result.filled == ("ann@x.edu",)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("text", ["", "a,b\n1,2\n"])
def test_a_sheet_of_something_else_is_refused(platform, text):
    with pytest.raises(UsageError):
        filled(platform, text, scored("1"))

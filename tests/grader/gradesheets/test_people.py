"""Whoever stands in a table is found, on every platform, however the table was saved."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from platform_sheets import SHEETS, PlatformSheet

from grader.errors import UsageError
from grader.gradesheets.people import read_people
from grader.gradesheets.sheet import Sheet
from grader.intake.roster import Register


def people(content: str | bytes, platform: str | None = None):
    raw = content.encode() if isinstance(content, str) else content
    return read_people(Sheet(raw, "Grades.csv"), "Grades.csv", platform)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_platform_is_told_by_its_sheet_and_everybody_in_it_is_found(sheet: PlatformSheet):
    found = people(sheet.content)
    assert found.columns.platform == sheet.platform
    assert [person.name for person in found.people] == list(sheet.people)
    register = Register(found.roster)
    for place, students in enumerate(sheet.people.values()):
        for student in students:
            assert register.find(student) == [place], student


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_rows_that_are_no_person_are_none(sheet: PlatformSheet):
    assert len(people(sheet.content, sheet.platform).people) == len(sheet.people)


IDS = st.text("abcxyz0123456789", min_size=3, max_size=8).filter(lambda one: not one.isdecimal())
WORDS = st.sampled_from(
    ["Participant ", "Teilnehmer/in", "Участник", "参加者", "مشارك ", "Υποψήφιος"]
)
NAMES = st.sampled_from(["Ann Doe", "Zoë O'Neil", "Bo Li", "李 博", "Ян Ли", 'Jo "J" Poe, Jr.'])


@st.composite
def worksheets(draw) -> tuple[bytes, list[str], list[str]]:
    """A worksheet of Moodle in some language, encoding and way of quoting, with ids and e-mails."""
    logins = draw(st.lists(IDS, min_size=1, max_size=6, unique=True))
    numbers = draw(
        st.lists(st.integers(1, 10**7), min_size=len(logins), max_size=len(logins), unique=True)
    )
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]))
    word = draw(WORDS.filter(lambda word: encoding != "cp1252" or word.isascii()))
    names = NAMES.filter(lambda name: encoding != "cp1252" or max(name) < "\u0100")
    comma = draw(st.booleans())
    heads = [draw(st.text("abcdeéñ", min_size=1, max_size=6)) for _ in range(8)]
    table = io.StringIO(newline="")
    writer = csv.writer(
        table,
        delimiter=draw(st.sampled_from(",;\t")),
        quoting=draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])),
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
    )
    writer.writerow(heads)
    for number, login in zip(numbers, logins, strict=True):
        grade = draw(st.sampled_from(["", "3.50", "25.00"])).replace(".", "," if comma else ".")
        most = "25,00" if comma else "25.00"
        row = [f"{word}{number}", draw(names), f"{login}@x.edu", "in Bewertung -", grade, most]
        writer.writerow([*row, "Ja", "-"])
    return table.getvalue().encode(encoding), [str(number) for number in numbers], logins


@given(worksheets())
def test_a_worksheet_of_moodle_is_known_in_any_language_encoding_and_quoting(made):
    content, numbers, logins = made
    found = people(content)
    assert found.columns.platform == "moodle"
    register = Register(found.roster)
    for place, (number, login) in enumerate(zip(numbers, logins, strict=True)):
        assert found.people[place].ids[0] == number
        for student in (number, f"{found.people[place].name}_{number}", f"{login}@X.edu"):
            assert register.find(student) == [place]


@given(
    st.lists(IDS, min_size=1, max_size=8, unique=True),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
    st.sampled_from(",;\t"),
    st.sampled_from(["login", "Student ID", "student_id", "SID", "Username", "Matrikelnummer"]),
    st.sampled_from(["", "sep"]),
)
def test_a_plain_table_is_read_however_it_was_saved(ids, encoding, delimiter, head, told):
    lines = [f"Näme{delimiter}{head}", *(f"Zoë{delimiter}{one}" for one in ids)]
    before = f"sep={delimiter}\r\n" if told else ""
    found = people((before + "\r\n".join(lines)).encode(encoding))
    assert [person.known_ids for person in found.people] == [(one,) for one in ids]


@pytest.mark.parametrize("row", [" Points Possible ", "", '=""'])
def test_a_row_without_anybody_in_a_plain_table_is_nobody(row: str):
    found = people(f"Student,Embeddings\n{row},15\nann,\n")
    assert [person.known_ids for person in found.people] == [("ann",)]


@pytest.mark.parametrize("rounded", ["1.23457E+11", "1,23457E+11", "2E+05"])
def test_an_id_that_a_spreadsheet_has_rounded_is_refused_by_name(rounded):
    with pytest.raises(UsageError, match="rounded it") as caught:
        people(f"name;student id\nAnn Doe;{rounded}\n")
    assert (rounded in str(caught.value), "Ann Doe" in str(caught.value)) == (True, True)
    assert caught.value.where.endswith("row 2")


@pytest.mark.parametrize("own", ["ex3", "hw12", "1e5", "a1700000", "a+b@x.edu"])
def test_an_id_that_looks_like_something_else_is_an_id(own):
    found = people(f"id,name,points,max\n{own},Ann,,15\n{own}9,Bo,,15\n")
    assert found.people[0].known_ids == (own,)


@pytest.mark.parametrize("armed", ['="007"', "'=7"])
def test_what_keeps_a_spreadsheet_from_taking_an_id_for_something_else_is_no_part_of_it(armed):
    expected = "007" if "007" in armed else "=7"
    found = people(f"name,id\nAnn,{armed}\n")
    assert found.people[0].known_ids == (expected,)


def test_a_participants_number_is_not_taken_from_another_persons_id():
    """Brightspace's downloads have numbers that its sheets don't know."""
    text = (
        "OrgDefinedId,Username,Last Name,First Name,End-of-Line Indicator\n"
        "#501,#adoe,Doe,Ann,#\n#502,#bli,Li,Bo,#\n#503,#bli2,Li,Bo,#\n"
    )
    register = Register(people(text).roster)
    assert register.find("Ann Doe_502") == [0]
    assert register.find("Somebody Else_502") == []
    assert register.find("Bo Li_9") == [1, 2]


@pytest.mark.parametrize("group", ["Group A_101", "Team 7_102", "Project 1_103"])
def test_a_groups_number_is_no_participants(group: str):
    english = next(sheet for sheet in SHEETS if sheet.name == "moodle in English")
    assert Register(people(english.content).roster).find(group) == []


@pytest.mark.parametrize("student", ["libo_102", "bo_102", "Bo L_102", "poezoe_103"])
def test_a_name_that_is_written_otherwise_does_not_speak_against_an_id(student: str):
    register = Register(people('id,name\n101,Ann Doe\n102,李 博\n103,"Poe, Zoë"\n').roster)
    assert register.find(student) == [1 if student.endswith("102") else 2]


def test_who_was_graded_blindly_is_found_when_names_are_shown_again():
    german = next(sheet for sheet in SHEETS if sheet.name == "moodle in German")
    register = Register(people(german.content).roster)
    assert register.find("Teilnehmer_in_102") == register.find("Teilnehmer/in_102") == [1]


def test_a_sheet_of_a_blind_grading_has_numbers_alone():
    found = people(
        "Identifier,Status,Grade,Maximum grade,Grade can be changed\n"
        "Participant 7,Submitted,,15.00,Yes\nParticipant 8,Submitted,,15.00,Yes\n"
    )
    assert [person.ids for person in found.people] == [("7",), ("8",)]
    assert Register(found.roster).find("Participant_8") == [1]


def test_a_worksheet_with_a_scale_is_moodles_too():
    found = people(
        "Identifier,Full name,Email address,Status,Grade,Scale,Grade can be changed\n"
        "Participant 7,Ann Doe,ann@x.edu,-,-,Good or bad,Yes\n"
        "Participant 8,Bo Li,bo@x.edu,-,-,Good or bad,Yes\n"
    )
    assert Register(found.roster).find("Bo Li_8") == [1]


def test_a_login_below_a_name_counts_where_the_name_agrees():
    register = Register(people("login,name\ndoe,Jane Doe\nadoe,Ann Doe\n").roster)
    assert register.find("ann_doe") == []
    assert register.find("Ann Doe_adoe") == [1]
    assert register.find("Bo Li_adoe") == []

"""Groups of Canvas and Moodle: resolved to their members, or named."""

from __future__ import annotations

from pathlib import Path

import pytest
from class_folders import COURSE, NB, kinds, zipped

from grader.gradesheets.enrolment import NUMBER_HEADS, read_enrolment
from grader.gradesheets.filling import match_rows
from grader.gradesheets.people import ID_HEADS, fold, read_people
from grader.gradesheets.roster import read_roster
from grader.gradesheets.sheet import Sheet
from grader.intake.collect import collect
from grader.intake.discovery import discover
from grader.intake.groups import looks_like_group

MOODLE = """\ufeffID,Vollständiger Name,E-Mail-Adresse,Status,Gruppe,Bewertung
Teilnehmer/in211,Ann Doe,ann@example.org,-,Projekt 1,
Teilnehmer/in212,Bo Lee,bo@example.org,-,Projekt 1,
Teilnehmer/in213,Cy Poe,cy@example.org,-,Projekt 2,
Teilnehmer/in214,Projekt 2,di@example.org,-,,
"""
CANVAS = """name,canvas_user_id,user_id,login_id,sections,group_name
"Doe, Ann",101,u101,adoe,A,Project 1
"Lee, Bo",102,u102,blee,A,Project 1
"Poe, Cy",103,u103,cpoe,A,Project 2
"Project 2",104,u104,dmoe,A,
"""
GRADES = """Student,ID,SIS User ID,SIS Login ID,Section,Embeddings (555)
    Points Possible,,,,,15
"Doe, Ann",101,u101,adoe,A,
"Lee, Bo",102,u102,blee,A,
"""


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(text, encoding="utf-8")
    return path


def found_in(tmp_path: Path, roster: str, *names: str):
    path = zipped(tmp_path / "d.zip", dict.fromkeys(names, NB))
    enrolment = read_enrolment(table(tmp_path, roster) if roster else None)
    return discover([path], COURSE, enrolment=enrolment)


def owners(found) -> list[str]:
    return [one.student for one in found.submissions]


def test_each_member_of_a_group_of_moodles_has_its_work(tmp_path):
    names = [
        "Projekt 1_9_assignsubmission_file_/embeddings.ipynb",
        "Cy Poe_213_assignsubmission_file_/embeddings.ipynb",
    ]
    found = found_in(tmp_path, MOODLE, *names)
    assert owners(found) == ["Ann Doe_211", "Bo Lee_212", "Cy Poe_213"]
    assert found.problems == ()


def test_each_member_of_a_group_of_canvas_has_all_its_attempts(tmp_path):
    names = ["project1_102_9001_embeddings.ipynb", "project1_102_9002_embeddings-1.ipynb"]
    found = found_in(tmp_path, CANVAS, *names, "poecy_103_9003_embeddings.ipynb")
    assert [(one.student, one.attempt) for one in found.submissions] == [
        ("doeann_101", 1), ("doeann_101", 2), ("leebo_102", 1), ("leebo_102", 2), ("poecy_103", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("roster", [MOODLE, CANVAS])
def test_members_are_who_they_are_in_the_same_table_as_a_roster(tmp_path, roster):
    names = {
        MOODLE: ["Projekt 1_9_assignsubmission_file_/a.ipynb"],
        CANVAS: ["project1_102_9001_a.ipynb"],
    }
    found = found_in(tmp_path, roster, *names[roster])
    known = read_roster(table(tmp_path, roster))
    assert len(found.students) == 2
    assert known.strangers(found.students) == ()
    assert len(known.unseen(found.students)) == 2


def test_members_of_canvas_get_their_scores_in_its_sheet(tmp_path):
    found = found_in(tmp_path, CANVAS, "project1_102_9001_embeddings.ipynb")
    sheet = Sheet(GRADES.encode(), "Grades.csv")
    matched = match_rows(read_people(sheet, "Grades.csv", "canvas"), found.students)
    assert matched.rows == {"doeann_101": 2, "leebo_102": 3}


def test_every_number_by_which_members_are_known_is_an_id_of_a_roster():
    assert set(NUMBER_HEADS) <= {fold(head) for head in ID_HEADS}


@pytest.mark.parametrize(
    ("roster", "name", "own"),
    [
        (GRADES, "teamrocket_101_9001_embeddings.ipynb", False),
        (CANVAS, "teamrocket_101_9001_embeddings.ipynb", False),
        # people are called so: the sheet's name, a part of it, another script, a stranger
        (GRADES, "doeann_101_9001_embeddings.ipynb", True),
        (GRADES, "doeannabel_101_9001_embeddings.ipynb", True),
        (GRADES, "李博_101_9001_embeddings.ipynb", True),
        (GRADES, "teamrocket_999_9001_embeddings.ipynb", True),
        # numbers of another list say nothing
        ("ID,Name\n101,Ann Doe\n", "poecy_101_9001_embeddings.ipynb", True),
    ],
)
def test_a_name_that_is_not_of_the_numbers_owner_may_be_a_groups(tmp_path, roster, name, own):
    found = found_in(tmp_path, roster, name, "leebo_102_9002_embeddings.ipynb")
    assert (name.rpartition("_9001")[0] in owners(found)) is own
    assert [kind for kind, *_ in kinds(found)] == ([] if own else ["group"])


@pytest.mark.parametrize(
    ("roster", "name", "student"),
    [
        (CANVAS, "project2_104_9001_embeddings.ipynb", "project2_104"),
        (MOODLE, "Projekt 2_214_assignsubmission_file_/embeddings.ipynb", "Projekt 2_214"),
    ],
)
def test_who_is_called_like_a_group_is_themselves(tmp_path, roster, name, student):
    assert owners(found_in(tmp_path, roster, name)) == [student]


@pytest.mark.parametrize(
    "name", ["project1_999_9001_embeddings.ipynb", "project1_103_9001_embeddings.ipynb"]
)
def test_a_groups_name_under_a_strangers_number_gives_nobody_anything(tmp_path, name):
    found = found_in(tmp_path, CANVAS, name, "poecy_103_9003_embeddings.ipynb")
    assert owners(found) == ["poecy_103"]
    assert [kind for kind, *_ in kinds(found)] == ["group"]


def test_where_a_member_handed_in_alone_it_was_no_group_assignment(tmp_path):
    names = ["project1_102_9001_embeddings.ipynb", "doeann_101_9003_embeddings.ipynb"]
    found = found_in(tmp_path, CANVAS, *names)
    assert owners(found) == ["doeann_101"]
    assert found.problems[0].student == "project1_102"


@pytest.mark.parametrize("roster", ["", "ID,Name\n211,Ann Doe\n"])
def test_a_group_of_which_nothing_tells_the_members_is_named_and_not_graded(tmp_path, roster):
    found = found_in(tmp_path, roster, "Gruppe 3_7_assignsubmission_file_/embeddings.ipynb")
    assert found.submissions == ()
    assert found.students == ("Gruppe 3_7",)
    assert "--roster" in found.problems[0].hint


def test_a_group_is_resolved_in_what_was_collected(tmp_path):
    names = ["Projekt 1_9_assignsubmission_file_/embeddings.ipynb"]
    collect([zipped(tmp_path / "d.zip", dict.fromkeys(names, NB))], tmp_path / "tidy", COURSE)
    enrolment = read_enrolment(table(tmp_path, MOODLE))
    found = discover([tmp_path / "tidy"], COURSE, enrolment=enrolment)
    assert owners(found) == ["Ann Doe_211", "Bo Lee_212"]


@pytest.mark.parametrize("name", ["Ann Doe", "Teamo", "Groupa", "Jo Teamer 3", "Anna 3", "王组"])
def test_people_are_no_groups(name):
    assert not looks_like_group(name)


@pytest.mark.parametrize(
    "name", ["Group 3", "gruppe03", "Équipe B", "Project 1", "第3组", "Team-4"]
)
def test_groups_are_told_by_a_word_and_a_number(name):
    assert looks_like_group(name)

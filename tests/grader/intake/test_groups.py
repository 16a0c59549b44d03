"""Groups of Canvas and Moodle: resolved to their members, or named."""

from __future__ import annotations

from pathlib import Path

import pytest
from class_folders import COURSE, NB, kinds, zipped

from grader.gradesheets.enrolment import read_enrolment
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

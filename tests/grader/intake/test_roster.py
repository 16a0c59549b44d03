"""Who is in the course, and who is not."""

from __future__ import annotations

import unicodedata

import pytest

from grader.errors import UsageError
from grader.gradesheets.roster import read_roster
from grader.intake.roster import Person, Roster


@pytest.fixture
def roster(tmp_path) -> Roster:
    path = tmp_path / "roster.csv"
    path.write_bytes(
        "\ufeffName;Email;ID\r\nAnn;ann@x.edu;101\r\nBo;;102\r\nZoë;zoe@x.edu;\r\n;;\r\n".encode()
    )
    return read_roster(path)


def test_people_are_known_by_every_id_the_first_is_the_name(roster):
    ids = [person.known_ids for person in roster.people]
    assert ids == [("101", "ann@x.edu"), ("102",), ("zoe@x.edu",)]


@pytest.mark.parametrize("name", ["101", "ANN@x.edu", "doeann_101"])
def test_who_handed_in_is_not_unseen(roster, name):
    assert roster.unseen([name]) == ("102", "zoe@x.edu")
    assert roster.strangers([name]) == ()


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("head", ["student", "Prénom,Nom,Matrikelnummer"])
def test_accents_are_the_same_however_a_table_keeps_them(tmp_path, form, head):
    row = "José" if head == "student" else "José,Ünal,José"
    (tmp_path / "r.csv").write_text(unicodedata.normalize(form, f"{head}\n{row}\n"), "utf-8")
    found = read_roster(tmp_path / "r.csv")
    assert found.unseen(["José"]) == ()
    assert found.strangers(["José"]) == ()
    assert found.are_one("José", "josé")
    if head != "student":
        assert unicodedata.normalize("NFC", found.names(["José"])["José"]) == "José Ünal"


def test_spaces_are_as_many_as_in_a_name_of_the_gradebook(tmp_path):
    (tmp_path / "r.csv").write_text("student\nAnn \u00a0 Lee\n", "utf-8")
    found = read_roster(tmp_path / "r.csv")
    assert (found.unseen(["Ann Lee"]), found.strangers(["Ann Lee"])) == ((), ())


def test_who_is_not_in_the_roster_is_reported(roster):
    (problem,) = roster.strangers(["ann", "101"])
    assert (problem.kind, problem.student) == ("not-in-roster", "ann")


def test_students_are_known_with_all_their_ids_but_for_those_that_mean_another(roster):
    assert roster.ids(["ann@x.edu", "doe_999", "doeann_101"]) == {
        "ann@x.edu": ("101", "ann@x.edu"),
        "doeann_101": ("101", "ann@x.edu"),
    }
    shared = Roster((Person(("7", "bo"), "Bo"), Person(("8", "7"), "Cy")))
    assert shared.ids(["bo", "8", "7"]) == {"bo": ("7", "bo"), "8": ("8",), "7": ("7", "bo")}


def test_a_table_without_ids_is_refused_with_what_it_needs(tmp_path):
    (tmp_path / "r.csv").write_text("Name,Points\nAnn,3\n")
    with pytest.raises(UsageError) as caught:
        read_roster(tmp_path / "r.csv")
    assert "student id" in caught.value.hint

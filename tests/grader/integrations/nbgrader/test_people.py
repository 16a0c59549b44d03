"""Students are called what the roster says, or their accounts; nobody's name is markup."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.integrations.nbgrader.people import Names, SafeNames, full_name, read_names


def roster(folder: Path, text: str) -> Names:
    path = folder / "roster.csv"
    path.write_text(text)
    return Names(read_names(path))


ANN = SafeNames("Ann", "Example", "ann@example.org")


@pytest.mark.parametrize(
    "text",
    [
        "id,first name,last name,email\nann,Ann,Example,ann@example.org\n",
        "Username;First name;Surname;Email address\nann;Ann;Example;ann@example.org\n",
        "login,name,email\nann,Ann Example,ann@example.org\n",
        'login,Full name,email\nAnn,"Example, Ann",ann@example.org\n',
        'Student,ID,SIS Login ID,Section,Email\n"Example, Ann",77,ann,A,ann@example.org\n',
    ],
    ids=["plain", "Moodle", "full", "turned round", "Canvas"],
)
def test_a_roster_knows_names(tmp_path: Path, text: str) -> None:
    assert roster(tmp_path, text).find("ann") == ANN


def test_a_download_is_known_by_its_id_too(tmp_path: Path) -> None:
    found = roster(tmp_path, "id,name\n77,Ann Example\n").find("example_ann_77")
    assert found == SafeNames("Ann", "Example")


def test_a_column_of_ids_is_no_column_of_names(tmp_path: Path) -> None:
    assert (
        roster(tmp_path, "student,email\nann-nobody,ann@example.org\n").find("ann-nobody") is None
    )


def test_a_roster_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read_names(tmp_path / "missing.csv")


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("Ann Example", SafeNames("Ann", "Example")),
        ("Ann Maria van Example", SafeNames("Ann Maria van", "Example")),
        ("Example, Ann Maria", SafeNames("Ann Maria", "Example")),
        ("Ann", SafeNames("", "Ann")),
        ("O'Brien-Łukasz, Zoë", SafeNames("Zoë", "O'Brien-Łukasz")),
        ("  ", None),
        ("", None),
        ("<script>alert(1)</script> X", SafeNames("scriptalert(1)/script", "X")),
        ("A\nB\x00 C", SafeNames("A B\\x00", "C")),
        ("&lt;b&gt; X", SafeNames("lt;bgt;", "X")),
        ("x" * 500, SafeNames("", "x" * 128)),
        ("\udcff \udcff", SafeNames("?", "?")),
    ],
)
def test_a_full_name_comes_apart(name: str, person: SafeNames | None) -> None:
    assert full_name(name) == person


class Users:
    """A machine's table of users."""

    def __init__(self, **users: tuple[int, str]) -> None:
        self._users = users

    def __call__(self, name: str) -> pwd.struct_passwd:
        number, gecos = self._users[name]
        return pwd.struct_passwd((name, "x", number, number, gecos, "/home", "/bin/sh"))


@pytest.mark.parametrize(
    ("student", "person"),
    [
        ("ann", SafeNames("Ann", "Example")),
        ("mail", None),  # the system's own
        ("nobody", None),
        ("eve", None),  # the account says no more than its name
        ("stranger", None),
    ],
)
def test_an_account_knows_a_name(
    monkeypatch: pytest.MonkeyPatch, student: str, person: SafeNames | None
) -> None:
    users = Users(
        ann=(1000, "Ann Example,Room 7,,"), mail=(8, "Mail Server"), nobody=(65534, "No Body"), eve=(1001, "Eve,,,")
    )  # fmt: skip
    monkeypatch.setattr(pwd, "getpwnam", users)
    assert Names().find(student) == person


def test_the_roster_knows_better_than_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pwd, "getpwnam", Users(ann=(1000, "Other Person")))
    assert roster(tmp_path, "id,name,email\nann,Ann Example,ann@example.org\n").find("ann") == ANN

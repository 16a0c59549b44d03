"""Who has which pseudonym is known to the key's owner alone, and stays."""

from __future__ import annotations

import csv
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import GraderError
from grader.names import clean_name, identity
from grader.store.pseudonyms import COLUMNS, pseudonyms


def test_a_student_keeps_a_pseudonym_and_who_is_new_gets_another(tmp_path: Path) -> None:
    key = tmp_path / "pseudonyms.csv"
    first = pseudonyms(key, ["anna", "bo"], {"anna": "Anna Ang"})
    second = pseudonyms(key, ["chen", "bo"], {})
    assert second["bo"] == first["bo"]
    assert len({*first.values(), *second.values()}) == 3
    assert pseudonyms(key, ["anna", "bo", "chen"], {}) == first | second
    rows = list(csv.reader(key.read_text(encoding="utf-8").splitlines()))
    assert rows[0] == list(COLUMNS)
    assert [first["anna"], "anna", "Anna Ang"] in rows


@pytest.mark.skipif(sys.platform == "win32", reason="has other modes")
def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    pseudonyms(tmp_path / "key.csv", ["anna"], {})
    assert stat.S_IMODE((tmp_path / "key.csv").stat().st_mode) == 0o600


def test_a_key_that_says_all_is_not_written_again(tmp_path: Path) -> None:
    key = tmp_path / "key.csv"
    pseudonyms(key, ["anna"], {})
    before = key.stat().st_ino
    pseudonyms(key, ["anna"], {"anna": "Anna"})
    assert key.stat().st_ino == before


def test_order_says_nothing(tmp_path: Path) -> None:
    names = [f"s{n:03}" for n in range(100)]
    given_names = pseudonyms(tmp_path / "key.csv", names, {})
    assert sorted(names, key=given_names.__getitem__) != names


@given(st.sets(st.text(min_size=1).map(clean_name), min_size=1, max_size=12))
def test_every_name_comes_back_from_the_key(
    tmp_path_factory: pytest.TempPathFactory, names: set[str]
) -> None:
    key = tmp_path_factory.mktemp("key") / "key.csv"
    found = pseudonyms(key, names, {name: name for name in names})
    assert pseudonyms(key, names, {}) == found
    assert len(set(found.values())) == len(names)
    assert not {identity(one) for one in found.values()} & {identity(one) for one in names}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"student,pseudonym\r\n", "first line"),
        (b"\xff\xfe", "decode"),
        (b"", "first line"),
        (b"pseudonym,student,name\r\nP-1,anna\r\n", "row 2"),
        (b"pseudonym,student,name\r\nP-1,,\r\n", "row 2"),
        (b"pseudonym,student,name\r\nP-1,anna,\r\nP-2,anna,\r\n", "row 3"),
        (b"pseudonym,student,name\r\nP-1,anna,\r\np-1,bo,\r\n", "row 3"),
        (b'pseudonym,student,name\r\n"P-1,anna,\r\n', "quote|end of data"),
    ],
)
def test_what_is_no_key_is_said_and_left_as_it_is(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    key = tmp_path / "key.csv"
    key.write_bytes(content)
    with pytest.raises(GraderError, match=reason):
        pseudonyms(key, ["anna"], {})
    assert key.read_bytes() == content

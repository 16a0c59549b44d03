from __future__ import annotations

import unicodedata
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import IntakeError
from grader.intake.reading import Reader, digest, read_submission
from grader.model import Submission
from grader.names import clean_name
from grader.text import shown_name


def submission(path, content: bytes, member: int | None = None) -> Submission:
    return Submission(
        student="a",
        assignment="b",
        path=str(path),
        name="c.py",
        digest=digest(content),
        member=member,
    )


def test_a_submission_is_read_from_its_file(tmp_path):
    (tmp_path / "a.py").write_bytes(b"x")
    assert read_submission(submission(tmp_path / "a.py", b"x")) == b"x"


def test_a_submission_is_read_from_its_archive_with_and_without_a_reader(tmp_path):
    for archive in ("a.zip", "b.zip"):
        with zipfile.ZipFile(tmp_path / archive, "w") as made:
            made.writestr("0.py", b"zero")
            made.writestr("1.py", archive)
    wanted = [
        submission(tmp_path / "a.zip", b"a.zip", 1),
        submission(tmp_path / "b.zip", b"b.zip", 1),
        submission(tmp_path / "b.zip", b"zero", 0),
    ]
    assert [read_submission(one) for one in wanted] == [b"a.zip", b"b.zip", b"zero"]
    with Reader() as reader:
        assert [read_submission(one, reader) for one in wanted] == [b"a.zip", b"b.zip", b"zero"]


def test_a_file_that_changed_since_is_not_graded(tmp_path):
    (tmp_path / "a.py").write_bytes(b"new")
    with pytest.raises(IntakeError, match="has changed"):
        read_submission(submission(tmp_path / "a.py", b"old"))


def test_a_file_that_became_a_link_is_not_read(tmp_path):
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "a.py").symlink_to("secret")
    with pytest.raises(IntakeError, match="symbolic link"):
        read_submission(submission(tmp_path / "a.py", b"x"))


def test_a_member_that_is_gone_is_an_intake_error(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr("0.py", b"zero")
    for index in (1, -1):
        with pytest.raises(IntakeError, match="gone"):
            read_submission(submission(tmp_path / "a.zip", b"zero", index))


@pytest.mark.parametrize(
    "name", ["alice", "Anna-Maria Müller", "李小龙", "o'brien", "x.y_z@uni", "Ünïcødé", "s1234567"]
)
def test_human_names_stay_as_they_are(name):
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("Mu\u0308ller", "Müller"),
        ("a\x1b[31mb", "a[31mb"),
        ("gro\u202eup", "group"),
        ("a/b\\c", "a_b_c"),
        ("a\nb\tc", "a b c"),
        ("  a   b. ", "a b"),
        ("a\u200bb\ufeff", "ab"),
        ("a\udcffb", "ab"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com¹", "_com¹"),
        ("..", "unnamed"),
        (".", "unnamed"),
        ("", "unnamed"),
        ("...x", "x"),
        ('a<b>c:"d|e?f*', "a_b_c__d_e_f_"),
    ],
)
def test_unsafe_names_are_changed(name, cleaned):
    assert clean_name(name) == cleaned


@given(st.text(max_size=400))
def test_every_name_becomes_a_safe_component_of_a_path(name):
    cleaned = clean_name(name)
    assert 1 <= len(cleaned) <= 81
    assert len(cleaned.encode("utf-8")) <= 201
    assert cleaned not in (".", "..")
    assert not set(cleaned) & set('/\\<>:"|?*')
    assert cleaned == cleaned.strip(" .")
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in cleaned)
    assert clean_name(cleaned) == cleaned


@given(st.text())
def test_printable_text_is_one_line_without_controls(text):
    shown = shown_name(text)
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in shown)
    shown.encode("utf-8")


def test_what_cannot_be_shown_is_escaped_and_what_can_stays():
    assert shown_name("ä \x1b\u202e\udcff\U000e0001") == "ä \\x1b\\u202e\\udcff\\U000e0001"

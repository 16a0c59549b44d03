from __future__ import annotations

import io
import stat
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import IntakeError
from grader.intake.archive import MAX_MEMBERS, Archive


def archive(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members:
            made.writestr(name, content)
    return path


def members(path: Path) -> dict[str, str]:
    with Archive(path) as opened:
        return {"/".join(member.parts): member.refused for member in opened.members()}


def test_members_are_listed_and_read(tmp_path):
    path = archive(tmp_path / "a.zip", ("x/", b""), ("x/a.py", b"1"), ("x/ä b.py", b"2"))
    assert members(path) == {"x/a.py": "", "x/ä b.py": ""}
    with Archive(path) as opened:
        assert [opened.read(member.index) for member in opened.members()] == [b"1", b"2"]
        assert opened.folders() == (("x",),)


@pytest.mark.parametrize(
    "name", ["../a.py", "x/../../a.py", "/etc/a.py", "C:\\a.py", "c:/a.py", "..\\a.py", "\\a.py"]
)
def test_names_that_lead_outside_are_refused(tmp_path, name):
    path = archive(tmp_path / "a.zip", (name, b"1"), ("good.py", b"2"))
    found = members(path)
    assert found.pop("good.py") == ""
    assert all("outside" in refused for refused in found.values())
    assert found
    with Archive(path) as opened, pytest.raises(IntakeError, match="outside"):
        opened.read(0)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_are_refused(tmp_path, kind):
    info = zipfile.ZipInfo("a.py")
    info.external_attr = (kind | 0o777) << 16
    path = archive(tmp_path / "a.zip", (info, b"/etc/passwd"))
    assert members(path)["a.py"] != ""


def test_two_members_of_one_name_are_both_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        path = archive(tmp_path / "a.zip", ("a.py", b"1"), ("a.py", b"2"), ("./b.py", b"3"))
    with Archive(path) as opened:
        assert ["same name" in member.refused for member in opened.members()] == [True, True, False]


def test_a_bomb_is_refused_by_its_ratio(tmp_path):
    path = archive(tmp_path / "a.zip", ("a.ipynb", b"\0" * (8 << 20)), ("b.py", b"1"))
    found = members(path)
    assert "bomb" in found["a.ipynb"]
    assert found["b.py"] == ""


def test_a_header_that_lies_about_the_size_does_not_unpack_more(tmp_path):
    path = archive(tmp_path / "a.zip", ("a.ipynb", b"\0" * (64 << 20)))
    content = path.read_bytes()
    true_size = struct.pack("<I", 64 << 20)
    assert content.count(true_size) == 2
    path.write_bytes(content.replace(true_size, struct.pack("<I", 1000)))
    with Archive(path) as opened, pytest.raises(IntakeError, match=r"damaged|too large"):
        opened.read(0)


def test_a_member_over_the_limit_is_refused_before_it_is_unpacked(tmp_path):
    path = archive(tmp_path / "a.zip", ("a.py", bytes(range(256)) * 100))
    with Archive(path) as opened, pytest.raises(IntakeError, match="too large"):
        opened.read(0, limit=1000)


def test_members_that_share_their_bytes_are_refused(tmp_path):
    path = archive(tmp_path / "a.zip", ("a.py", b"1" * 500), ("b.py", b"2" * 500), ("c.py", b"3"))
    content = bytearray(path.read_bytes())
    second = content.index(b"PK\1\2", content.index(b"PK\1\2") + 4)
    content[second + 42 : second + 46] = struct.pack("<I", 0)  # b.py points at a.py's bytes
    path.write_bytes(content)
    found = members(path)
    assert "shares" in found["a.py"]
    assert "shares" in found["b.py"]
    assert found["c.py"] == ""


def test_an_encrypted_member_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", ("a.py", b"1"))
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    assert members(path) == {"a.py": "it is encrypted"}


def test_compression_other_than_deflate_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as made:
        made.writestr("a.py", b"1")
    assert "deflate" in members(path)["a.py"]


def test_too_many_members_are_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as made:
        for number in range(MAX_MEMBERS + 1):
            made.writestr(f"{number}.py", b"")
    with pytest.raises(IntakeError, match="20001 members"):
        Archive(path)


def test_an_archive_with_zip64_records_is_read(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as made, made.open("a.py", "w", force_zip64=True) as member:
        member.write(b"x = 1")
    with Archive(path) as opened:
        assert opened.read(0) == b"x = 1"


def test_a_directory_size_in_the_terabytes_is_not_believed(tmp_path):
    path = archive(tmp_path / "a.zip", ("a.py", b"1"))
    content = bytearray(path.read_bytes())
    end = content.index(b"PK\5\6")
    content[end + 12 : end + 16] = struct.pack("<I", 0xFFFF0000)
    path.write_bytes(content)
    with pytest.raises(IntakeError, match="usable"):
        Archive(path)


def test_names_in_utf8_without_the_flag_are_read_as_utf8(tmp_path):
    path = archive(tmp_path / "a.zip", ("Mueller.py", b"1"))
    content = path.read_bytes().replace(b"Mueller.py", "Müller.py".encode())
    path.write_bytes(content)
    assert list(members(path)) == ["Müller.py"]


def test_flagged_names_that_are_not_utf8_are_refused(tmp_path):
    path = archive(tmp_path / "a.zip", ("é.py", b"1"))
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xfe"))
    with pytest.raises(IntakeError, match="UTF-8"):
        Archive(path)


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"PK\5\6" + b"\xff" * 18, b"no zip" * 99])
def test_what_is_no_archive_is_an_intake_error(tmp_path, content):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(IntakeError):
        Archive(path)


def _valid() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("alice/a.py", b"x = 1\n" * 50)
        made.writestr("bob/ä.ipynb", b"{}")
    return buffer.getvalue()


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(_valid()) - 1), st.binary(min_size=1, max_size=4)), max_size=5
    ),
    st.integers(0, len(_valid())),
)
def test_a_damaged_archive_raises_nothing_but_intake_errors(tmp_path_factory, edits, cut):
    content = bytearray(_valid())
    for place, written in edits:
        content[place : place + len(written)] = written
    path = tmp_path_factory.mktemp("damaged") / "a.zip"
    path.write_bytes(content[: cut or None])
    with suppress(IntakeError), Archive(path) as opened:
        opened.folders()
        for member in opened.members():
            with suppress(IntakeError):
                opened.read(member.index)

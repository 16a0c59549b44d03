"""Names in zips, as the systems of the world write them."""

from __future__ import annotations

import struct
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

import pytest
from class_folders import COURSE, NB, fill, kinds, notebook, zipped
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.intake.archive import Archive
from grader.intake.discovery import discover
from grader.intake.member_names import CODE_PAGES, guess_encoding
from grader.intake.reading import read_submission
from grader.names import identity


def raw_zip(path: Path, members: dict[bytes, bytes], *, extra: bytes = b"") -> Path:
    """Write a zip with these bytes for names, and no word about what they mean."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as made:
        for number, content in enumerate(members.values()):
            info = zipfile.ZipInfo(f"{number:04d}".ljust(len([*members][number]), "x"))
            info.extra = extra
            made.writestr(info, content)
    data = path.read_bytes()
    for number, name in enumerate(members):
        data = data.replace(f"{number:04d}".ljust(len(name), "x").encode(), name)
    path.write_bytes(data)
    return path


CLASSES = {
    "cp932": ["田中太郎", "山田表", "ソース花子"],
    "gbk": ["张伟", "王小明", "李娜"],
    "big5": ["陳大文", "許功蓋"],
    "cp949": ["김철수", "이영희"],
    "cp866": ["Иванов Иван", "Петрова Анна"],
    "cp1251": ["Иванов Иван", "Петрова Анна"],
    "cp437": ["Jürgen Müller", "Zoë Blås"],
    "cp850": ["Jürgen Müller", "José Núñez", "Ana São"],
    "utf-8": ["Jürgen Müller", "田中太郎", "Иванов"],
}


@pytest.mark.parametrize("page", CLASSES)
def test_names_that_say_nothing_are_read_and_the_guess_is_reported(tmp_path, page):
    members = {f"{name}/embeddings.ipynb".encode(page): NB for name in CLASSES[page]}
    found = discover([raw_zip(tmp_path / "class.zip", members)], COURSE)
    assert {one.student for one in found.submissions} == set(CLASSES[page])
    assert [kind for kind, *_ in kinds(found)] == ([] if page == "utf-8" else ["renamed"])


def test_of_two_spellings_the_one_of_the_roster_counts():
    names = [
        "ææææ",
        "넭æææ",
    ]  # four signs in EUC-KR, which cp949 reads as others that mean the same
    raws = [name.encode("euc_kr") for name in names]
    assert guess_encoding(raws, names) == "euc_kr"


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([p for p in CODE_PAGES if p != "cp437"]), st.data())
def test_the_names_of_the_roster_tell_how_names_are_written(page, data):
    letter = st.sampled_from(_letters(page))
    names = data.draw(st.lists(st.text(letter, min_size=4, max_size=9), min_size=3, max_size=9))
    raws = [f"{name}_12.ipynb".encode(page) for name in names]
    guessed = guess_encoding(raws, [*names, "Ann Doe"])
    assert [raw.decode(guessed).removesuffix("_12.ipynb") for raw in raws] == names


@lru_cache
def _letters(page: str) -> list[str]:
    plain = (c for c in map(chr, range(0xA1, 0xFFFF)) if c.isalpha() and identity(c) == c)
    return [letter for letter in plain if _fits(letter, page)]


def _fits(letter: str, page: str) -> bool:
    try:
        return len(letter.encode(page)) > 0
    except UnicodeEncodeError:
        return False


def test_the_unicode_path_field_is_believed_if_it_is_about_this_name(tmp_path):
    raw = b"J?rgen/embeddings.ipynb"
    for checksum, name in ((zlib.crc32(raw), "Jürgen"), (1, "J?rgen")):
        text = "Jürgen/embeddings.ipynb".encode()
        field = struct.pack("<HHBL", 0x7075, len(text) + 5, 1, checksum) + text
        path = raw_zip(tmp_path / f"{checksum}.zip", {raw: NB}, extra=field)
        with Archive(path) as opened:
            assert opened.members()[0].parts == (name, "embeddings.ipynb")


def test_two_people_stay_two_where_the_guess_is_wrong(tmp_path):
    files = {f"{name}_embeddings.ipynb".encode("big5"): NB for name in ("許功蓋", "許功明")}
    for page in ("cp437", "big5"):
        with Archive(raw_zip(tmp_path / "c.zip", files), guess=page != "cp437") as opened:
            assert len({member.parts for member in opened.members()}) == 2
            assert all(len(member.parts) == 1 for member in opened.members())


def test_a_backslash_within_a_character_is_no_separator(tmp_path):
    path = raw_zip(tmp_path / "class.zip", {"表/十/ソ embeddings.ipynb".encode("cp932"): NB})
    with Archive(path) as opened:
        assert opened.members()[0].parts == ("表", "十", "ソ embeddings.ipynb")


@given(st.binary(max_size=60))
def test_any_bytes_can_be_read(raw):
    raw.decode(guess_encoding([raw])).encode(guess_encoding([raw]))


# ---------------------------------------------------------------- archives in archives


def packed(files: dict[str, bytes], tmp_path: Path) -> bytes:
    return zipped(tmp_path / "inner.zip", files).read_bytes()


def test_each_students_zip_in_that_of_the_class_is_opened(tmp_path):
    inner = {
        name: packed({f"{name}/embeddings.ipynb": notebook(source=name), "x.txt": b""}, tmp_path)
        for name in ("ann", "bo")
    }
    path = zipped(tmp_path / "class.zip", {f"{name}.zip": inner[name] for name in inner})
    found = discover([path], COURSE)
    assert [one.student for one in found.submissions] == ["ann", "bo"]
    assert [read_submission(one) for one in found.submissions] == [
        notebook(source=name) for name in inner
    ]
    assert found.problems == ()


def test_a_zip_in_a_students_zip_is_named(tmp_path):
    deep = packed({"deep.zip": packed({"embeddings.ipynb": NB}, tmp_path)}, tmp_path)
    for path in (
        zipped(tmp_path / "class.zip", {"ann.zip": deep, "bo/embeddings.ipynb": NB}),
        fill(tmp_path / "class", {"ann.zip": deep, "bo/embeddings.ipynb": NB}),
    ):
        found = discover([path], COURSE)
        assert [one.student for one in found.submissions] == ["bo"]
        assert kinds(found) == [("unreadable", "ann", None)]
        assert "archive inside an archive" in found.problems[0].message


def test_a_bomb_in_a_zip_costs_its_owner_alone(tmp_path):
    bomb = packed({"embeddings.ipynb": bytes(60 << 20)}, tmp_path)
    many = {f"{n}.zip": bomb for n in range(3)}
    files = {f"ann/{name}": content for name, content in many.items()} | {"bo.zip": b"PK\3\4"}
    path = zipped(tmp_path / "class.zip", {**files, "cy/embeddings.ipynb": NB})
    found = discover([path], COURSE)
    assert [one.student for one in found.submissions] == ["cy"]
    assert {student for _, student, _ in kinds(found)} == {"ann", "bo"}


@pytest.mark.parametrize("ending", ["7z", "rar", "tar.gz"])
def test_other_archives_are_named_with_what_to_do(tmp_path, ending):
    files = {f"ann.{ending}": b"x", f"bo/work.{ending}": b"x", "cy/embeddings.ipynb": NB}
    for path in (zipped(tmp_path / "class.zip", files), fill(tmp_path / "class", files)):
        found = discover([path], COURSE)
        assert found.students == ("ann", "bo", "cy")
        assert kinds(found) == [("unreadable", "ann", None), ("unreadable", "bo", None)]
        assert "unpack it" in found.problems[0].hint

"""Feedback packed as platforms take it, read back as their importers read it."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.gradebook import Score, State
from grader.gradesheets.filling import match_rows
from grader.gradesheets.giving_back import (
    Feedback,
    Parcels,
    fill_comments,
    for_canvas,
    for_everybody,
    for_moodle,
    pack,
)
from grader.gradesheets.people import People, read_people
from grader.gradesheets.sheet import Sheet
from grader.intake.reading import digest
from grader.model import Ending
from grader.names import components

HEAD = "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,Last modified (grade),Feedback comments\n"
ROW = 'Participant {n},"{name}",{mail},-,,25.00,Yes,-,\n'


def worksheet(*people: tuple[int, str]) -> Sheet:
    rows = (ROW.format(n=n, name=name, mail=f"p{n}@x.edu") for n, name in people)
    return Sheet((HEAD + "".join(rows)).encode(), "Moodle.csv")


def of(sheet: Sheet) -> People:
    return read_people(sheet, "Moodle.csv", "moodle")


def feedback(*students: str) -> list[Feedback]:
    return [
        Feedback(one, f"<p>of {one}</p>".encode(errors="replace"), f"of {one}\n<b>")
        for one in students
    ]


def as_moodle_reads(archive: bytes) -> dict[str, str]:
    """What each participant's number is given: the path is cut at `_`, the number is believed."""
    found = {}
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for info in opened.infolist():
            _, number, type_, plugin, _ = f"/{info.filename}".split("_", 4)
            assert (type_, plugin) == ("assignsubmission", "file")
            assert number not in found
            found[number] = opened.read(info).decode()
    return found


def moodle(sheet: Sheet, *students: str) -> Parcels:
    return for_moodle(feedback(*students), match_rows(of(sheet), students), of(sheet), "blocks")


def test_moodle_gives_everybody_their_own():
    sheet = worksheet((101, "Ann Doe"), (102, "Bo Li"), (103, "Cy_Poe/../x"))
    packed = moodle(sheet, "Ann Doe_101", "p102@x.edu", "Cy Poe/../x_103")
    assert as_moodle_reads(pack(packed.parcels)) == {
        "101": "<p>of Ann Doe_101</p>",
        "102": "<p>of p102@x.edu</p>",
        "103": "<p>of Cy Poe/../x_103</p>",
    }


def test_swapped_and_doubled_names_get_nobody_elses():
    sheet = worksheet((101, "Ann Doe"), (102, "Bo Li"), (103, "Ann Doe"))
    packed = moodle(sheet, "Ann Doe_102", "Bo Li_101", "Ann Doe_103", "Ann Doe")
    assert as_moodle_reads(pack(packed.parcels)) == {"103": "<p>of Ann Doe_103</p>"}
    assert set(packed.unmatched) == {"Ann Doe_102", "Bo Li_101", "Ann Doe"}


def test_of_two_who_may_be_one_nobody_gets_anything_even_if_one_has_no_feedback():
    sheet = worksheet((101, "Ann Doe"), (102, "Bo Li"))
    matched = match_rows(of(sheet), ["Ann Doe_101", "p101@x.edu", "Bo Li_102"])
    packed = for_moodle(feedback("Ann Doe_101", "Bo Li_102"), matched, of(sheet), "blocks")
    assert [one.student for one in packed.parcels] == ["Bo Li_102"]
    assert set(packed.ambiguous) == {"Ann Doe_101", "p101@x.edu"}


def test_graded_blindly_there_are_no_names():
    head = "Identifier,Status,Grade,Maximum Grade,Grade can be changed,Last modified (grade)\n"
    sheet = Sheet(
        (head + "Participant 7,-,,25.00,Yes,-\nParticipant 8,-,,25.00,Yes,-\n").encode(), "x"
    )
    packed = moodle(sheet, "Participant_7", "Participant_8")
    assert as_moodle_reads(pack(packed.parcels)).keys() == {"7", "8"}


def test_comments_go_into_their_rows_as_text_and_nothing_else_changes():
    sheet = worksheet((101, "Ann Doe"), (102, "Bo Li"))
    before = [row[:8] for row in sheet.rows]
    rows_of = match_rows(of(sheet), ["Ann Doe_101", "Bo Li_102"]).rows
    fill_comments(sheet, feedback("Bo Li_102"), rows_of, 8)
    rows = list(csv.reader(io.StringIO(sheet.encode().decode())))
    assert [row[:8] for row in rows] == before
    assert [row[8] for row in rows[1:]] == ["", "of Bo Li_102<br>&lt;b&gt;"]


# ---------------------------------------------------------------- Canvas


def download(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def scored(student: str, content: bytes) -> Score:
    return Score(student=student, assignment="blocks", state=State.GRADED, earned=1, possible=2,
                 ending=Ending(), digest=digest(content))  # fmt: skip


def canvas(path: Path, **contents: bytes) -> Parcels:
    scores = {student: scored(student, content) for student, content in contents.items()}
    return for_canvas(feedback(*contents), scores, path)


def test_canvas_gets_the_names_of_the_files_that_were_graded(tmp_path):
    names = {
        "doeann_101_9001_hw.ipynb": b"{1}",
        "doeann_101_9005_hw-1.ipynb": b"{2}",
        "libo_LATE_102_9002_my_2_hw.py": b"x = 1",
    }
    packed = canvas(download(tmp_path / "d.zip", **names), doeann_101=b"{2}", libo_102=b"x = 1")
    with zipfile.ZipFile(io.BytesIO(pack(packed.parcels))) as archive:
        found = {name: archive.read(name).decode() for name in archive.namelist()}
    assert found.keys() == {"doeann_101_9005_hw-1.ipynb", "libo_LATE_102_9002_my_2_hw.py"}
    (cell,) = json.loads(found["doeann_101_9005_hw-1.ipynb"])["cells"]
    assert (cell["cell_type"], cell["source"]) == ("markdown", "of doeann_101\n<b>")
    assert found["libo_LATE_102_9002_my_2_hw.py"] == "# of libo_102\n# <b>\n"


def zipped(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"work/{name}", content)
    return made.getvalue()


def test_canvas_gets_a_zip_for_a_zip_that_holds_what_was_graded(tmp_path):
    names = {
        "obrien_105_9001_work.ZIP": zipped(**{"hw.ipynb": b"{1}", "data.csv": b"{3}"}),
        "libo_102_9002_hw.zip": b"PK no zip",
    }
    path = download(tmp_path / "d.zip", **names)
    packed = canvas(path, obrien_105=b"{1}", libo_102=b"{1}")
    assert packed.unmatched == ("libo_102",)
    (parcel,) = packed.parcels
    assert (parcel.student, parcel.name) == ("obrien_105", "obrien_105_9001_work.ZIP")
    with zipfile.ZipFile(io.BytesIO(parcel.content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "blocks.html": b"<p>of obrien_105</p>"
        }
    assert canvas(path, obrien_105=b"{2}").unmatched == ("obrien_105",)
    assert canvas(path, obrien_105=b"{3}").unmatched == ("obrien_105",)  # nobody grades a table


def test_canvas_gives_nothing_to_whom_it_may_not_belong(tmp_path):
    names = {
        "doeann_101_9001_hw.ipynb": b"{1}",
        "libo_102_9002_hw.ipynb": b"{2}",
        "poecy_103_9003_hw.pdf": b"{3}",
    }
    path = download(tmp_path / "d.zip", **names)
    swapped = canvas(path, doeann_101=b"{2}", libo_102=b"{1}", poecy_103=b"{3}", doeann_102=b"{1}")
    assert swapped.parcels == ()
    assert len(swapped.unmatched) == 4
    doubled = canvas(path, doeann_101=b"{1}", DOEANN_101=b"{1}", libo_102=b"{2}")
    assert [one.student for one in doubled.parcels] == ["libo_102"]
    assert set(doubled.ambiguous) == {"doeann_101", "DOEANN_101"}


def test_what_is_no_download_is_an_error(tmp_path):
    for content in (b"no zip", b""):
        (tmp_path / "x.zip").write_bytes(content)
        with pytest.raises(UsageError):
            canvas(tmp_path / "x.zip", a=b"")
    with pytest.raises(UsageError, match="no download"):
        canvas(download(tmp_path / "y.zip", **{"readme.txt": b""}), a=b"")


# ---------------------------------------------------------------- names

NAMES = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(
            [
                "../../etc/passwd",
                "/abs",
                "C:\\x",
                "a/../b",
                "CON",
                "..",
                "\u202ex",
                "a\0b",
                "~x",
                "-rf",
            ]
        ),
    ),
    min_size=1,
    max_size=5,
    unique=True,
)


def is_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return (
        len(parts) == 2
        and ".." not in parts
        and not set(name) & set("\\:\0\n")
        and not name.startswith("/")
    )


@given(names=NAMES)
def test_whatever_people_are_called_everything_stays_inside_and_apart(names):
    packed = for_everybody(feedback(*names), components(names), "blocks")
    assert len({one.name.casefold() for one in packed.parcels}) == len(names)
    assert all(is_inside(one.name) for one in packed.parcels)
    people = [(n, re.sub(r'["\0]', "'", name)) for n, name in enumerate(names, 101)]
    sheet = worksheet(*people)
    packed = moodle(sheet, *(f"p{n}@x.edu" for n, _ in people))
    assert all(is_inside(one.name) for one in packed.parcels)
    assert as_moodle_reads(pack(packed.parcels)).keys() == {str(n) for n, _ in people}


def test_equal_feedback_makes_equal_zips():
    parcels = for_everybody(feedback("a", "b"), components(["a", "b"]), "blocks").parcels
    assert pack(parcels) == pack(parcels[::-1])

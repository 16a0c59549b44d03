"""Folders and archives as one tree, whatever their entries are called."""

from __future__ import annotations

import io
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy import notebook, write

from grader.config.course import Course
from grader.errors import GraderError, IntakeError
from grader.intake import walker
from grader.intake.discovery import discover
from grader.intake.walker import MAX_DEPTH, MAX_NAMED, list_files
from grader.text import printable

HONEST = notebook("x = 1", assignment="adding")


def zipped(*names: str, extra: dict[str, str] | None = None) -> bytes:
    """An archive of entries with these names; one that ends with a slash is a folder."""
    made = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(made, "w") as archive:
        warnings.simplefilter("ignore")  # two members of one name
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), "" if name.endswith("/") else HONEST)
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return made.getvalue()


pieces = st.sampled_from(
    [".", "..", "", "a", "ann", "adding.py", "adding.ipynb", "x.zip", ".zip", ".py", "C:", "con",
     "pyvenv.cfg", "__MACOSX", ".git", " ", "\x1b[31m", "\x01", "é", "e\u0301", "\u202e", "ﬁ", "a" * 200,
     "submission_1", "submission_metadata.yml", "timestamp.txt", "collected.json", "__init__.py"]
)  # fmt: skip
paths = st.lists(pieces | st.text(max_size=5), max_size=6).map("/".join)
entries = st.tuples(paths, st.sampled_from(["", "/", "\\", "//"])).map("".join)
names = st.lists(entries.filter(lambda n: len(n.encode("utf-8", "replace")) < 2000), max_size=5)


def encodable(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=names.map(lambda found: list(filter(encodable, found))), whole=st.booleans())
def test_an_archive_of_any_names_is_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, toy_course: Course, names: list[str], whole: bool
) -> None:
    folder = tmp_path_factory.mktemp("in")
    if whole:
        path = folder / "class.zip"
        path.write_bytes(zipped(*names, extra={"zoe/adding.ipynb": HONEST}))
    else:
        path = folder
        write(folder / "zoe/adding.ipynb", HONEST)
        write(folder / "eve/notes.txt", "")
        (folder / "eve/answer.zip").write_bytes(zipped(*names))
    try:
        found = discover([path], toy_course)
    except GraderError as error:
        pytest.fail(f"nobody is graded: {error}")
    named = [*found.students, *(problem.where for problem in found.problems)]
    assert any("zoe" in one for one in named)
    for problem in found.problems:
        said = problem.message + problem.where
        assert said == printable(said)
        assert "Error" not in said
        assert len(said) < 3000
    if not whole:
        assert "zoe" in {one.student for one in found.submissions}


@pytest.mark.parametrize("entry", ["./", "/", "./.", ".//", "\\", "./././"])
def test_an_archives_own_folder_is_no_folder_in_it(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "class.zip"
    path.write_bytes(zipped(entry, "./ann/", "./ann/adding.py"))
    found = list_files(path, "class.zip")
    assert found.folders == (("ann",),)
    assert [node.parts for node in found.nodes] == [("ann", "adding.py")]


def test_what_lies_too_deep_in_an_archive_is_its_owners_fault(tmp_path: Path) -> None:
    path = tmp_path / "class.zip"
    deep = "/".join(["eve", *"a" * MAX_DEPTH, "adding.py"])
    path.write_bytes(zipped("ann/adding.py", deep, deep.rpartition("/")[0] + "/"))
    found = list_files(path, "class.zip")
    assert [node.parts for node in found.nodes] == [("ann", "adding.py")]
    assert [(fault.parts, "deep" in fault.message) for fault in found.faults] == [(("eve",), True)]


def test_many_faults_of_an_archive_are_counted_and_not_all_named(tmp_path: Path) -> None:
    path = tmp_path / "class.zip"
    path.write_bytes(zipped(*(f"../{number}.py" for number in range(MAX_NAMED + 5))))
    found = list_files(path, "class.zip")
    assert len(found.faults) == MAX_NAMED + 1
    assert found.faults[-1].message.startswith("5 more of its files: ") or any(
        fault.message.startswith("5 more of its files: ") for fault in found.faults
    )


def test_archives_of_one_student_can_not_hold_more_than_a_student_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walker, "MAX_LISTED", 50)
    for number in range(4):
        write(tmp_path / "in/eve/notes.txt", "")
        (tmp_path / f"in/eve/{number}.zip").write_bytes(zipped("a.py", "b.py"))
    write(tmp_path / "in/ann/adding.py", "")
    found = list_files(tmp_path / "in", "in")
    assert {fault.parts[0] for fault in found.faults} == {"eve"}
    assert ("ann", "adding.py") in [node.parts for node in found.nodes]
    assert sum(node.parts[0] == "eve" for node in found.nodes) == 4  # of the first two


def test_a_folder_in_the_archive_of_a_class_can_not_use_up_the_others_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walker, "MAX_ENTRIES", 10)
    path = tmp_path / "class.zip"
    path.write_bytes(zipped("ann/adding.py", *(f"eve/{number}.py" for number in range(40))))
    found = list_files(path, "class.zip")
    assert ("ann", "adding.py") in [node.parts for node in found.nodes]
    assert {fault.parts for fault in found.faults} == {("eve",)}


def test_an_archive_of_a_class_may_hold_more_than_one_of_a_student(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.intake.archive.MAX_MEMBERS", 3)
    names = [f"{number}/adding.py" for number in range(5)]
    (tmp_path / "class.zip").write_bytes(zipped(*names))
    assert len(list_files(tmp_path / "class.zip", "class.zip").nodes) == 5
    write(tmp_path / "in/eve/notes.txt", "")
    (tmp_path / "in/eve/own.zip").write_bytes(zipped(*names))
    (fault,) = list_files(tmp_path / "in", "in").faults
    assert "5 members" in fault.message
    with pytest.raises(IntakeError, match="5 members"):
        walker.Archive(tmp_path / "class.zip")

"""A download that was collected is the same class, and nothing that was there is lost."""

from __future__ import annotations

import json
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy import notebook

from grader.config.course import AssignmentConfig, Course
from grader.errors import GraderError, IntakeError, NothingToGrade, UsageError
from grader.intake.collect import collect
from grader.intake.discovery import Discovery, discover
from grader.intake.manifest import NAME
from grader.intake.reading import read_submission

EXPORT = """
submission_11:
  :submitters: [{":name": Ann Doe, ":sid": "4711"}, {":name": Bo Lee, ":sid": "4712"}]
  :created_at: 2026-03-01 22:59:00.000000000 Z
submission_12: text
"""
DOWNLOADS: dict[str, list[str]] = {
    "canvas": [
        "doeann_101_9001_adding.ipynb", "doeann_101_9004_adding-1.ipynb",
        "leebo_LATE_102_9002_homework.ipynb", "leebo_LATE_102_9003_homework-1.ipynb",
        "roezoe_103_9005_adding.ipynb", "roezoe_103_9006_adding copy.ipynb",
        "vincy_104_9007_essay.pdf.ipynb.txt", "anon_x7Yz_LATE_9008_adding.py",
    ],
    "moodle": [
        "Ann Doe_211_assignsubmission_file_/adding.ipynb",
        "Ann Doe_211_assignsubmission_file_/old/adding.ipynb",
        "Bo Lee_212_assignsubmission_file_/my work.ipynb",
        "Teilnehmerin 7_213_assignsubmission_file_/Datei.ipynb",
        "Cy Roe_214_assignsubmission_file_/essay.pdf",
        "Di Moe_215_assignsubmission_file_/deep/adding.ipynb",
    ],
    "moodle, flat": [
        "Participant_211_assignsubmission_file_adding.ipynb",
        "Teilnehmer_212_assignsubmission_file_Datei.ipynb",
        "Gruppe 3_7_assignsubmission_file_adding (2).ipynb",
    ],
    "gradescope": [
        "export/submission_metadata.yml", "export/submission_11/adding.ipynb",
        "export/submission_11/deep/sketch.ipynb", "export/submission_12/work.py",
    ],
    "nbgrader": [
        "ann/adding/adding.ipynb", "ann/adding/timestamp.txt", "bo/adding/adding.ipynb",
        "cy/taking/taking.ipynb", "di/README.md",
    ],
    "exchange": [
        "ann+adding+2026-03-01 15:58:23 UTC+x1/adding.ipynb",
        "ann+adding+2026-03-02 15:58:23 UTC+x2/adding.ipynb",
        "bo+adding+2026-03-01 10:00:00 UTC+x3/adding.ipynb",
    ],
    "plain": [
        "ann/adding.ipynb", "Ann/adding.ipynb", "bo/v1/adding.ipynb", "bo/v2/adding.ipynb",
        "con/adding.py", "x:y?/adding.py", ".hidden/adding.py", "adding/adding.ipynb", "ed.ipynb",
        "collected.json/adding.py", "fay\u202e/adding.ipynb", "lone adding.ipynb",
    ],
}  # fmt: skip


def packed(path: Path, names: list[str], same: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            content = notebook(f"x = {same or name!r}")
            if name.endswith("timestamp.txt"):
                content = "2026-03-01 15:58:23.948203 UTC"
            archive.writestr(name, EXPORT if name.endswith(".yml") else content)
    return path


@pytest.fixture
def course(toy_course: Course) -> Course:
    more = AssignmentConfig(id="taking", title="Taking away")
    return msgspec.structs.replace(toy_course, assignments=(*toy_course.assignments, more))


def seen(found: Discovery) -> Mapping[str, object]:
    """Everything but where things lie."""
    return {
        "students": found.students,
        "submissions": [
            (s.student, s.assignment, s.name, s.digest, s.submitted_at, s.time_from, s.late, s.attempt)
            for s in found.submissions
        ],
        "problems": sorted(
            (p.kind, p.student or "", p.assignment or "", p.message) for p in found.problems
        ),
    }  # fmt: skip


@pytest.mark.parametrize("assignments", [[], ["adding"]])
@pytest.mark.parametrize("kind", DOWNLOADS)
def test_checking_the_folder_is_checking_the_download(
    course: Course, tmp_path: Path, kind: str, assignments: list[str]
) -> None:
    path = packed(tmp_path / "d.zip", DOWNLOADS[kind])
    wanted = discover([path], course, assignments=assignments)
    assert wanted.submissions
    collect([path], tmp_path / "tidy", course, assignments)
    shutil.move(path, tmp_path / "elsewhere.zip")
    found = discover([tmp_path / "tidy"], course, assignments=assignments)
    assert seen(found) == seen(wanted)
    for submission in found.submissions:
        assert read_submission(submission)


PIECES = st.sampled_from(
    ["ann", "Ann", "bo", "adding", "taking", "work", "a b", "x.y", "con", "ß", "doe_1_2_adding",
     "doe_1_3_adding-1", "Lee_7_assignsubmission_file_", "submission_3", "collected.json", "2", "é"]
)  # fmt: skip
NAMES = st.builds(
    lambda folders, stem, ending: "/".join([*folders, stem]) + ending,
    st.lists(PIECES, max_size=3),
    PIECES,
    st.sampled_from([".ipynb", ".py", ".txt", ".ipynb.txt", ".IPYNB"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=6, unique=True), st.booleans())
def test_any_tree_of_files_is_the_same_class_when_it_was_collected(
    course: Course, names: list[str], equal: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = packed(Path(folder, "d.zip"), names, "1" if equal else "")
        try:
            wanted = discover([path], course)
        except NothingToGrade:
            return
        collect([path], Path(folder, "tidy"), course)
        assert seen(discover([Path(folder, "tidy")], course)) == seen(wanted)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_files_come_to_lie_by_student_and_assignment(course: Course, tmp_path: Path) -> None:
    done = collect([packed(tmp_path / "d.zip", DOWNLOADS["canvas"])], tmp_path / "tidy", course)
    assert set(files(tmp_path / "tidy")) == {
        NAME,
        "anon_x7Yz/adding/adding.py",
        "doeann_101/adding/adding-1.ipynb",
        "doeann_101/adding/adding.ipynb",
        "leebo_102/homework-1.ipynb",
        "leebo_102/homework.ipynb",
        "roezoe_103/adding/adding copy.ipynb",
        "roezoe_103/adding/adding.ipynb",
    }
    assert (done.new, done.same, done.beside) == (7, 0, ())
    assert [one.student for one in done.left_out] == ["vincy_104"]


def test_who_when_and_the_original_name_are_in_the_manifest(course: Course, tmp_path: Path) -> None:
    collect([packed(tmp_path / "d.zip", DOWNLOADS["gradescope"])], tmp_path / "tidy", course)
    manifest = json.loads((tmp_path / "tidy" / NAME).read_text())
    kept = {one["path"]: one for one in manifest["files"]}["Bo Lee_4712/adding/adding.ipynb"]
    assert kept["student"] == "Bo Lee_4712"
    assert kept["parts"][-1] == "adding.ipynb"
    assert kept["source"].endswith("d.zip!export/submission_11/adding.ipynb")
    assert kept["origin"]["submitted_at"] == "2026-03-01T22:59:00+00:00"
    assert kept["origin"]["time_from"] == "Gradescope's submission_metadata.yml"


def test_collecting_the_same_again_changes_nothing(course: Course, tmp_path: Path) -> None:
    path = packed(tmp_path / "d.zip", DOWNLOADS["canvas"])
    collect([path], tmp_path / "tidy", course)
    before = files(tmp_path / "tidy")
    done = collect([path], tmp_path / "tidy", course)
    assert (done.new, done.beside) == (0, ())
    assert files(tmp_path / "tidy") == before


def test_what_is_handed_in_again_is_a_later_attempt_beside_the_earlier(
    course: Course, tmp_path: Path
) -> None:
    name = "Ann Doe_211_assignsubmission_file_/adding.ipynb"
    other = "Bo Lee_212_assignsubmission_file_/adding.ipynb"
    first = packed(tmp_path / "1.zip", [name, other])
    second = tmp_path / "2.zip"
    shutil.copy(first, second)
    with zipfile.ZipFile(second, "w") as archive:
        archive.writestr(name, notebook("x = 'better'"))
        archive.writestr(other, notebook(f"x = {other!r}"))
    collect([first], tmp_path / "tidy", course)
    before = files(tmp_path / "tidy")
    done = collect([second], tmp_path / "tidy", course)
    assert done.beside == ("Ann Doe_211/adding/2/adding.ipynb",)
    after = files(tmp_path / "tidy")
    assert {path: after[path] for path in before if path != NAME} == {
        path: content for path, content in before.items() if path != NAME
    }
    found = discover([tmp_path / "tidy"], course)
    assert [(one.student, one.attempt) for one in found.submissions] == [
        ("Ann Doe_211", 1), ("Ann Doe_211", 2), ("Bo Lee_212", 1),
    ]  # fmt: skip
    assert found.problems == ()


def test_assignments_are_collected_one_after_the_other(course: Course, tmp_path: Path) -> None:
    for assignment in ("adding", "taking"):
        path = packed(
            tmp_path / f"{assignment}.zip", ["doeann_101_9001_homework.ipynb"], assignment
        )
        collect([path], tmp_path / "tidy", course, [assignment])
    found = discover([tmp_path / "tidy"], course)
    assert [one.assignment for one in found.submissions] == ["adding", "taking"]
    assert found.problems == ()


def test_a_file_that_somebody_else_put_there_is_not_overwritten(
    course: Course, tmp_path: Path
) -> None:
    mine = tmp_path / "tidy/doeann_101/adding/adding.ipynb"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = collect(
        [packed(tmp_path / "d.zip", ["doeann_101_9001_adding.ipynb"])], tmp_path / "tidy", course
    )
    assert mine.read_text() == "mine"
    assert done.beside == ("doeann_101/adding/2/adding.ipynb",)


@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_that_somebody_else_put_there_is_neither_followed_nor_replaced(
    course: Course, tmp_path: Path, dangling: bool
) -> None:
    path = packed(tmp_path / "d.zip", ["doeann_101_9001_adding.ipynb"])
    if not dangling:
        (tmp_path / "target").write_text("mine")
    link = tmp_path / "tidy/doeann_101/adding/adding.ipynb"
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "target")
    collect([path], tmp_path / "tidy", course)
    assert link.is_symlink()
    assert dangling or (tmp_path / "target").read_text() == "mine"
    assert (tmp_path / "target").exists() != dangling


def test_a_file_that_is_added_by_hand_belongs_to_its_folder(course: Course, tmp_path: Path) -> None:
    names = ["y?/adding.py", "ann/taking.py"]
    collect([packed(tmp_path / "d.zip", names)], tmp_path / "tidy", course)
    manifest = json.loads((tmp_path / "tidy" / NAME).read_text())
    folders = {one["student"]: one["folder"] for one in manifest["people"]}
    (tmp_path / "tidy" / folders["y?"] / "taking.py").write_text("by_mail = 1")
    (tmp_path / "tidy/cy.py").write_text("by_mail = 2")
    found = discover([tmp_path / "tidy"], course)
    assert [(one.student, one.assignment) for one in found.submissions] == [
        ("ann", "taking"), ("y_", "adding"), ("y_", "taking"),
    ]  # fmt: skip
    assert "cy" in found.students


def test_a_collected_file_that_is_gone_is_reported(course: Course, tmp_path: Path) -> None:
    collect([packed(tmp_path / "d.zip", ["ann/adding.py", "bo/adding.py"])], tmp_path / "t", course)
    (tmp_path / "t/ann/adding/adding.py").unlink()
    found = discover([tmp_path / "t"], course)
    assert [(one.kind, one.student) for one in found.problems] == [("unreadable", "ann")]
    assert [one.student for one in found.submissions] == ["bo"]


def test_a_later_attempt_does_not_take_the_place_of_a_file_that_is_gone(
    course: Course, tmp_path: Path
) -> None:
    name = "Ann Doe_211_assignsubmission_file_/adding.ipynb"
    collect([packed(tmp_path / "1.zip", [name], "1")], tmp_path / "t", course)
    (tmp_path / "t/Ann Doe_211/adding/adding.ipynb").unlink()
    done = collect([packed(tmp_path / "2.zip", [name], "2")], tmp_path / "t", course)
    assert done.beside == ("Ann Doe_211/adding/2/adding.ipynb",)


def hostile(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../evil_1_2_adding.ipynb", notebook("x = 1"))
        archive.writestr("/tmp/evil_1_3_adding.ipynb", notebook("x = 1"))
        archive.writestr("doeann_101_9001_adding.ipynb", b"0" * (11 << 20))
        link = zipfile.ZipInfo("leebo_102_9002_adding.ipynb")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("roezoe_103_9003_adding.ipynb", notebook("x = 1"))
    return path


def test_a_hostile_archive_writes_nothing_outside_and_says_what_is_left_out(
    course: Course, tmp_path: Path
) -> None:
    (tmp_path / "deep/er").mkdir(parents=True)
    path = hostile(tmp_path / "deep/er/d.zip")
    wanted = discover([path], course)
    done = collect([path], tmp_path / "deep/er/tidy", course)
    assert len(done.left_out) >= 3
    found = discover([tmp_path / "deep/er/tidy"], course)
    assert seen(found) == seen(wanted)
    written = {path for path in (tmp_path / "deep").rglob("*") if path.is_file()}
    kept = {Path(one.path) for one in found.submissions}
    assert written == {path, tmp_path / "deep/er/tidy" / NAME, *kept}
    assert not Path("/tmp/evil_1_3_adding.ipynb").exists()


@pytest.mark.parametrize(
    "content", ["", "[]", '{"version": 2}', '{"files": [{"path": 1}]}', "\x00"]
)
def test_a_manifest_that_is_none_is_named(course: Course, tmp_path: Path, content: str) -> None:
    (tmp_path / NAME).write_text(content)
    (tmp_path / "ann.py").write_text("adding = 1")
    with pytest.raises(IntakeError) as e:
        discover([tmp_path], course)
    assert NAME in e.value.where
    assert "remove it" in e.value.hint


@pytest.mark.parametrize("way", ["../secret.py", "{}/secret.py", "link.py"])
def test_a_manifest_reaches_no_file_outside_of_its_folder(
    course: Course, tmp_path: Path, way: str
) -> None:
    (tmp_path / "secret.py").write_text("adding = 1")
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "link.py").symlink_to(tmp_path / "secret.py")
    path = way.format(tmp_path)
    kept = [{"student": "eve", "path": path, "parts": ["adding.py"], "source": "s"}]
    people = [{"student": "eve", "folder": "eve", "entry": "e"}]
    (folder / NAME).write_text(json.dumps({"people": people, "files": kept}))
    assert discover([folder], course).submissions == ()


@pytest.mark.parametrize("into", ["class", "class/tidy"])
def test_a_folder_is_not_collected_into_itself(course: Course, tmp_path: Path, into: str) -> None:
    (tmp_path / "class/ann").mkdir(parents=True)
    (tmp_path / "class/ann/adding.py").write_text("x = 1")
    with pytest.raises(UsageError, match="into itself"):
        collect([tmp_path / "class"], tmp_path / into, course)


def test_a_folder_that_can_not_be_written_is_named(course: Course, tmp_path: Path) -> None:
    (tmp_path / "tidy").write_text("a file")
    with pytest.raises(GraderError):
        collect([packed(tmp_path / "d.zip", ["ann/adding.py"])], tmp_path / "tidy", course)

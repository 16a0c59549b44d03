"""Downloads of Canvas and Moodle, as those platforms name things."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from grader.config.course import Course
from grader.intake.discovery import Discovery, discover
from grader.intake.listing import Origin
from grader.intake.platforms import Owned, read_canvas, read_moodle
from grader.times import format_iso


def packed(path: Path, *names: str) -> Path:
    cells = {"cells": [], "metadata": {}, "nbformat": 4}
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, json.dumps({**cells, "number": number}))
    return path


def owned(
    student: str, file: str, *attempt: int, late: bool = False, series: str | None = None
) -> Owned:
    origin = Origin(late=late, series=series or file, attempt=attempt)
    return Owned(student=student, file=file, origin=origin)


def whose(found: Discovery) -> dict[str, str]:
    return {one.student: one.name for one in found.submissions}


@pytest.mark.parametrize(
    ("name", "owned"),
    [
        ("doeann_101_9001_adding.ipynb", owned("doeann_101", "adding.ipynb", 0, 9001)),
        ("doeann_LATE_101_9001_a b.ipynb", owned("doeann_101", "a b.ipynb", 0, 9001, late=True)),
        ("doeann_101_LATE_9001_x.py", owned("doeann_101", "x.py", 0, 9001, late=True)),
        (
            "anon_x7Yz_9001_adding-2.ipynb",
            owned("anon_x7Yz", "adding-2.ipynb", 2, 9001, series="adding.ipynb"),
        ),
        ("doeann_101_9001_work-1", owned("doeann_101", "work-1", 1, 9001, series="work")),
        ("adding.ipynb", None),
        ("101_9001_adding.ipynb", None),
        ("doeann_adding.ipynb", None),
    ],
)
def test_a_name_that_canvas_gave(name: str, owned: Owned | None) -> None:
    assert read_canvas(name) == owned


@pytest.mark.parametrize(
    ("name", "owned"),
    [
        ("Ann Doe_211_assignsubmission_file_", Owned(student="Ann Doe_211")),
        ("Ann Doe_211_assignsubmission_file", Owned(student="Ann Doe_211")),
        ("Ann Doe_211_assignsubmission_file_a_b.py", Owned(student="Ann Doe_211", file="a_b.py")),
        ("Participant_211_assignsubmission_file_", Owned(student="Participant_211")),
        ("Gruppe 3_7_assignsubmission_file_", Owned(student="Gruppe 3_7")),
        ("Ann Doe_211", None),
    ],
)
def test_a_name_that_moodle_gave(name: str, owned: Owned | None) -> None:
    assert read_moodle(name) == owned


def test_canvas_late_marks_and_resubmitted_names(toy_course: Course, tmp_path: Path) -> None:
    path = packed(
        tmp_path / "submissions.zip",
        "doeann_101_9001_adding.ipynb",
        "leebo_LATE_102_9002_adding-2.ipynb",
        "roezoe_103_9003_homework.ipynb",
    )
    found = discover([path], toy_course, assignments=["adding"])
    assert whose(found) == {
        "doeann_101": "adding.ipynb",
        "leebo_102": "adding-2.ipynb",
        "roezoe_103": "homework.ipynb",
    }
    assert [(one.kind, one.student) for one in found.problems] == [("late", "leebo_102")]


@pytest.mark.parametrize("between", ["_/", "_"])
def test_moodle_in_folders_and_flat(toy_course: Course, tmp_path: Path, between: str) -> None:
    path = packed(
        tmp_path / "ML-Adding-77.zip",
        f"Ann Doe_211_assignsubmission_file{between}adding.ipynb",
        f"Bo Lee_212_assignsubmission_file{between}my work.ipynb",
    )
    found = discover([path], toy_course, assignments=["adding"])
    assert whose(found) == {"Ann Doe_211": "adding.ipynb", "Bo Lee_212": "my work.ipynb"}


def test_two_files_of_one_student_belong_to_one_student(toy_course: Course, tmp_path: Path) -> None:
    path = packed(
        tmp_path / "d.zip", "doeann_101_9001_adding.ipynb", "doeann_101_9004_sketch.ipynb"
    )
    found = discover([path], toy_course)
    assert found.students == ("doeann_101",)
    assert whose(found) == {"doeann_101": "adding.ipynb"}


def test_one_name_of_another_kind_is_no_reason_to_guess(toy_course: Course, tmp_path: Path) -> None:
    path = packed(tmp_path / "d.zip", "doeann_101_9001_adding.ipynb", "bo.ipynb")
    assert "bo" in discover([path], toy_course, assignments=["adding"]).students


def test_counted_drafts_are_no_download_of_canvas(toy_course: Course, tmp_path: Path) -> None:
    path = packed(tmp_path / "ann.zip", "adding_1_2_final.ipynb")
    assert discover([path], toy_course).students != ("adding_1",)


def test_a_download_that_was_unpacked_is_the_same(toy_course: Course, tmp_path: Path) -> None:
    path = packed(tmp_path / "d.zip", "doeann_101_9001_adding.ipynb", "leebo_102_9002_adding.ipynb")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "folder")
    assert whose(discover([tmp_path / "folder"], toy_course)) == whose(discover([path], toy_course))


def kinds(found: Discovery) -> list[tuple[str, str | None]]:
    return [(one.kind, one.student) for one in found.problems]


def times(found: Discovery) -> dict[str, str | None]:
    return {
        one.student: one.submitted_at and format_iso(one.submitted_at) for one in found.submissions
    }


def test_what_canvas_numbers_are_attempts_in_this_order(toy_course: Course, tmp_path: Path) -> None:
    names = [
        "doeann_101_9009_adding.ipynb",
        "doeann_101_9010_adding-2.ipynb",
        "doeann_101_9012_adding-1.ipynb",
    ]
    found = discover([packed(tmp_path / "d.zip", *names)], toy_course)
    assert [(one.name, one.attempt) for one in found.submissions] == [
        ("adding.ipynb", 1),
        ("adding-1.ipynb", 2),
        ("adding-2.ipynb", 3),
    ]
    assert found.problems == ()


def test_attempts_at_the_only_assignment_need_no_name(toy_course: Course, tmp_path: Path) -> None:
    names = ["doeann_101_9009_homework.ipynb", "doeann_101_9010_homework-1.ipynb"]
    path = packed(tmp_path / "d.zip", *names)
    assert len(discover([path], toy_course, assignments=["adding"]).submissions) == 2


def test_several_works_of_one_student_are_no_attempts(toy_course: Course, tmp_path: Path) -> None:
    names = ["doeann_101_9009_adding.ipynb", "doeann_101_9010_adding draft.ipynb"]
    found = discover([packed(tmp_path / "d.zip", *names)], toy_course)
    assert found.submissions == ()
    assert kinds(found) == [("duplicate", "doeann_101")]


def test_an_attempt_that_can_not_be_read_is_named_and_the_others_stay(
    toy_course: Course, tmp_path: Path
) -> None:
    path = packed(tmp_path / "d.zip", "doeann_101_9001_adding.ipynb")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("doeann_101_9002_adding-1.ipynb", b"0" * (11 << 20))
    found = discover([path], toy_course)
    assert [(one.name, one.attempt) for one in found.submissions] == [("adding.ipynb", 1)]
    assert kinds(found) == [("unreadable", "doeann_101")]
    assert "attempt 2 of 2" in found.problems[0].message


def test_archives_that_were_handed_in_again_are_attempts(
    toy_course: Course, tmp_path: Path
) -> None:
    for name in ("doeann_101_9001_work.zip", "doeann_101_9002_work-1.zip"):
        packed(tmp_path / "class" / name, "deep/adding.ipynb", f"{name}/x.txt")
    found = discover([tmp_path / "class"], toy_course)
    assert [(one.student, one.attempt) for one in found.submissions] == [
        ("doeann_101", 1),
        ("doeann_101", 2),
    ]


EXPORT = """
submission_11:
  :submitters: [{":name": Ann Doe, ":sid": "4711"}, {":name": Bo Lee, ":sid": "4712"}]
  :created_at: 2026-03-01 22:59:00.000000000 Z
submission_12:
  :submitters: [{":name": Cy Roe, ":sid": "4713"}]
  :created_at: 2026-03-02 22:59:00.000000000 Z
"""


def export(root: Path, *more: str) -> Path:
    files = ["submission_11/adding.ipynb", "submission_12/deep/my work.ipynb", *more]
    path = packed(root / "export.zip", *(f"assignment_7_export/{name}" for name in files))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("assignment_7_export/submission_metadata.yml", EXPORT)
    return path


def test_an_export_of_gradescope_names_its_people_groups_and_times(
    toy_course: Course, tmp_path: Path
) -> None:
    found = discover([export(tmp_path)], toy_course, assignments=["adding"])
    assert whose(found) == {
        "Ann Doe_4711": "adding.ipynb",
        "Bo Lee_4712": "adding.ipynb",
        "Cy Roe_4713": "my work.ipynb",
    }
    assert times(found)["Cy Roe_4713"] == "2026-03-02T22:59:00+00:00"
    assert {one.time_from for one in found.submissions} == {"Gradescope's submission_metadata.yml"}


def test_an_export_that_was_unpacked_is_the_same(toy_course: Course, tmp_path: Path) -> None:
    path = export(tmp_path)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "out")
    wanted = times(discover([path], toy_course, assignments=["adding"]))
    for folder in ("out", "out/assignment_7_export"):
        found = discover([tmp_path / folder], toy_course, assignments=["adding"])
        assert times(found) == wanted


def test_whom_the_export_does_not_name_is_graded_and_reported(
    toy_course: Course, tmp_path: Path
) -> None:
    found = discover([export(tmp_path, "submission_13/adding.ipynb")], toy_course)
    assert "submission_13" in found.students
    assert [one.where for one in found.problems if one.kind == "unowned"] == ["submission_13"]


def submitted(root: Path, stamp: str, *, inside: str = "") -> Path:
    folder = root / "submitted" / "ann" / "adding"
    folder.mkdir(parents=True)
    if inside:
        packed(folder / inside, "adding.ipynb", "timestamp.txt")
    else:
        packed(root / "x.zip", "adding.ipynb")
        zipfile.ZipFile(root / "x.zip").extractall(folder)
    (folder / "timestamp.txt").write_text(stamp)
    (root / "submitted/bo/adding").mkdir(parents=True)
    (folder / "adding.ipynb").exists()
    return root / "submitted"


@pytest.mark.parametrize(
    ("stamp", "moment"),
    [
        ("2026-03-01 15:58:23.948203 UTC", "2026-03-01T15:58:23.948203+00:00"),
        ("2026-03-01 15:58:23 Europe/Berlin\n", "2026-03-01T14:58:23+00:00"),
        ("2026-03-01 15:58:23 +0100", "2026-03-01T14:58:23+00:00"),
        ("2026-03-01 15:58:23", "2026-03-01T15:58:23+00:00"),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_time_that_nbgrader_notes_and_who_writes_it(
    toy_course: Course, tmp_path: Path, stamp: str, moment: str | None
) -> None:
    found = discover([submitted(tmp_path, stamp)], toy_course)
    assert times(found) == {"ann": moment}
    assert ("the student's side writes" in found.submissions[0].time_from) == bool(moment)


def test_a_time_in_an_archive_that_was_handed_in_is_nobodys(
    toy_course: Course, tmp_path: Path
) -> None:
    root = tmp_path / "class"
    packed(root / "ann.zip", "adding/adding.ipynb")
    with zipfile.ZipFile(root / "ann.zip", "a") as archive:
        archive.writestr("adding/timestamp.txt", "2020-01-01 00:00:00 UTC")
    assert times(discover([root], toy_course)) == {"ann": None}


def test_a_time_in_what_was_handed_in_through_a_platform_is_nobodys(
    toy_course: Course, tmp_path: Path
) -> None:
    name = "Ann Doe_211_assignsubmission_file_"
    path = packed(tmp_path / "d.zip", f"{name}/adding/adding.ipynb")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{name}/adding/timestamp.txt", "2020-01-01 00:00:00 UTC")
        archive.writestr(f"{name}/timestamp.txt", "2020-01-01 00:00:00 UTC")
        archive.writestr(f"{name}/submission_metadata.yml", EXPORT)
    assert times(discover([path], toy_course)) == {"Ann Doe_211": None}


def test_folders_of_nbgraders_exchange_are_attempts(toy_course: Course, tmp_path: Path) -> None:
    path = packed(
        tmp_path / "inbound.zip",
        "ann+adding+2026-03-01 15:58:23.948203 UTC+x1/adding.ipynb",
        "ann+adding+2026-03-02 15:58:23 UTC+x2/adding.ipynb",
        "bo+adding+2026-03-01 10:00:00 UTC/adding.ipynb",
    )
    found = discover([path], toy_course)
    assert [(o.student, o.attempt, f"{o.submitted_at:%Y-%m-%d}") for o in found.submissions] == [
        ("ann", 1, "2026-03-01"),
        ("ann", 2, "2026-03-02"),
        ("bo", 1, "2026-03-01"),
    ]

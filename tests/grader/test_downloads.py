"""Downloads of Canvas and Moodle, as those platforms name things."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from grader.config import Course
from grader.discovery import Discovery, discover
from grader.downloads import Owned, read_canvas, read_moodle


def packed(path: Path, *names: str) -> Path:
    cells = {"cells": [], "metadata": {}, "nbformat": 4}
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, json.dumps({**cells, "number": number}))
    return path


def whose(found: Discovery) -> dict[str, str]:
    return {one.student: one.name for one in found.submissions}


@pytest.mark.parametrize(
    ("name", "owned"),
    [
        ("doeann_101_9001_adding.ipynb", Owned(student="doeann_101", file="adding.ipynb")),
        (
            "doeann_LATE_101_9001_a b.ipynb",
            Owned(student="doeann_101", file="a b.ipynb", late=True),
        ),
        ("doeann_101_LATE_9001_x.py", Owned(student="doeann_101", file="x.py", late=True)),
        ("anon_x7Yz_9001_adding-2.ipynb", Owned(student="anon_x7Yz", file="adding-2.ipynb")),
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

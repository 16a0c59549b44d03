"""The small courses in `examples/courses` hold what they promise, and grade as a teacher would."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import pytest
from commands import grader

COURSES = Path(__file__).parents[2] / "examples/courses"

DESERVED = {
    ("first-python", "ada"): ((3, 4, 3, 6, 3, 3, 3), "all right, with other tools"),
    ("first-python", "ben"): (
        (1, 1, 2, 0, 0, 0, 0),
        "no stranger and no blanks; a menu without empty lines; no capitals; `total` prints",
    ),
    ("first-python", "cleo"): (
        (0, 4, 3, 2, 3, 1, 3),
        "a blank before `!`; one dict for all orders; a ticket too few, seen where letters change",
    ),
    ("first-python", "dora"): ((0, 0, 0, 0, 0, 0, 0), "the notebook as it was handed out"),
    ("first-python", "emil"): ((0, 0, 0, 0, 0, 0, 0), "being equal to everything is no answer"),
    ("pandas-and-plots", "ada"): ((6, 3, 4, 3, 4, 5), "all right, in another style"),
    ("pandas-and-plots", "ben"): (
        (10 / 3, 2, 2.5, 0, 0, 2),
        "changes its input, floats; ties the wrong way; inner join; days by name; a list; no y-axis",
    ),
    ("pandas-and-plots", "dora"): ((0, 0, 0, 0, 0, 0), "the notebook as it was handed out"),
    ("pandas-and-plots", "emil"): ((0, 0, 0, 0, 0, 1), "says that there is a title, and no more"),
}
"""Points by question, in the order of the lesson, and why."""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["first-python", "pandas-and-plots"])
def test_the_course_verifies_and_its_class_gets_what_it_deserves(name: str, tmp_path: Path) -> None:
    course = COURSES / name
    verified = grader("verify", "--course", ".", cwd=course)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "unproven" not in verified.stdout
    graded = grader("check", "submissions", "--course", ".", "--output", tmp_path, cwd=course)
    assert graded.returncode == 0, graded.stderr
    with (tmp_path / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {
        row["student"]: [float(value) for key, value in row.items() if "." in key and value]
        for row in rows
    }
    expected = {student: points for (of, student), (points, _) in DESERVED.items() if of == name}
    assert found.keys() == expected.keys()
    for student, points in expected.items():
        assert found[student] == pytest.approx(points, abs=0.01), student


@pytest.mark.parametrize("name", ["first-python", "pandas-and-plots"])
def test_what_is_handed_out_is_what_dora_hands_in(name: str, tmp_path: Path) -> None:
    course = COURSES / name
    released = grader("release", "--course", ".", "--output", tmp_path, cwd=course)
    assert released.returncode == 0, released.stderr
    (notebook,) = (course / "submissions/dora").glob("*.ipynb")
    member = f"{name}/notebooks/{notebook.name}"
    with zipfile.ZipFile(tmp_path / "student.zip") as archive:
        names = set(archive.namelist())
        assert json.loads(archive.read(member)) == json.loads(notebook.read_bytes())
        wanted = archive.read(f"{name}/requirements.txt").decode().split()
    assert not [one for one in names if "september" in one]
    assert ("pandas>=2.2" in wanted) == (name == "pandas-and-plots")

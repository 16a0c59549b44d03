"""The archive for Gradescope, unpacked and run in a folder laid out as Gradescope's."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cities import RIGHT as RIVERS
from cities import write_cities
from toy import RIGHT, notebook, write

from grader.config.course import Course, load_course
from grader.errors import ConfigError
from grader.integrations.gradescope.package import package
from grader.reports.choices import Hidden

METADATA = {
    "id": 123456,
    "created_at": "2026-10-01T10:00:00.000000-07:00",
    "assignment": {"due_date": "2026-10-02T10:00:00.000000-07:00", "total_points": "5.0"},
    "users": [{"email": "ann@x.edu", "id": 1, "name": "Ann Doe"}],
    "previous_submissions": [],
}


def unpacked(course: Course, root: Path, hidden: Hidden = Hidden.TITLES) -> Path:
    """What Gradescope has made of the archive when a submission comes."""
    archive = zipfile.ZipFile(io.BytesIO(package(course, course.assignments[0], hidden)))
    archive.extractall(root / "source")
    write(root / "run_autograder", archive.read("run_autograder").decode())
    write(root / "submission_metadata.json", json.dumps(METADATA))
    (root / "submission").mkdir()
    (root / "results").mkdir()
    return root


def run(root: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AUTOGRADER_ROOT": str(root), "AUTOGRADER_PYTHON": sys.executable}
    return subprocess.run(
        ["bash", root / "run_autograder"], cwd=root, env=environment, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip


def test_the_archive_has_what_gradescope_looks_for_and_only_this_assignment(toy: Path) -> None:
    write(toy / "hidden/test_taking.py", "SECRET = 1\n")
    write(toy / "hidden/taking/test_more.py", "SECRET = 1\n")
    write(toy / "hidden/adding/test_more.py", "MORE = 1\n")
    write(toy / "hidden/shared.py", "HELP = 1\n")
    course = load_course(toy)
    archive = zipfile.ZipFile(io.BytesIO(package(course, course.assignments[0], Hidden.TITLES)))
    names = archive.namelist()
    for name in ("setup.sh", "run_autograder"):
        assert archive.getinfo(name).external_attr >> 16 & stat.S_IXUSR
        assert archive.read(name).startswith(b"#!/usr/bin/env bash\n")
    assert "course/hidden/test_adding.py" in names
    assert "course/hidden/shared.py" in names
    assert "course/hidden/adding/test_more.py" in names
    assert "course/hidden/test_taking.py" not in names
    assert "course/hidden/taking/test_more.py" not in names
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]


def test_the_same_course_gives_the_same_bytes(toy_course: Course) -> None:
    first, second = (
        package(toy_course, toy_course.assignments[0], Hidden.TITLES) for _ in range(2)
    )
    assert first == second


@pytest.mark.slow
def test_data_comes_along(tmp_path: Path) -> None:
    course = load_course(write_cities(tmp_path / "cities"))
    root = unpacked(course, tmp_path / "autograder")
    there = load_course(root / "source/course")
    assert [place.name for place in there.data_of("rivers")] == ["data"]
    assert not (root / "source/course/handout/people.csv").exists()
    write(root / "submission/rivers.py", RIVERS)
    done = run(root)
    assert done.returncode == 0, done.stderr
    assert json.loads((root / "results/results.json").read_text())["score"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Ann's homework (2).ipynb", "adding.ipynb"])
def test_a_submission_is_graded_whatever_its_file_is_called(
    toy_course: Course, tmp_path: Path, name: str
) -> None:
    root = unpacked(toy_course, tmp_path / "autograder")
    write(root / "submission" / name, notebook(RIGHT))
    done = run(root)
    assert done.returncode == 0, done.stderr
    found = json.loads((root / "results/results.json").read_text())
    assert found["score"] == 5
    assert {test["visibility"] for test in found["tests"]} == {"visible", "after_published"}


LATE = """
[tool.grader.policy]
late = {penalty = "20 %"}
"""


@pytest.mark.slow
@pytest.mark.parametrize(("who", "earned"), [("bo@x.edu", 3), ("ANN@x.edu", 4)])
def test_the_time_and_the_extensions_are_gradescopes_people(
    toy: Path, tmp_path: Path, who: str, earned: float
) -> None:
    table = (toy / "pyproject.toml").read_text()
    table = table.replace('"Sums"', '"Sums"\nextensions = "../more.csv"', 1)
    table = table.replace('"Adding"', '"Adding"\ndue = "2026-09-30 10:00-07:00"', 1)
    write(toy / "pyproject.toml", table + LATE)
    write(toy.parent / "more.csv", f"email,until\n{who},2026-10-01T09:00-07:00\n")
    root = unpacked(load_course(toy), tmp_path / "autograder")
    write(root / "submission/adding/adding.py", RIGHT)
    write(root / "submission/adding/timestamp.txt", "2020-01-01 00:00:00 UTC")
    metadata = {**METADATA, "created_at": "2026-10-01T10:00:01.000000-07:00"}
    write(root / "submission_metadata.json", json.dumps(metadata))
    done = run(root)
    assert done.returncode == 0, done.stderr
    found = json.loads((root / "results/results.json").read_text())
    assert found["score"] == earned
    assert "late" in found["output"]


@pytest.mark.slow
@pytest.mark.parametrize("metadata", [None, "{", "{}", '{"created_at": "soon"}'])
def test_without_a_time_nothing_that_is_due_has_a_score(
    toy: Path, tmp_path: Path, metadata: str | None
) -> None:
    table = (toy / "pyproject.toml").read_text()
    write(
        toy / "pyproject.toml", table.replace('"Adding"', '"Adding"\ndue = "2026-09-30 10:00Z"', 1)
    )
    root = unpacked(load_course(toy), tmp_path / "autograder")
    write(root / "submission/adding.py", RIGHT)
    path = root / "submission_metadata.json"
    path.unlink() if metadata is None else path.write_text(metadata)
    done = run(root)
    assert done.returncode == 3
    assert "when this was handed in" in done.stderr
    assert not list((root / "results").iterdir())


@pytest.mark.slow
def test_hidden_checks_are_named_as_the_archive_was_told(
    toy_course: Course, tmp_path: Path
) -> None:
    root = unpacked(toy_course, tmp_path / "autograder", Hidden.NONE)
    write(root / "submission/adding.py", RIGHT)
    run(root)
    text = (root / "results/results.json").read_text()
    assert "Adds 1 and 2" in text
    assert "Adds numbers of any size" not in text


@pytest.mark.slow
@pytest.mark.parametrize("content", [None, "Dear teacher, my notebook would not open"])
def test_without_a_score_there_are_no_results_and_the_reason_is_told(
    toy_course: Course, tmp_path: Path, content: str | None
) -> None:
    root = unpacked(toy_course, tmp_path / "autograder")
    if content is not None:
        write(root / "submission/adding.ipynb", content)
    done = run(root)
    assert done.returncode != 0
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert not (root / "results/results.json").exists()


def test_a_course_that_reaches_outside_of_its_folder_is_refused(toy: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere/test_adding.py", "")
    table = (toy / "pyproject.toml").read_text()
    write(toy / "pyproject.toml", table.replace('"hidden"', '"../elsewhere"'))
    course = load_course(toy)
    with pytest.raises(ConfigError, match="outside"):
        package(course, course.assignments[0], Hidden.TITLES)

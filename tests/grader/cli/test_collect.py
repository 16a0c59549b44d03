"""`grader collect` as a person meets it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from toy import notebook

from grader.cli.app import grader
from grader.config.course import load_course
from grader.errors import GraderError
from grader.intake.discovery import discover


@pytest.fixture
def collect(toy: Path, tmp_path: Path):
    def run(names: dict[str, str], *more: str):
        with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
            for name, source in names.items():
                archive.writestr(name, notebook(source))
        arguments = ["collect", str(tmp_path / "d.zip"), "--course", str(toy)]
        return CliRunner().invoke(grader, [*arguments, "--into", str(tmp_path / "tidy"), *more])

    return run


NAME = "doeann_101_9001_adding.ipynb"


def test_the_folder_is_data_and_what_became_of_the_files_is_talk(collect, tmp_path: Path) -> None:
    done = collect({NAME: "x = 1", "leebo_102_9002_essay.ipynb.txt": ""})
    assert (done.exit_code, done.stdout) == (0, f"{tmp_path / 'tidy'}\n")
    assert "1 file collected; students: 2" in done.stderr
    assert "1 left out:" in done.stderr
    assert "hint: rename it to" in done.stderr


def test_what_lies_beside_earlier_work_is_listed(collect) -> None:
    collect({NAME: "x = 1", "leebo_102_9002_adding.ipynb": "x = 1"})
    done = collect({NAME: "x = 2", "leebo_102_9002_adding.ipynb": "x = 1"})
    assert "1 file collected, 1 there already; students: 2" in done.stderr
    assert "1 beside earlier ones, as later attempts:\n  doeann_101/adding/2/" in done.stderr


def test_each_download_is_later_than_the_one_before(toy: Path, tmp_path: Path) -> None:
    days = ["monday", "friday"]
    for day in days:
        with zipfile.ZipFile(tmp_path / f"{day}.zip", "w") as archive:
            name = "Ann Doe_211_assignsubmission_file_/adding.ipynb"
            archive.writestr(name, notebook(f"x = {day!r}"))
    paths = [str(tmp_path / f"{day}.zip") for day in days]
    into = ["--into", str(tmp_path / "tidy"), "--course", str(toy)]
    done = CliRunner().invoke(grader, ["collect", *paths, *into])
    assert done.exit_code == 0
    assert "1 beside earlier ones" in done.stderr
    found = discover([tmp_path / "tidy"], load_course(toy))
    assert [(one.student, one.attempt) for one in found.submissions] == [
        ("Ann Doe_211", 1), ("Ann Doe_211", 2),
    ]  # fmt: skip


def test_a_folder_in_the_way_is_named_with_the_option_that_helps(collect, tmp_path: Path) -> None:
    (tmp_path / "tidy/doeann_101").mkdir(parents=True)
    (tmp_path / "tidy/doeann_101/adding").write_text("a file")
    done = collect({NAME: "x = 1"})
    assert isinstance(done.exception, GraderError)
    assert "--into" in done.exception.hint
    assert "--output" not in done.exception.hint


def test_an_assignment_that_is_nearly_right_is_told_the_nearest(collect) -> None:
    done = collect({NAME: "x = 1"}, "-a", "ading")
    assert isinstance(done.exception, GraderError)
    assert done.exception.hint == "did you mean `adding`?"

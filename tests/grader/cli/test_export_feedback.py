"""`grader export --feedback` as a person meets it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from generated import gradebook as generated

from grader.cli.app import grader
from grader.errors import UsageError
from grader.exit_status import ExitStatus
from grader.reports.writing import write_reports
from grader.store.given_back import NAME

SHEET = (
    "Identifier,Full name,Username,Status,Grade,Maximum Grade,Grade can be changed,Feedback comments\n"
    "Participant 101,A,student0000,-,,8.00,Yes,\nParticipant 102,B,student0001,-,,8.00,Yes,\n"
)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    write_reports(generated(3), tmp_path / "reports")
    (tmp_path / "Moodle.csv").write_text(SHEET)
    return tmp_path / "reports"


def export(results: Path, *more: str) -> Result:
    return CliRunner().invoke(grader, ["export", str(results), "-a", "blocks", *more])


def members(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return sorted(archive.namelist())


def test_everybody_has_a_folder_and_is_given_it_once(results):
    done = export(results, "--feedback", "zip")
    target = results.parent / "feedback-zip-blocks.zip"
    assert done.exit_code == ExitStatus.OK
    assert done.stdout == f"{target}\n"
    assert members(target) == [f"student000{n}/blocks.html" for n in range(3)]
    target.unlink()
    again = export(results, "--feedback", "zip")
    assert (again.exit_code, again.stdout) == (ExitStatus.OK, "")
    assert "3 have it already" in again.stderr
    assert not target.exists()
    page = results / "feedback/student0001/blocks.html"
    page.write_text(page.read_text() + "<!-- corrected -->")
    export(results, "--feedback", "zip")
    assert members(target) == ["student0001/blocks.html"]
    export(results, "--feedback", "zip", "--all")
    assert len(members(target)) == 3


def test_moodle_gets_a_zip_and_comments(results):
    sheet = results.parent / "Moodle.csv"
    more = ["--feedback", "moodle", "--template", str(sheet), "--column", "Feedback comments"]
    done = export(results, *more)
    assert done.exit_code == ExitStatus.OK, done.output
    assert "1 not found there: student0002" in done.stderr
    zip_, comments = map(Path, done.stdout.split())
    assert members(zip_) == [
        "A_101_assignsubmission_file_/blocks.html",
        "B_102_assignsubmission_file_/blocks.html",
    ]
    assert "Participant 101,A,student0000" in comments.read_text()
    assert sheet.read_text() == SHEET


def test_where_nobody_is_found_nothing_is_written(results):
    sheet = results.parent / "Moodle.csv"
    sheet.write_text(SHEET.replace("student", "other"))
    done = export(results, "--feedback", "moodle", "--template", str(sheet))
    assert done.exit_code == ExitStatus.UNGRADED
    assert "3 not found there: student0000, student0001, student0002" in done.stderr
    assert not list(results.parent.glob("*.zip"))
    assert not (results / NAME).exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "one of the two"),
        (["--to", "canvas", "--feedback", "zip"], "one of the two"),
        (["--feedback", "moodle"], "needs --template"),
        (["--feedback", "canvas"], "the zip of the submissions"),
        (["--feedback", "zip", "--column", "x"], "--column"),
    ],
)
def test_what_does_not_fit_together_is_said(results, arguments, word):
    done = export(results, *arguments)
    assert done.exit_code == ExitStatus.USAGE
    assert word in done.output


def test_a_column_that_is_not_there_is_named(results):
    sheet = str(results.parent / "Moodle.csv")
    done = export(results, "--feedback", "moodle", "--template", sheet, "--column", "Remarks")
    assert isinstance(done.exception, UsageError)


def test_who_has_no_page_is_named(results):
    (results / "feedback/student0001/blocks.md").unlink()
    done = export(results, "--feedback", "zip")
    assert "1 without pages" in done.stderr
    assert "student0001" in done.stderr

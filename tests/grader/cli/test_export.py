"""`grader export` as a person meets it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from generated import gradebook as generated

from grader.cli.app import grader
from grader.cli.export import SHEETS
from grader.errors import UsageError
from grader.gradesheets.people import PLATFORMS
from grader.reports.gradebook_json import decode, encode

SHEET = "Student,ID,SIS Login ID,Section,Blocks (8)\nA,1,student0000,X,\nB,2,student0001,X,\n"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/gradebook.json").write_bytes(encode(generated(3)))
    (tmp_path / "Grades.csv").write_text(SHEET)
    return tmp_path / "reports"


def export(results: Path, *more: str):
    sheet = str(results.parent / "Grades.csv")
    arguments = ["export", str(results), "--to", "canvas", "--template", sheet, *more]
    return CliRunner().invoke(grader, arguments)


def test_the_sheet_is_written_beside_the_template_and_everyone_is_accounted_for(results):
    done = export(results, "-a", "blocks")
    assert done.exit_code == 0
    target = results.parent / "Grades-blocks.csv"
    assert done.stdout == f"{target}\n"
    assert "1 not in the sheet: student0002" in done.stderr
    assert (results.parent / "Grades.csv").read_text() == SHEET
    assert target.read_text() != SHEET


def test_an_assignment_must_be_chosen_where_there_are_several(results):
    done = export(results)
    assert isinstance(done.exception, UsageError)
    assert "choose with -a: embeddings, blocks" in done.exception.hint


def test_an_assignment_that_is_nearly_right_is_told_the_nearest(results):
    done = export(results, "-a", "block")
    assert isinstance(done.exception, UsageError)
    assert done.exception.hint == "did you mean `blocks`?"


@pytest.mark.parametrize("content", [None, "{}", "no json"])
def test_results_that_can_not_be_read_are_named(results, content):
    path = results / "gradebook.json"
    path.unlink() if content is None else path.write_text(content)
    done = export(results, "-a", "blocks")
    assert isinstance(done.exception, UsageError)
    assert done.exception.where == str(path)


def test_every_platform_that_is_known_can_be_named():
    assert SHEETS == PLATFORMS


NOBODY = {
    "Student,ID,SIS Login ID,Section,Blocks (8)\nA,1,someone,X,\n": ("student0000", "1, someone"),
    "Student,ID,SIS Login ID,Section,Blocks (8)\n": ("nobody stands in the sheet",),
}


@pytest.mark.parametrize("text", NOBODY)
def test_a_sheet_in_which_nobody_gets_a_score_is_not_written_and_says_why(results, text):
    (results.parent / "Grades.csv").write_text(text)
    done = export(results, "-a", "blocks")
    assert (done.exit_code, done.stdout) == (3, "")
    assert not (results.parent / "Grades-blocks.csv").exists()
    assert all(word in done.stderr for word in NOBODY[text])


def test_several_assignments_fill_a_sheet_together(results):
    sheet = results.parent / "Grades.csv"
    sheet.write_text(
        SHEET.replace("Blocks (8)\n", "Blocks (8),Embeddings (9)\n").replace(",X,\n", ",X,,\n")
    )
    done = export(results, "-a", "embeddings", "-a", "blocks")
    assert done.exit_code == 0, done.stderr
    target = results.parent / "Grades-embeddings-blocks.csv"
    rows = [line.split(",") for line in target.read_text().splitlines()]
    assert all(row[4] and row[5] for row in rows[1:]), rows
    assert "blocks: 2 scores filled in" in done.stderr
    assert "embeddings: 2 scores filled in" in done.stderr
    done = export(results, "-a", "embeddings", "-a", "blocks", "--column", "Blocks (8)")
    assert done.exit_code == 2


@pytest.mark.parametrize(
    "command",
    [["stats", "{}"], ["show", "student0000", "--results", "{}"], ["diff", "{}", "{}"],
     ["export", "{}", "--to", "json", "--output", "{}/x.json"]],
)  # fmt: skip
def test_an_assignment_is_chosen_alike_everywhere(results, command):
    arguments = [part.format(results) for part in command]
    assert (
        CliRunner().invoke(grader, [*arguments, "-a", "blocks", "-a", "embeddings"]).exit_code == 0
    )
    wrong = CliRunner().invoke(grader, [*arguments, "-a", "block"])
    assert isinstance(wrong.exception, UsageError)
    assert wrong.exception.hint == "did you mean `blocks`?"
    shown = CliRunner().invoke(grader, [*arguments, "-a", "blocks"]).stdout
    assert "mbeddings" not in shown


def test_json_of_one_assignment_is_about_no_other(results, tmp_path):
    target = tmp_path / "one.json"
    arguments = ["export", str(results), "--to", "json", "--output", str(target), "-a", "blocks"]
    assert CliRunner().invoke(grader, arguments).exit_code == 0
    found = decode(target.read_bytes())
    assert {one.id for one in found.assignments} == {one.assignment for one in found.scores}
    assert [one.id for one in found.assignments] == ["blocks"]

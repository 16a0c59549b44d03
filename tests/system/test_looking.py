"""`grader show`, `grader stats` and `grader diff` as a person meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from generated import gradebook

from grader.cli.app import grader
from grader.errors import UsageError
from grader.reports.gradebook_json import encode


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for name, size in (("old", 5), ("new", 6)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "gradebook.json").write_bytes(encode(gradebook(size, assignments=2)))
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(grader, list(map(str, arguments)))


def test_a_student_is_shown_with_what_went_wrong_and_why(results: Path) -> None:
    shown = run("show", "student0001", "--results", results / "old").output
    assert shown.startswith("student0001 · Embeddings  ")
    assert "What question 0 is about" in shown
    assert "expected 0.25, got 0.5 at (0, 1, 2)" in shown


def test_one_assignment_is_shown(results: Path) -> None:
    shown = run("show", "student0001", "blocks", "--results", results / "old").output
    assert shown.startswith("student0001 · Blocks  ")
    assert "Embeddings" not in shown


@pytest.mark.parametrize(
    ("arguments", "near"),
    [(["student001"], "`student0001`"), (["student0001", "block"], "`blocks`")],
)
def test_a_name_that_is_nearly_right_is_told_the_nearest(
    results: Path, arguments: list[str], near: str
) -> None:
    error = run("show", *arguments, "--results", results / "old").exception
    assert isinstance(error, UsageError)
    assert near in error.hint


def test_numbers_of_each_assignment(results: Path) -> None:
    lines = run("stats", results / "old").output.splitlines()
    assert lines[0].split()[:3] == ["Assignment", "Graded", "Ungraded"]
    assert [line.split()[0] for line in lines[2:4]] == ["Embeddings", "Blocks"]


@pytest.mark.parametrize("width", [80, 120])
def test_numbers_fit_the_terminal(
    results: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    head, _, first, *_ = run("stats", results / "old").output.splitlines()
    assert len(head) <= width
    assert ("Highest" in head) is (width > 100)
    assert first.split()[0] == "Embeddings"


def test_a_comparison_counts_what_changed(results: Path) -> None:
    shown = run("diff", results / "old", results / "new").output
    assert " changed, " in shown.splitlines()[-1]
    assert "student0005 embeddings  nothing → " in shown
    assert run("diff", results / "old", results / "old").output == "0 changed, 10 the same\n"


@pytest.mark.parametrize("command", ["show student0001 --results old", "stats old", "diff old new"])
def test_json_is_printed_alone(results: Path, command: str) -> None:
    name, *arguments = [results / a if a in ("old", "new") else a for a in command.split()]
    assert json.loads(run(name, *arguments, "--json").stdout)


@pytest.mark.parametrize("command", [["stats"], ["show", "ann"], ["diff", "here", "there"]])
def test_without_results_the_next_step_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    error = run(*command).exception
    assert isinstance(error, UsageError)
    assert "grader check" in error.hint

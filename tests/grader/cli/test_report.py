"""`grader report` as a person meets it: the same reports again, or without names."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from generated import gradebook

from grader.cli.app import grader
from grader.errors import GraderError, UsageError
from grader.reports.choices import Format
from grader.reports.gradebook_json import decode
from grader.reports.writing import write_reports


@pytest.fixture
def results(tmp_path: Path) -> Path:
    write_reports(gradebook(5, assignments=1), tmp_path / "week1", [Format.HTML])
    return tmp_path / "week1"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(grader, ["report", *map(str, arguments)])


def test_reports_are_written_anew_where_they_are(results: Path) -> None:
    (results / "index.html").unlink()
    done = run(results, "--format", "csv", "--format", "html")
    assert (done.exit_code, done.stdout) == (0, f"{results}/index.html\n")
    assert (results / "index.html").is_file()
    assert b"student0001" in (results / "scores.csv").read_bytes()


def test_without_names_they_go_into_another_folder_and_the_key_stays(results: Path) -> None:
    output = results.parent / "shown"
    assert run(results, "--anonymous", "--output", output).exit_code == 0
    files = [path for path in output.rglob("*") if path.is_file()]
    assert not [
        path for path in files if b"student0" in path.read_bytes() or "student0" in path.name
    ]
    key = results / "pseudonyms.csv"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 or os.name == "nt"
    first = (output / "gradebook.json").read_bytes()
    assert decode(first).anonymous
    assert run(results, "--anonymous", "--output", output).exit_code == 0
    assert (output / "gradebook.json").read_bytes() == first


def test_folders_of_one_class_share_a_key(results: Path) -> None:
    write_reports(gradebook(5, assignments=1), results.parent / "week2", [Format.HTML])
    for week in ("week1", "week2"):
        arguments = (
            "--anonymous",
            "--output",
            f"{results.parent}/shown {week}",
            "--key",
            results / "key.csv",
        )
        assert run(results.parent / week, *arguments).exit_code == 0  # fmt: skip
    books = [decode((results.parent / f"shown {week}/gradebook.json").read_bytes()) for week in ("week1", "week2")]  # fmt: skip
    assert books[0].scores == books[1].scores


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--anonymous",), "needs --output"),
        (("--anonymous", "--output", "week1"), "have names"),
        (("--anonymous", "--output", "full"), "something else"),
        (("--anonymous", "--output", "new", "--key", "new/key.csv"), "key would lie among"),
        (("--key", "key.csv"), "--key is for --anonymous"),
    ],
)
def test_names_and_pseudonyms_never_meet(
    results: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(results.parent)
    (results.parent / "full").mkdir()
    (results.parent / "full/roster.csv").write_text("anna")
    before = (results / "gradebook.json").read_bytes()
    done = run("week1", *arguments)
    assert done.exit_code != 0
    assert said in done.output + str(done.exception)
    assert isinstance(done.exception, (GraderError, SystemExit))
    assert (results / "gradebook.json").read_bytes() == before
    assert not (results / "pseudonyms.csv").exists()


def test_named_reports_never_replace_anonymous_ones(results: Path) -> None:
    output = results.parent / "shown"
    assert run(results, "--anonymous", "--output", output).exit_code == 0
    assert isinstance(run(results, "--output", output).exception, UsageError)

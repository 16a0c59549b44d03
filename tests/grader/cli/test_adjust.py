"""Points by hand count at once, in every report, and can be taken back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from generated import gradebook as generated

from grader.cli.app import grader
from grader.gradebook import Asked, Marked, Score, State
from grader.model import Status
from grader.reports.choices import Format, Hidden
from grader.reports.gradebook_json import decode
from grader.reports.writing import write_reports
from grader.scoring.adjusting import readjust
from grader.store import adjustments, printed

BOOK = readjust(generated(3, assignments=2), ())  # with totals
FORMER = Path(__file__).parents[2] / "former/gradebook_1.json"
SCORE = next(one for one in BOOK.scores if one.state is State.GRADED and one.earned < one.possible)
HIDDEN = [one for one in SCORE.outcomes if one.question != "q0"]
FAILED = next(one for one in HIDDEN if one.status is not Status.PASSED)
SOME = tuple(one for one in Format if one is not Format.TERMINAL)


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    asked = Asked(formats=tuple(one.value for one in SOME), show_hidden="questions")
    run = msgspec.structs.replace(BOOK.run, asked=asked)
    book = msgspec.structs.replace(BOOK, run=run)
    printed.keep(book, tmp_path / "reports")
    write_reports(book, tmp_path / "reports", SOME, Hidden.QUESTIONS)
    return tmp_path / "reports"


def adjust(reports: Path, *arguments: object, because: str = "fair") -> Result:
    place = (SCORE.student, SCORE.assignment)
    command = ["adjust", *place, *arguments, "--because", because, "--results", reports]
    return CliRunner().invoke(grader, [str(one) for one in command])


def score(reports: Path) -> Score:
    book = decode((reports / "gradebook.json").read_bytes())
    return next(
        one
        for one in book.scores
        if (one.student, one.assignment) == (SCORE.student, SCORE.assignment)
    )


def contents(folder: Path) -> dict[Path, bytes]:
    names = {adjustments.NAME, ".grader.lock"}
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name not in names}


def test_a_check_is_adjusted_in_every_report_at_once_and_back(reports: Path) -> None:
    before = contents(reports)
    done = adjust(reports, 0.25, "--for", FAILED.check, because="nearly right")
    assert done.exit_code == 0, done.output
    assert score(reports).earned == SCORE.earned + 0.25
    after = contents(reports)
    changed = {str(path.relative_to(reports)) for path in before if before[path] != after[path]}
    mine = (f"feedback/{SCORE.student}/{SCORE.assignment}", f"students/{SCORE.student}.html")
    assert changed == {
        f"{mine[0]}.md", f"{mine[0]}.html", mine[1], "gradebook.json", "scores.csv", "index.html",
        f"gradescope/{SCORE.student}/{SCORE.assignment}.json",
    }  # fmt: skip
    for name in (f"{mine[0]}.md", f"{mine[0]}.html", mine[1]):
        assert "nearly right" in (reports / name).read_text()
    said = (reports / f"{mine[0]}.md").read_text()
    assert "a line that a notebook prints" in said
    about = f"What question {FAILED.question[1:]} is about"  # not the title of a hidden check
    assert f"(adjustment, {about}): nearly right" in said

    assert adjust(reports, "--undo", because="not right").exit_code == 0
    assert contents(reports) == before
    lines = (reports / adjustments.NAME).read_text().splitlines()
    assert [json.loads(line)["because"] for line in lines] == ["nearly right", "not right"]


def test_a_check_gives_no_more_than_it_is_worth(reports: Path) -> None:
    done = adjust(reports, 100, "--for", FAILED.check)
    assert score(reports).earned == SCORE.earned + FAILED.possible
    assert "→" in done.stderr
    again = adjust(reports, 1, "--for", FAILED.check)
    assert f"nothing changes: `{FAILED.check}` has all that it is worth" in again.stderr


def test_a_question_that_waits_for_its_mark_is_no_unknown_one(reports: Path) -> None:
    waits = Marked(question="why", possible=3.0, waits="nobody has marked it")
    one = msgspec.structs.replace(SCORE, marks=(waits,))
    book = msgspec.structs.replace(
        BOOK, scores=tuple(one if s == SCORE else s for s in BOOK.scores)
    )
    write_reports(book, reports, SOME, Hidden.QUESTIONS)
    done = adjust(reports, 1, "--for", "why")
    assert "`why` of" in str(done.exception)
    assert "waits for its mark" in str(done.exception)


def test_the_latest_is_taken_back_or_that_of_a_question(reports: Path) -> None:
    adjust(reports, -1, "--for", FAILED.question)
    adjust(reports, 0.5)
    assert adjust(reports, "--undo", "--for", FAILED.question).exit_code == 0
    assert score(reports).earned == SCORE.earned + 0.5
    assert adjust(reports, "--undo").exit_code == 0
    assert score(reports).earned == SCORE.earned
    again = adjust(reports, "--undo")
    assert "nothing was adjusted by hand" in str(again.exception)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((1, "--for", "test_9_9"), "no question or check is called `test_9_9`"),
        ((1, "--for", "q99"), "no question or check"),
        ((), "either POINTS or --undo"),
        ((1, "--undo"), "either POINTS or --undo"),
        (("inf",), "POINTS must be a number other than 0"),
        ((0,), "other than 0"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_written(
    reports: Path, arguments: tuple[object, ...], words: str
) -> None:
    before = contents(reports)
    done = adjust(reports, *arguments)
    assert done.exit_code != 0
    assert words in done.output + str(done.exception)
    assert contents(reports) == before
    assert not (reports / adjustments.NAME).exists()


def test_an_argument_is_named_as_the_help_names_it(reports: Path) -> None:
    command = [sys.executable, "-m", "grader.cli", "adjust", SCORE.student, SCORE.assignment, "nan"]
    done = subprocess.run(
        [*command, "--because", "fair", "--results", str(reports)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "error: POINTS must be a number" in done.stderr


def test_reports_of_an_earlier_version_wait_for_the_next_run(tmp_path: Path) -> None:
    shutil.copy(FORMER, tmp_path / "gradebook.json")
    command = ["adjust", "ann", "adding", "+1", "--because", "x", "--results", str(tmp_path)]
    done = CliRunner().invoke(grader, command)
    assert done.exit_code == 0, done.output
    assert "as soon as `grader check`" in done.stderr
    assert (tmp_path / "gradebook.json").read_bytes() == FORMER.read_bytes()


def test_an_adjustment_outlives_reports_that_can_not_be_written(reports: Path) -> None:
    (reports / "scores.csv").unlink()
    (reports / "scores.csv").mkdir()
    done = adjust(reports, 1)
    assert "is recorded" in str(done.exception)
    assert len(adjustments.read(reports)) == 1
    (reports / "scores.csv").rmdir()
    adjust(reports, "--undo")
    assert score(reports).earned == SCORE.earned

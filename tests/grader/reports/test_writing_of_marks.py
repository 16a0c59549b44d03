"""What waits for a person is said in every report, and so is what a person has said."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console
from to_mark import write_class

from grader.config.policy import Mark
from grader.gradebook import Gradebook
from grader.reports.analysis import analyse
from grader.reports.choices import Format, Hidden
from grader.reports.gradebook_json import decode
from grader.reports.inspection import print_student
from grader.reports.terminal import print_scores
from grader.reports.writing import write_reports
from grader.scoring.rules import ScoreRules, remark

HOSTILE = "</li><script>alert(1)</script> | **bold** [a](javascript:x)\n\n# head\u202e\x1b[31m"
ALL = tuple(one for one in Format if one is not Format.TERMINAL)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ann is marked, Bo in part; Cy is not."""
    folder = tmp_path_factory.mktemp("class")
    course, reports = write_class(folder, {"ann": "a", "bo": "b", "cy": "c"}, [Format.JSON])
    book = decode((reports / "gradebook.json").read_bytes())
    marks = []
    for score in book.scores[:2]:
        why, sketch = score.marks
        said = Mark(score.student, "tides", "why", why.answer, ("moon", "far_side"), -0.5, HOSTILE)
        marks.append(said)
        if score.student == "ann":
            marks.append(Mark("ann", "tides", "sketch", sketch.answer))
    write_reports(remark(book, course, ScoreRules(course, marks=marks)), reports, ALL)
    return reports


def book(reports: Path) -> Gradebook:
    return decode((reports / "gradebook.json").read_bytes())


def test_the_table_of_scores_leaves_what_waits_empty(reports: Path) -> None:
    rows = list(csv.DictReader(io.StringIO((reports / "scores.csv").read_text(), newline="")))
    found = [
        (r["state"], r["earned"], r["tides.heights"], r["tides.why"], r["tides.sketch"])
        for r in rows
    ]
    assert found == [
        ("graded", "5.5", "2", "3.5", "0"),
        ("unmarked", "", "1", "3.5", ""),
        ("unmarked", "", "2", "", ""),
    ]


@pytest.mark.parametrize("ending", ["md", "html"])
def test_students_read_what_was_said_and_what_waits(reports: Path, ending: str) -> None:
    said = {
        name: (reports / f"feedback/{name}/tides.{ending}").read_text()
        for name in ("ann", "bo", "cy")
    }
    assert "5.5 of 6 points" in said["ann"]
    for name in ("ann", "bo"):
        assert "Names the moon" in said[name]
        assert "sun alone" not in said[name]
        assert "0.5: by the marker" in said[name]
    assert "not graded" in said["bo"]
    assert "Points so far: 4.5 of 6." in said["bo"]
    assert "Nobody has marked it yet" in said["cy"]
    assert "Nobody has marked it yet" not in said["ann"]


def test_comments_stay_text_in_every_report(reports: Path) -> None:
    files = [path for path in reports.rglob("*") if path.is_file() and path.suffix]
    assert len(files) > 12
    for path in files:
        text = path.read_text()
        assert "\u202e" not in text, path
        assert "\x1b" not in text, path
        if path.suffix == ".html":
            assert "<script>alert" not in text, path
        if path.suffix == ".md":
            assert "**bold**" not in text, path
            assert not re.search(r"^# head", text, re.M), path


def test_the_pages_for_instructors_say_who_waits(reports: Path) -> None:
    index = (reports / "index.html").read_text()
    assert index.count(">2, unmarked<") == 1
    assert index.count(">4.5, unmarked<") == 1
    assert "<dt>Unmarked</dt><dd>2</dd>" in index
    assert "everything is graded" not in index
    page = (reports / "students/bo.html").read_text()
    assert "unmarked, 4.5 of 6 so far" in page
    assert "nobody has marked it yet" in page
    assert "unmarked, 4.5 of 6 so far" in (reports / "code/bo/tides.html").read_text()


def test_gradescope_gets_marks_and_nothing_that_waits(reports: Path) -> None:
    (only,) = (reports / "gradescope").rglob("*.json")
    found = json.loads(only.read_text())
    assert found["score"] == 5.5
    why = next(one for one in found["tests"] if one["name"].startswith("Why"))
    assert (why["score"], why["max_score"], why["visibility"]) == (3.5, 4, "after_published")
    assert "Names the moon" in why["output"]


def test_the_terminal_says_what_to_do(reports: Path) -> None:
    out, err = (Console(file=io.StringIO(), width=80) for _ in range(2))
    print_scores(book(reports), out=out, err=err)
    table, told = out.file.getvalue(), err.file.getvalue()  # type: ignore[attr-defined]
    assert "✎ 4.5" in table
    assert "2 unmarked" in table
    assert "To be marked: 3 answers of 2 submissions" in told
    assert "grader mark" in told


def test_one_student_is_shown_with_marks(reports: Path) -> None:
    out = Console(file=io.StringIO(), width=80)
    found = book(reports)
    print_student(found, [found.scores[1]], out=out)
    text = out.file.getvalue()  # type: ignore[attr-defined]
    assert "+1.5: Names the moon" in text
    assert "?/1" in text
    assert "nobody has marked it yet" in text


def test_statistics_count_what_is_complete(reports: Path) -> None:
    (found,) = analyse(book(reports))
    assert (found.graded, found.unmarked, found.ungraded) == (1, 2, 0)
    heights, why, sketch = found.questions
    assert heights.difficulty == pytest.approx(5 / 6)
    assert why.difficulty == pytest.approx(3.5 / 4)
    assert sketch.difficulty == 0


def test_what_students_see_of_hidden_checks_hides_no_mark(reports: Path, tmp_path: Path) -> None:
    for hidden in Hidden:
        write_reports(book(reports), tmp_path / hidden, [Format.MARKDOWN], hidden)
        assert "Names the moon" in (tmp_path / hidden / "feedback/ann/tides.md").read_text()

"""`grader mark` as it is run: two at once, one that is killed, files that are merged."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner, Result
from to_mark import write_class

from grader.cli.app import grader
from grader.gradebook import State
from grader.reports.gradebook_json import decode
from grader.store import marks

ROOT = Path(__file__).parents[3]
STUDENTS = {f"student{number:02}": f"answer {number}" for number in range(30)}


class Marking:
    """A `grader mark` that runs, and somebody who marks there."""

    def __init__(self, folder: Path, by: str) -> None:
        self.by = by
        command = [sys.executable, "-m", "grader.cli", "mark", "--course", str(folder), "--by", by]
        command += ["--results", str(folder / "reports")]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://127.0.0.1:"), self.process.communicate()

    def mark(self, number: int, points: float) -> str:
        """Mark an answer as the page shows it; return the page that comes then."""
        place = f"{self.url}tides/why/{number}"
        page = self.get(place)
        found = re.search(r'name="after" value="([^"]*)"', page)
        assert found is not None
        said = {
            "after": found[1],
            "points": points,
            "comment": f"{self.by} {number}",
            "then": "stay",
        }
        with urllib.request.urlopen(place, urlencode(said).encode(), timeout=10) as got:
            return str(got.read().decode())

    def get(self, url: str) -> str:
        with urllib.request.urlopen(url, timeout=10) as got:
            return str(got.read().decode())

    def end(self, how: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        self.process.send_signal(how)
        _, told = self.process.communicate(timeout=20)
        return self.process.returncode, told


def run(folder: Path, *arguments: object) -> Result:
    command = ["mark", "--course", folder, "--results", folder / "reports", *arguments]
    return CliRunner().invoke(grader, [str(one) for one in command])


def states(folder: Path) -> list[State]:
    return [one.state for one in decode((folder / "reports/gradebook.json").read_bytes()).scores]


@pytest.mark.slow
def test_two_who_mark_at_once_lose_nothing_and_one_who_is_killed_neither(tmp_path: Path) -> None:
    write_class(tmp_path, STUDENTS)
    ina, ben = Marking(tmp_path, "ina"), Marking(tmp_path, "ben")
    confirmed: list[tuple[str, str]] = []

    def work(one: Marking, points: float) -> None:
        for number in range(1, 26):
            assert "Marked: " in one.mark(number, points) or "agree" in one.get(
                f"{one.url}tides/why/{number}"
            )
            confirmed.append((one.by, f"{one.by} {number}"))

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(work, ina, 1), pool.submit(work, ben, 2)]:
            done.result()
    assert ben.end(signal.SIGKILL)[0] == -signal.SIGKILL
    ina.mark(30, 3)
    found = marks.read(tmp_path / "reports")
    assert sorted((one.by, one.comment) for one in found) == sorted([*confirmed, ("ina", "ina 30")])
    status, told = ina.end(signal.SIGTERM)
    assert status == 0, told
    assert "The reports are written" in told
    book = decode((tmp_path / "reports/gradebook.json").read_bytes())
    given = {one.student: one.marks[0] for one in book.scores}
    for student in STUDENTS:  # whoever saw the other's mark has replaced it; else both are shown
        mine = [one for one in found if one.student == student]
        replaced = any(one.after for one in mine)
        if len(mine) == 2 and not replaced:
            assert given[student].waits == "markers don't agree"
        elif mine:
            assert given[student].earned == mine[-1].points
        else:
            assert given[student].waits == "nobody has marked it yet"


@pytest.mark.slow
def test_reports_and_a_later_grading_hold_what_was_said(tmp_path: Path) -> None:
    _, reports = write_class(tmp_path, {"ann": "the moon"})
    ina = Marking(tmp_path, "ina")
    ina.mark(1, 3.5)
    sketch = f"{ina.url}tides/sketch/1"
    urllib.request.urlopen(sketch, b"points=1&comment=a+*fine*+<b>line</b>", timeout=10).close()
    assert ina.end()[0] == 0
    assert states(tmp_path) == [State.GRADED]
    assert "graded,6.5,6" in (reports / "scores.csv").read_text()
    page = (reports / "feedback/ann/tides.html").read_text()
    assert "a *fine* &lt;b&gt;line&lt;/b&gt;" in page
    assert "\\*fine\\*" in (reports / "feedback/ann/tides.md").read_text()
    assert "marked by ina" in (reports / "students/ann.html").read_text()


def test_marks_of_a_copy_are_merged_and_put_into_the_reports(tmp_path: Path) -> None:
    write_class(tmp_path / "here", {"ann": "the moon", "bo": "the sun"})
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    book = decode((tmp_path / "here/reports/gradebook.json").read_bytes())
    for score in book.scores:
        for one in score.marks:
            from grader.config.policy import Mark

            marks.add(
                tmp_path / "there/reports",
                Mark(score.student, "tides", one.question, one.answer, points=1.0),
            )
    done = run(tmp_path / "here", "--merge", tmp_path / "there/reports")
    assert done.exit_code == 0, done.output
    assert "4 marks added, 0 were there" in done.stderr
    assert states(tmp_path / "here") == [State.GRADED] * 2
    again = run(tmp_path / "here", "--merge", tmp_path / "there/reports/marks.jsonl")
    assert "0 marks added, 4 were there" in again.stderr


def test_what_waits_is_not_given_out_unless_somebody_says_so(tmp_path: Path) -> None:
    _, reports = write_class(tmp_path, {"ann": "the moon"})
    sheet = tmp_path / "class.csv"
    sheet.write_text("student,tides\nann,\n")
    command = ["export", str(reports), "--to", "csv", "--template", str(sheet)]
    refused = CliRunner().invoke(grader, command)
    assert "nobody has marked all answers of 1 submission yet" in str(refused.exception)
    assert not (tmp_path / "class-tides.csv").exists()
    done = CliRunner().invoke(grader, [*command, "--provisional"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "class-tides.csv").read_text() == "student,tides\nann,2\n"
    packing = ["export", str(reports), "--feedback", "zip", "--output", str(tmp_path / "f.zip")]
    assert "nobody has marked" in str(CliRunner().invoke(grader, packing).exception)
    assert CliRunner().invoke(grader, [*packing, "--provisional"]).exit_code == 0


def test_what_a_marker_writes_stays_text_in_what_is_given_back(tmp_path: Path) -> None:
    _, reports = write_class(tmp_path, {"ann": "the moon"})
    (score,) = decode((reports / "gradebook.json").read_bytes()).scores
    from grader.config.policy import Mark

    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    for one in score.marks:
        mark = Mark("ann", "tides", one.question, one.answer, points=1.0, comment=evil)
        marks.add(reports, mark)
    (tmp_path / "none.jsonl").touch()
    assert run(tmp_path, "--merge", tmp_path / "none.jsonl").exit_code == 0
    packed = tmp_path / "given.zip"
    command = ["export", str(reports), "--feedback", "zip", "--output", str(packed)]
    assert CliRunner().invoke(grader, command).exit_code == 0
    with zipfile.ZipFile(packed) as made:
        pages = {name: made.read(name).decode() for name in made.namelist()}
    (page,) = (text for name, text in pages.items() if name.endswith(".html"))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not any("<script>alert" in text or "<img" in text for text in pages.values())


def test_a_marked_question_is_adjusted_like_any_other(tmp_path: Path) -> None:
    _, reports = write_class(tmp_path, {"ann": "the moon"})
    (score,) = decode((reports / "gradebook.json").read_bytes()).scores
    from grader.config.policy import Mark

    for one, points in zip(score.marks, (3.0, 0.0), strict=True):
        marks.add(reports, Mark("ann", "tides", one.question, one.answer, points=points))
    (tmp_path / "none.jsonl").touch()
    run(tmp_path, "--merge", tmp_path / "none.jsonl")
    adjust = ["adjust", "ann", "tides", "+9", "--for", "why", "--because", "fair", "--results"]
    done = CliRunner().invoke(grader, [*adjust, str(reports)])
    assert "5 → 6" in done.stderr  # a question gives no more than it is worth


def test_where_nothing_is_to_be_marked_says_so(tmp_path: Path) -> None:
    write_class(tmp_path, {"ann": "the moon"})
    table = (
        (tmp_path / "pyproject.toml").read_text().partition("[[tool.grader.assignments.manual]]")
    )
    (tmp_path / "pyproject.toml").write_text(table[0])
    assert "no question is marked by a person" in str(run(tmp_path).exception)
    assert "no assignment is called `tidse`" in str(run(tmp_path, "tidse").exception)
    assert "no gradebook" in str(run(tmp_path, "--results", tmp_path / "nowhere").exception)
    assert "no marks are here" in str(run(tmp_path, "--merge", tmp_path / "x.jsonl").exception)


def test_without_a_server_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_class(tmp_path, {"ann": "the moon"})
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "grader.marking.server", raising=False)
    import grader.marking

    monkeypatch.delattr(grader.marking, "server", raising=False)
    found = run(tmp_path).exception
    assert "not installed here (uvicorn is missing)" in str(found)
    assert "walled-grader[mark]" in str(getattr(found, "hint", ""))


def test_reports_that_another_run_is_writing_wait_and_marks_are_kept(tmp_path: Path) -> None:
    from grader.cli.mark import _Session
    from grader.config.course import load_course
    from grader.store.output import OutputFolder

    _, reports = write_class(tmp_path, {"ann": "the moon"})
    session = _Session(reports, load_course(tmp_path), ())
    desk = session.desk(decode((reports / "gradebook.json").read_bytes()), "ina")
    with OutputFolder(reports):
        told = session.write_if_free(desk)
    assert "All marks are kept" in told
    assert "another run" in told
    assert os.access(reports / "gradebook.json", os.R_OK)

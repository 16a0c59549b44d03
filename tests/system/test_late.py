"""Late work and several attempts, from a download to what each person reads about it."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from runs import end, start
from toy import RIGHT, notebook

from grader.cli.app import grader

POLICY = """
[tool.grader.policy]
attempts = "{attempts}"
late = {{penalty = "10 %", grace = "15 minutes"}}
"""
WRONG = "def add(a, b):\n    return 3\n"
WORK = {
    "doeann_101_9001_adding.ipynb": RIGHT,
    "leebo_LATE_102_9002_adding.ipynb": RIGHT,
    "roezoe_103_9003_homework.ipynb": RIGHT,
    "roezoe_103_9004_homework-1.ipynb": WRONG,
    "vincy_LATE_104_9005_adding.ipynb": RIGHT,
}
TIMES = """ID,file,submitted_at
101,,2026-03-27 20:00
102,,2026-03-29 23:59
103,homework.ipynb,2026-03-27 21:00
103,homework-1.ipynb,2026-03-28 08:00
"""


def check(toy: Path, work: Path, output: Path) -> dict:
    tables = output.parent
    process = start(
        toy, work, output, "-a", "adding", "--submitted-at", str(tables / "times.csv"),
        "--extensions", str(tables / "extensions.csv"),
    )  # fmt: skip
    assert end(process) == 0
    return json.loads((output / "gradebook.json").read_text())


@pytest.fixture
def late_class(toy: Path, tmp_path: Path):
    def grade(attempts: str) -> dict:
        table = (toy / "pyproject.toml").read_text()
        table = table.replace('"Sums"', '"Sums"\ntimezone = "Europe/Berlin"', 1)
        table = table.replace('"Adding"', '"Adding"\ndue = "2026-03-27 23:59"', 1)
        (toy / "pyproject.toml").write_text(table + POLICY.format(attempts=attempts))
        (tmp_path / "times.csv").write_text(TIMES)
        (tmp_path / "extensions.csv").write_text("ID,days\n102,1\n")
        with zipfile.ZipFile(tmp_path / "canvas.zip", "w") as archive:
            for name, cell in WORK.items():
                archive.writestr(name, notebook(cell))
        return check(toy, tmp_path / "canvas.zip", tmp_path / "reports")

    return grade


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="grading needs POSIX")
@pytest.mark.parametrize(
    ("attempts", "earned", "counts"), [("best", 5, 1), ("on-time", 5, 1), ("latest", 0.5, 2)]
)
def test_a_late_class(late_class, tmp_path: Path, attempts, earned, counts) -> None:
    book = late_class(attempts)
    scores = {score["student"]: score for score in book["scores"]}
    assert scores["doeann_101"]["earned"] == 5
    assert scores["doeann_101"]["applied"] == []
    assert [one["rule"] for one in scores["leebo_102"]["applied"]] == ["extension", "late"]
    assert scores["leebo_102"]["earned"] == 4.5
    assert scores["vincy_104"]["earned"] == 5
    assert [(one["kind"], one["student"]) for one in book["problems"]] == [
        ("late", "leebo_102"), ("late", "vincy_104"), ("no-time", "vincy_104"),
    ]  # fmt: skip
    zoe = scores["roezoe_103"]
    assert zoe["earned"] == earned
    assert [one["number"] for one in zoe["attempts"] if one["counts"]] == [counts]
    for path in ("feedback/leebo_102/adding.md", "feedback/leebo_102/adding.html",
                 "students/leebo_102.html"):  # fmt: skip
        text = (tmp_path / "reports" / path).read_text()
        assert "1 day late" in text, path
        assert "2026-03-28 23:59 CET instead of 2026-03-27 23:59 CET" in text, path
    assert "Attempt 2: homework" in (tmp_path / "reports/students/roezoe_103.html").read_text()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="grading needs POSIX")
def test_the_collected_class_has_the_same_gradebook(late_class, toy: Path, tmp_path: Path) -> None:
    wanted = late_class("best")
    command = ["collect", str(tmp_path / "canvas.zip"), "-a", "adding", "--course", str(toy)]
    done = CliRunner().invoke(grader, [*command, "--into", str(tmp_path / "tidy")])
    assert done.exit_code == 0
    found = check(toy, tmp_path / "tidy", tmp_path / "again")
    for key in wanted.keys() - {"run"}:
        assert found[key] == wanted[key], key

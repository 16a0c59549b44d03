"""A course in one file, from nothing to feedback, as somebody types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import assert_clear, grader
from one_file import FIRST_ONLY, RIGHT, as_notebook, write_one_file_course
from toy import write

HAND_WRITTEN = '''
    # %% [markdown]
    # # Means

    # %% solution
    def mean(numbers: list[float]) -> float:
        """Return the mean; ValueError if there are no numbers."""
        if not numbers:
            raise ValueError("no numbers")
        return sum(numbers) / len(numbers)

    # %% check public question=mean points=1
    from grader.testing import assert_close, raises

    def test_two_numbers(submission):
        """The mean of two numbers"""
        assert submission.mean([1, 2]).value() == 1.5

    # %% check hidden question=mean points=2
    def test_many_numbers(submission, reference, rng):
        """The mean of many numbers"""
        numbers = [rng.uniform(1, 9) for _ in range(20)]
        assert_close(submission.mean(numbers).value(), reference.mean(numbers), "the mean")

    def test_none(submission):
        """No numbers have no mean"""
        with raises("ValueError"):
            submission.mean([])

    # %% mutant whole_numbers loses=mean replace="/ len" by="// len"

    # %% mutant none_is_zero loses=mean replace='raise ValueError("no numbers")' by="return 0.0"

    # %% solution
    def spread(numbers: list[float]) -> float:
        """Return the largest number minus the smallest."""
        return max(numbers) - min(numbers)

    # %% check hidden question=spread points=2
    def test_spread(submission):
        """The largest minus the smallest"""
        assert submission.spread([2, 5, 3]).value() == 3

    # %% mutant first_and_last loses=spread replace="max(numbers)" by="numbers[-1]"
'''


@pytest.mark.slow
def test_two_questions_take_fifty_lines_and_five_commands(tmp_path: Path) -> None:
    assert len([line for line in HAND_WRITTEN.splitlines() if line.strip()]) <= 50
    assert (
        grader("new-course", "stats", "--empty", "--assignment", "means", cwd=tmp_path).returncode
        == 0
    )
    course = write(tmp_path / "stats/lessons/01_means.py", HAND_WRITTEN).parents[1]
    verified = grader("verify", cwd=course)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert grader("release", "--output", "out", cwd=course).returncode == 0
    write(course / "in/ann/means.py", "def mean(n):\n    return sum(n) / len(n)\n\ndef spread(n):\n    return max(n) - min(n)\n")  # fmt: skip
    assert grader("check", "in", cwd=course).returncode == 0
    (score,) = json.loads((course / "reports/gradebook.json").read_text())["scores"]
    assert (score["earned"], score["possible"]) == (4, 5)
    assert "No numbers have no mean" in (course / "reports/feedback/ann/means.md").read_text()


@pytest.mark.slow
def test_a_notebook_with_tags_grades_as_the_script_does(tmp_path: Path) -> None:
    scores = []
    for form in ("script", "tags"):
        root = write_one_file_course(tmp_path / form / "sums")
        if form == "tags":
            as_notebook(root / "lessons/01_adding.py", tags=True)
        write(root / "in/ann/adding.py", RIGHT)
        write(root / "in/bob/adding.py", FIRST_ONLY)
        assert grader("check", "in", "-q", cwd=root).returncode == 0
        found = json.loads((root / "reports/gradebook.json").read_text())["scores"]
        scores.append({(one["student"], one["earned"]) for one in found})
    assert scores == [{("ann", 6), ("bob", 2)}] * 2


def test_the_notebook_that_students_get_runs_in_a_grading_as_it_did_at_home(tmp_path: Path) -> None:
    root = write_one_file_course(tmp_path)
    assert grader("release", cwd=root).returncode == 0
    notebook = root / "notebooks/01_adding.ipynb"
    assert "check(" in notebook.read_text()
    write(root / "in/ann/01_adding.ipynb", notebook.read_text())
    assert grader("check", "in", "-q", cwd=root).returncode == 0
    (score,) = json.loads((root / "reports/gradebook.json").read_text())["scores"]
    assert {one["error"] for one in score["cell_errors"]} <= {"NotImplementedError"}


@pytest.mark.parametrize("command", [["checks"], ["check", "in"], ["verify"], ["release"]])
def test_a_mistake_is_one_line_with_a_hint_in_every_command(
    tmp_path: Path, command: list[str]
) -> None:
    root = write_one_file_course(tmp_path, "numbers = [rng", "numbers = = [rng")
    write(root / "in/ann/adding.py", RIGHT)
    path = root / "lessons/01_adding.py"
    line = path.read_text().split("= =")[0].count("\n") + 1
    result = grader(*command, cwd=root)
    assert_clear(result, 2, "error: a cell is not valid Python", f"01_adding.py:{line}\n", "hint: ")


@pytest.mark.slow
def test_a_check_that_breaks_is_the_checks_fault_with_its_line(tmp_path: Path) -> None:
    root = write_one_file_course(tmp_path, "submission.total([]).done()", "undefined_name")
    write(root / "in/ann/adding.py", RIGHT)
    result = grader("check", "in", cwd=root)
    line = (root / "lessons/01_adding.py").read_text().split("def test_text")[0].count("\n") + 1
    assert_clear(result, 3)
    text = (root / "reports/gradebook.json").read_text()
    assert "NameError" in text
    assert f"01_adding.py:{line}" in text


def test_a_worker_can_not_read_the_lesson(tmp_path: Path) -> None:
    root = write_one_file_course(tmp_path)
    path = root / "lessons/01_adding.py"
    spy = f"try:\n    found = open({str(path)!r}).read()\nexcept OSError:\n    found = ''\n"
    write(root / "in/eve/adding.py", f"{spy}\ndef total(n):\n    return 3 if not found else 0\n")
    earned = []
    for sandbox in ("on", "off"):
        done = grader("check", "in", "-q", "--sandbox", sandbox, "--output", sandbox, cwd=root)
        assert done.returncode == 0, done.stderr
        (score,) = json.loads((root / sandbox / "gradebook.json").read_text())["scores"]
        earned.append(score["earned"])
    assert earned == [1, 0]  # without the wall it is read

"""A second run grades what has changed and nothing else; a run that was stopped goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy import RIGHT, Silent, notebook, write

from grader.config.course import Course, load_course
from grader.gradebook import Gradebook
from grader.pipeline import Options, check
from grader.store.output import RESULTS
from grader.store.results import Results

MORE = RIGHT + "\n# {}\n"


def graded(folder: Path, course: Course, output: Path, **options: Any) -> Gradebook:
    force = options.pop("force", False)
    return check([folder], course, Options(**options), Silent(), Results(output, force=force))


@pytest.fixture
def folder(class_of: Callable[..., Path]) -> Path:
    return class_of(
        ann=RIGHT,
        bob="def add(a, b): return 3",
        eve="import time\ntime.sleep(9)",
        odd="print('odd')\nx = (",
    )


def without_run(gradebook: Gradebook) -> bytes:
    from grader.reports import gradebook_json

    return gradebook_json.encode(gradebook).split(b'"run"')[0]


def forbid_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a judge or a zygote was started")

    monkeypatch.setattr("grader.judging.engine.Crew", refuse)


def test_nothing_is_started_for_a_class_that_has_not_changed(
    toy_course: Course, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = graded(folder, toy_course, tmp_path / "out")
    forbid_processes(monkeypatch)
    second = graded(folder, toy_course, tmp_path / "out")
    assert (first.run.kept, second.run.kept) == (0, 4)
    assert without_run(first) == without_run(second)
    assert [score.output for score in first.scores] == [score.output for score in second.scores]
    assert second.run.seconds_per_submission == first.run.seconds_per_submission


def test_only_what_changed_is_graded_again(
    toy_course: Course, folder: Path, tmp_path: Path
) -> None:
    graded(folder, toy_course, tmp_path / "out")
    write(folder / "bob/adding.py", RIGHT)
    again = graded(folder, toy_course, tmp_path / "out")
    assert again.run.kept == 3
    assert {score.student: score.earned for score in again.scores}["bob"] == 5.0


def test_force_grades_everything_again(toy_course: Course, folder: Path, tmp_path: Path) -> None:
    graded(folder, toy_course, tmp_path / "out")
    assert graded(folder, toy_course, tmp_path / "out", force=True).run.kept == 0


def test_code_that_depends_on_the_order_of_a_set_gives_the_same_result_again(
    toy_course: Course, class_of: Callable[..., Path], tmp_path: Path
) -> None:
    folder = class_of(ann="print({*'abcdefghijklmnopqrstuvwxyz'})")
    outputs = {
        graded(folder, toy_course, tmp_path / "out", force=True).scores[0].output for _ in range(2)
    }
    assert len(outputs) == 1


def test_another_seed_is_another_result(toy_course: Course, folder: Path, tmp_path: Path) -> None:
    graded(folder, toy_course, tmp_path / "out")
    assert graded(folder, toy_course, tmp_path / "out", seed=1).run.kept == 0


def test_another_suite_grades_everyone_again(
    toy_course: Course, folder: Path, tmp_path: Path
) -> None:
    graded(folder, toy_course, tmp_path / "out")
    assert toy_course.suites is not None
    suite = toy_course.suites / "test_adding.py"
    suite.write_text(suite.read_text().replace("points=2", "points=7"))
    again = graded(folder, toy_course, tmp_path / "out")
    assert again.run.kept == 0
    assert again.scores[0].possible == 10.0


def test_a_file_nobody_can_read_starts_nothing_and_is_looked_at_again(
    toy_course: Course, class_of: Callable[..., Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder = class_of(ann=RIGHT)
    write(folder / "zoe/adding.ipynb", "Dear teacher")
    first = graded(folder, toy_course, tmp_path / "out")
    forbid_processes(monkeypatch)
    assert without_run(graded(folder, toy_course, tmp_path / "out")) == without_run(first)


def test_a_cell_that_could_not_be_used_is_a_problem_of_the_run_each_time(
    toy_course: Course, tmp_path: Path
) -> None:
    book = json.loads(notebook(RIGHT, "x = 1"))
    book["cells"][1]["source"] = {"not": "text"}
    write(tmp_path / "in/ann/adding.ipynb", json.dumps(book))
    for _ in range(2):
        gradebook = graded(tmp_path / "in", toy_course, tmp_path / "out")
        assert gradebook.scores[0].earned == 5.0
        (problem,) = gradebook.problems
        assert (problem.kind, problem.student) == ("notebook", "ann")
        assert "code cell 2 has no readable source" in problem.message
    assert gradebook.run.kept == 1


# ---------------------------------------------------------------- stopped


def start(toy: Path, folder: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "grader.cli", "check", str(folder), *more],
        cwd=toy,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, errors = process.communicate(timeout=120)
    assert "Traceback" not in errors
    return process.returncode, errors


@pytest.mark.parametrize("request_to_end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_is_asked_to_end_keeps_what_is_finished_and_goes_on_next_time(
    toy: Path, class_of: Callable[..., Path], request_to_end: signal.Signals
) -> None:
    slow = ["import time\ntime.sleep(0.9)"] * 12
    folder = class_of(ann=MORE.format("#" * 9000), bob=slow, zoe=RIGHT)
    process = start(toy, folder, "--jobs", "1", "-v")
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Course: Sums")
    assert "ann" in process.stderr.readline()
    process.send_signal(request_to_end)
    assert finish(process)[0] == 130
    partial = json.loads((toy / "reports/gradebook.json").read_text())
    assert partial["complete"] is False
    assert [score["state"] for score in partial["scores"]] == ["graded", "ungraded", "ungraded"]
    process = start(toy, folder)
    assert finish(process)[0] == 0
    whole = json.loads((toy / "reports/gradebook.json").read_text())
    assert whole["complete"] is True
    assert whole["run"]["kept"] == 1
    assert whole["scores"][0] == partial["scores"][0]


def test_whoever_damages_the_kept_results_only_costs_time(
    toy: Path, folder: Path, tmp_path: Path
) -> None:
    course = load_course(toy)
    first = graded(folder, course, tmp_path / "out")
    for path in (tmp_path / "out" / RESULTS).rglob("*.json"):
        path.write_bytes(path.read_bytes()[:-7])
    again = graded(folder, course, tmp_path / "out")
    assert again.run.kept == 0
    assert without_run(again) == without_run(first)

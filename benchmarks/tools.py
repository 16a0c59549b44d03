"""The tools that are compared: how each is set up, run and asked for its scores.

All grade the same answers with the same checks, torch on one thread. What an instructor does once
for an assignment (translate the checks, release it) is not measured; a grading from the command to
its last score is.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from benchmarks.accounting import CommandFailed, Cost, measure
from benchmarks.classroom import ASSIGNMENT, Work, code, write_notebook, write_plain
from benchmarks.environments import CACHE, ROOT, environment
from benchmarks.plain_checks import PlainSuite, translate
from grader.config.course import Course
from grader.exit_status import ExitStatus
from grader.judging.engine import load_suites

Scores = Mapping[str, float]


class Tool(Protocol):
    """One of the compared."""

    name: str

    def prepare(self, course: Course, works: Sequence[Work], folder: Path) -> None:
        """Do in an empty folder what comes before a grading."""

    def grade(self, folder: Path) -> tuple[Cost, Scores]:
        """Grade everything from scratch; the points of each student."""


def quiet_environment(programs: Path | None = None) -> dict[str, str]:
    """One thread for torch, no settings of this user's, and a peer's programs before all others."""
    settings = {
        "OMP_NUM_THREADS": "1",
        "IPYTHONDIR": str(CACHE / "ipython"),
        "JUPYTER_CONFIG_DIR": str(CACHE / "jupyter"),
        "JUPYTER_DATA_DIR": str(CACHE / "jupyter"),
        "MPLBACKEND": "agg",
        "PYTHONWARNINGS": "ignore",
        "PYTHONPATH": str(ROOT),  # notebooks import what the course gives them
    }
    if programs is not None:
        settings["PATH"] = f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, **settings}


def run(programs: Path, command: Sequence[str], folder: Path) -> None:
    """Run one of a peer's programs, not measured.

    Raises:
        CommandFailed: it ended with another status than 0.
    """
    done = subprocess.run(
        [str(programs / command[0]), *command[1:]],
        cwd=folder,
        env=quiet_environment(programs),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        told = f"{done.stdout}\n{done.stderr}"[-2000:]
        raise CommandFailed(f"`{' '.join(command)}` ended with status {done.returncode}\n{told}")


def emptied(folder: Path) -> Path:
    """The folder, with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


class Ours:
    """`grader check`, nothing kept from an earlier run."""

    def __init__(self, jobs: int) -> None:
        self.name = f"grader, {jobs} job{'s' * (jobs > 1)}"
        self.jobs = jobs
        self.course = ROOT

    def prepare(self, course: Course, works: Sequence[Work], folder: Path) -> None:
        self.course = course.root
        write_plain(works, folder / "submissions")

    def grade(self, folder: Path) -> tuple[Cost, Scores]:
        output = emptied(folder / "reports")
        grader = Path(sys.executable).with_name("grader")
        command = [str(grader), "check", "submissions", "--assignment", ASSIGNMENT, "--verbose"]
        command += ["--course", str(self.course), "--output", str(output), "--force"]
        cost = measure(
            [*command, "--jobs", str(self.jobs)],
            log=folder / "log",
            cwd=folder,
            env=quiet_environment(),
            first_result=r"student\d+ ",
            statuses=(0, ExitStatus.UNGRADED),
        )
        gradebook = json.loads((output / "gradebook.json").read_text(encoding="utf-8"))
        graded = [score for score in gradebook["scores"] if score["state"] == "graded"]
        return cost, {score["student"]: score["earned"] for score in graded}


class Bare:
    """The same checks in one process without a wall: the floor."""

    name = "bare pytest, no wall"

    def __init__(self) -> None:
        self.course = ROOT

    def prepare(self, course: Course, works: Sequence[Work], folder: Path) -> None:
        self.course = course.root
        write_plain(works, folder / "submissions")

    def grade(self, folder: Path) -> tuple[Cost, Scores]:
        results = folder / "results.json"
        command = [sys.executable, "-m", "benchmarks.bare"]
        cost = measure(
            [*command, str(self.course), str(folder / "submissions"), str(results)],
            log=folder / "log",
            cwd=ROOT,
            env=quiet_environment(),
        )
        scores: dict[str, float] = json.loads(results.read_text(encoding="utf-8"))
        return cost, scores


class Nbgrader:
    """`nbgrader autograde`, its batch: hidden tests in cells of their own, one for each check."""

    name = "nbgrader autograde"

    def __init__(self) -> None:
        self.bin = environment("nbgrader")

    def prepare(self, course: Course, works: Sequence[Work], folder: Path) -> None:
        suite = translate(course, ASSIGNMENT)
        (folder / "nbgrader_config.py").write_text(
            'c = get_config()\nc.CourseDirectory.course_id = "benchmark"\n', encoding="utf-8"
        )
        source = folder / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        answer = code("# your answers", "answers", solution=True)
        write_notebook(source, [answer, *_hidden_cells(suite)])
        run(self.bin, ["nbgrader", "generate_assignment", ASSIGNMENT], folder)
        shutil.copy(folder / "gradebook.db", folder / "gradebook.fresh")
        released = json.loads(
            (folder / "release" / ASSIGNMENT / source.name).read_text(encoding="utf-8")
        )
        tests = [cell for cell in released["cells"] if cell["id"] != "answers"]
        for work in works:
            *first, last = work.cells
            own = [code(text, f"own-{number}") for number, text in enumerate(first)]
            path = folder / "submitted" / work.student / ASSIGNMENT / source.name
            write_notebook(path, [*own, code(last, "answers", solution=True), *tests])

    def grade(self, folder: Path) -> tuple[Cost, Scores]:
        shutil.copy(folder / "gradebook.fresh", folder / "gradebook.db")
        shutil.rmtree(folder / "autograded", ignore_errors=True)
        cost = measure(
            [str(self.bin / "nbgrader"), "autograde", ASSIGNMENT],
            log=folder / "log",
            cwd=folder,
            env=quiet_environment(self.bin),
        )
        run(self.bin, ["nbgrader", "export"], folder)
        with (folder / "grades.csv").open(encoding="utf-8", newline="") as file:
            return cost, {
                row["student_id"]: float(row["raw_score"]) for row in csv.DictReader(file)
            }


class NbgraderWithEngine(Nbgrader):
    """`nbgrader autograde` with our engine: a line more of configuration, a cell a question."""

    name = "nbgrader autograde, our engine"

    def __init__(self) -> None:
        self.bin = Path(sys.executable).parent

    def prepare(self, course: Course, works: Sequence[Work], folder: Path) -> None:
        suite = load_suites(course, [ASSIGNMENT])[ASSIGNMENT]
        (folder / "nbgrader_config.py").write_text(
            'c = get_config()\nc.CourseDirectory.course_id = "benchmark"\n'
            "from grader.integrations.nbgrader import configure\n"
            f"configure(c, course={str(course.root)!r})\n",
            encoding="utf-8",
        )
        source = folder / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        answer = code("# your answers", "answers", solution=True)
        questions = [
            code(f"# {asked.title}", asked.id, grade=True, locked=True, points=asked.points)
            for asked in suite.assignment.questions
        ]
        write_notebook(source, [answer, *questions])
        run(self.bin, ["nbgrader", "generate_assignment", ASSIGNMENT], folder)
        shutil.copy(folder / "gradebook.db", folder / "gradebook.fresh")
        for work in works:
            *first, last = work.cells
            own = [code(text, f"own-{number}") for number, text in enumerate(first)]
            path = folder / "submitted" / work.student / ASSIGNMENT / source.name
            write_notebook(path, [*own, code(last, "answers", solution=True), *questions])


def _hidden_cells(suite: PlainSuite) -> list[dict[str, object]]:
    def hidden(source: str) -> str:
        return f"### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS"

    cells = [code(hidden(suite.definitions), "definitions", grade=True, locked=True, points=0)]
    for number, check in enumerate(suite.checks):
        marks = {"grade": True, "locked": True, "points": check.check.points}
        cells.append(code(hidden(check.call("globals()")), f"check-{number}", **marks))
    return cells


class Otter:
    """`otter run` for each notebook, so many at once; a test file for each question."""

    def __init__(self, jobs: int = 1) -> None:
        self.name = self.called(jobs)
        self.jobs = jobs
        self.bin = environment("otter")

    @staticmethod
    def called(jobs: int = 1) -> str:
        """The name that it goes by."""
        return "otter run" if jobs == 1 else f"otter run, {jobs} at once"

    def prepare(self, course: Course, works: Sequence[Work], folder: Path) -> None:
        write_plain(works, folder / "submissions")
        suite = translate(course, ASSIGNMENT)
        (folder / "tests").mkdir()
        for question in dict.fromkeys(check.check.question for check in suite.checks):
            path = folder / "tests" / f"{question}.py"
            path.write_text(_otter_test(suite, question), encoding="utf-8")
        run(self.bin, ["otter", "generate", "-t", "tests", "-o", "autograder.zip"], folder)

    def grade(self, folder: Path) -> tuple[Cost, Scores]:
        results = emptied(folder / "results")
        students = sorted(path.name for path in (folder / "submissions").iterdir())
        for student in students:
            (results / student).mkdir()
        (folder / "students").write_text("\n".join(students) + "\n", encoding="utf-8")
        one = f"submissions/{{}}/{ASSIGNMENT}.ipynb -a autograder.zip -o results/{{}} --no-logo"
        loop = f"xargs -P {self.jobs} -I {{}} {self.bin / 'otter'} run {one} < students"
        cost = measure(
            ["sh", "-c", loop], log=folder / "log", cwd=folder, env=quiet_environment(self.bin)
        )
        return cost, {student: _otter_points(results / student) for student in students}


def _otter_test(suite: PlainSuite, question: str) -> str:
    parts = [
        "from otter.test_files import test_case",
        suite.definitions,
        f"OK_FORMAT = False\nname = {question!r}\npoints = None",
    ]
    for number, check in enumerate(suite.checks):
        if check.check.question == question:
            body = check.call("env").replace("\n", "\n    ")
            mark = f"@test_case(points={check.check.points!r}, hidden=True)"
            parts.append(f"{mark}\ndef case_{number}(env):\n    {body}")
    return "\n\n".join(parts) + "\n"


def _otter_points(folder: Path) -> float:
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return float(sum(test.get("score", 0.0) for test in results["tests"]))

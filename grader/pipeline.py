"""The stages, on one screen.

paths ─discover→ Submission ─plan→ Job ─execute→ Run ─score→ Score ─collate→ Gradebook
"""

from __future__ import annotations

import contextlib
import platform
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Protocol

import msgspec

from grader import __version__
from grader.config import Course
from grader.discovery import Discovery, discover
from grader.errors import UsageError
from grader.model import (
    Ending,
    EndingKind,
    Gradebook,
    Job,
    Limits,
    Run,
    RunInfo,
    Score,
    Submission,
    Suite,
    Value,
)
from grader.scheduler import Engine, usable_cores
from grader.scoring import collate, missing, score, unusable

HARMLESS = frozenset({"renamed", "mismatch"})
"""Kinds of problems that keep nobody from being graded."""

SHOWN_VERSIONS = ("torch", "numpy", "pytest")
STOPPED = Ending(kind=EndingKind.INTERRUPTED, message="not graded: the run was stopped")


class Options(Value, frozen=True):
    """What the command line decides."""

    assignments: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    device: str = "cpu"
    seed: int = 0
    timeout_s: float | None = None
    jobs: int | None = None
    sandbox: bool = True


class Watcher(Protocol):
    """Sees a grading as it happens; draws nothing by itself."""

    def start(self, jobs: int) -> None:
        """So many submissions will be graded."""

    def finished(self, score: Score) -> None:
        """One submission has its score."""


def check(paths: Sequence[Path], course: Course, options: Options, watcher: Watcher) -> Gradebook:
    """Grade everything below `paths`.

    Raises:
        NothingToGrade: there is no submission.
        SuiteError: a suite can't be used.
    """
    started, began = datetime.now(timezone.utc), time.monotonic()
    with Engine(course, sandbox=options.sandbox, assignments=options.assignments) as engine:
        found = discover(paths, course, assignments=options.assignments, only=options.only)
        suites = engine.suites
        jobs = plan(found.submissions, suites, course.limits, options)
        watcher.start(len(jobs))
        runs, scores = execute(engine, jobs, options, watcher)
    complete = not any(run.ending.kind is EndingKind.INTERRUPTED for run in runs)
    everyone = scores + absent(found, suites, scores, options)
    info = RunInfo(
        started_at=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - began, 3),
        host=platform.node(),
        versions=versions(),
        jobs=slots(options),
        device=options.device,
        seconds_per_submission={_key(run.submission): run.usage.wall_s for run in runs},
    )
    isolation = next((run.isolation for run in runs if run.isolation is not None), None)
    problems = found.problems + tuple(problem for run in runs for problem in run.problems)
    used = [suites[name] for name in suites if any(s.assignment == name for s in everyone)]
    return collate(course, used, everyone, problems, isolation, info, complete)


def plan(
    submissions: Iterable[Submission], suites: dict[str, Suite], limits: Limits, options: Options
) -> list[Job]:
    """Say for every submission what will be run, under which limits, from which seed."""
    if options.timeout_s is not None:
        limits = msgspec.structs.replace(
            limits, check_s=options.timeout_s, cell_s=options.timeout_s
        )
    return [
        Job(
            submission=submission,
            suite=suites[submission.assignment],
            device=options.device,
            seed=options.seed,
            limits=limits,
        )
        for submission in submissions
    ]


def execute(
    engine: Engine, jobs: Sequence[Job], options: Options, watcher: Watcher
) -> tuple[list[Run], list[Score]]:
    """Run the jobs and score each run as it comes; both lists are in the jobs' order.

    When a person stops it, what is finished counts and the rest is ungraded.
    """
    suites = engine.suites
    done: dict[Submission, tuple[Run, Score]] = {}
    with (
        contextlib.suppress(KeyboardInterrupt),
        contextlib.closing(engine.run(jobs, slots(options))) as runs,
    ):
        for run in runs:
            result = score(run, suites[run.submission.assignment])
            done[run.submission] = (run, result)
            watcher.finished(result)
    for job in jobs:
        if job.submission not in done:
            run = Run(submission=job.submission, ending=STOPPED)
            done[job.submission] = (run, score(run, job.suite))
    ordered = [done[job.submission] for job in jobs]
    return [run for run, _ in ordered], [result for _, result in ordered]


def absent(
    found: Discovery, suites: dict[str, Suite], scores: Sequence[Score], options: Options
) -> list[Score]:
    """A row for everyone who was seen, in every assignment that is asked for or handed in.

    Whoever handed in what nobody could use is ungraded, which is not the same as missing.
    """
    have = {(result.student, result.assignment) for result in scores}
    named = {result.assignment for result in scores} | {p.assignment for p in found.problems}
    asked = [name for name in suites if name in (options.assignments or named)]
    rows = []
    for student in found.students:
        for name in asked or list(suites)[: len(suites) == 1]:
            if (student, name) not in have:
                reason = _unusable_because(found, student, name)
                suite = suites[name]
                rows.append(unusable(student, suite, reason) if reason else missing(student, suite))
    return rows


def _unusable_because(found: Discovery, student: str, assignment: str) -> str:
    """Why a student's files for an assignment can't be graded; empty if there are none."""
    for problem in found.problems:
        concerns = problem.student == student and problem.assignment in (None, assignment)
        if concerns and problem.kind not in HARMLESS:
            return problem.message
    return ""


def slots(options: Options) -> int:
    """How many submissions are graded at once."""
    return options.jobs or usable_cores()


def versions() -> dict[str, str]:
    """What decides a result: the grader's, Python's and the main packages' versions."""
    found = {"grader": __version__, "python": platform.python_version()}
    for name in SHOWN_VERSIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def resolve_device(name: str) -> str:
    """Say where checks run: `auto` is the CPU, because the wall is weaker with a GPU.

    Raises:
        UsageError: a GPU was asked for and there is none.
    """
    if name in ("auto", "cpu"):
        return "cpu"
    if not any(Path(path).exists() for path in ("/dev/nvidiactl", "/dev/dxg")):
        raise UsageError(
            f"no NVIDIA GPU for --device {name}", where=platform.node(), hint="use --device cpu"
        )
    return "cuda:0" if name == "cuda" else name


def _key(submission: Submission) -> str:
    return f"{submission.student}/{submission.assignment}"

"""Jobs into scores: what is known is recalled, the rest is graded, each run is kept as it comes."""

from __future__ import annotations

import contextlib
import os
import statistics
from collections.abc import Iterable, Sequence
from typing import Protocol

from grader.errors import NobodyGrades
from grader.gradebook import Score
from grader.judging.executor import Executor
from grader.model import (
    Ending,
    EndingKind,
    Isolation,
    Job,
    Problem,
    Run,
    Status,
    Submission,
    Suite,
    Value,
)
from grader.scoring.points import score
from grader.store.results import Results

STOPPED = Ending(kind=EndingKind.INTERRUPTED, message="not graded: the run was stopped")

SLOW_S, SLOWER = 10.0, 4.0
"""Slow is what took so many seconds, and so many times as long as most of its class."""


class Watcher(Protocol):
    """Sees a grading as it happens; draws nothing by itself."""

    def start(self, jobs: int, *, kept: int = 0) -> None:
        """So many submissions make up the class; `kept` have their result from an earlier run."""

    def begun(self, submission: Submission, host: str = "") -> None:
        """One is being graded, on another host if one is named; told again with each try."""

    def finished(self, score: Score) -> None:
        """One submission has its score."""

    def problem(self, problem: Problem) -> None:
        """Something that a person should look at came up."""


class Graded(Value, frozen=True):
    """A score, and what else is needed of its run. Runs themselves are not held on to."""

    score: Score
    isolation: Isolation | None
    problems: tuple[Problem, ...]
    wall_s: float
    seconds_of: dict[str, float]
    """How long each of the checks took that were run."""

    @property
    def stopped(self) -> bool:
        """Whether a person stopped the grading before it was this one's turn."""
        return self.score.ending.kind is EndingKind.INTERRUPTED


class GradedJobs(Value, frozen=True):
    """What came of jobs, in their order. `kept` counts those whose result was known before."""

    by_submission: dict[Submission, Graded]
    kept: int = 0

    @property
    def complete(self) -> bool:
        """Whether nobody stopped it."""
        return not any(one.stopped for one in self.by_submission.values())

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What a person should look at."""
        return tuple(p for one in self.by_submission.values() for p in one.problems)

    @property
    def isolation(self) -> Isolation | None:
        """The wall that held for every submission: the one of the fewest layers."""
        found = [one.isolation for one in self.by_submission.values() if one.isolation]
        return min(found, key=lambda isolation: len(isolation.layers), default=None)

    @property
    def seconds(self) -> dict[str, float]:
        """How long each took, by `STUDENT/ASSIGNMENT`."""
        return {_key(submission): one.wall_s for submission, one in self.by_submission.items()}


def grade_jobs(
    engine: Executor,
    jobs: Sequence[Job],
    results: Results,
    watcher: Watcher,
    *,
    slots: int | None = None,
    problems: Iterable[Problem] = (),
) -> GradedJobs:
    """Grade what has no result yet. When a person stops it, what is finished counts.

    Args:
        engine: what grades.
        jobs: everything that is to have a score.
        results: where runs are looked for and kept.
        watcher: hears of each submission.
        slots: how many are graded at once; as many as there is room for if not given.
        problems: what is known before it begins, for the watcher to hear.

    Raises:
        SuiteError: the suites are not those that the jobs were planned with.
        GraderFault: nothing can be graded here.
        GraderError: a result can't be kept: the disk is full.
    """
    known = recall(jobs, results)
    watcher.start(len(jobs), kept=len(known))
    for problem in problems:
        watcher.problem(problem)
    todo = longest_first([job for job in jobs if job.submission not in known], results)
    found = known | _execute(engine, todo, results, watcher, slots)
    results.forget_unused()
    return GradedJobs({job.submission: found[job.submission] for job in jobs}, kept=len(known))


def describe_suites(engine: Executor, results: Results) -> dict[str, Suite]:
    """The suites that an engine grades with; kept, so that the next run need not ask a judge.

    Raises:
        SuiteError: a suite or the reference can't be used.
    """
    if not engine.knew_suites:
        results.keep_suites(engine.course, engine.suites)
    return engine.suites


def recall(jobs: Iterable[Job], results: Results) -> dict[Submission, Graded]:
    """What earlier runs have found out about these jobs."""
    runs = ((job, results.find(job)) for job in jobs)
    return {job.submission: _graded(run, job) for job, run in runs if run is not None}


def longest_first(jobs: Sequence[Job], results: Results) -> list[Job]:
    """Order jobs so that no long one is left to run alone at the end, and loops hold up nobody.

    What was graded before is expected to take as long again. The others come first, the largest
    file ahead: nobody knows how long they take. Last comes what a time limit stopped before, or
    what took far longer than most: all others have their results by then.
    """
    seconds, late = results.seconds(), results.late()
    slow_s = max(SLOW_S, SLOWER * statistics.median(seconds.values())) if seconds else SLOW_S

    def weight(job: Job) -> tuple[bool, bool, float]:
        key = _key(job.submission)
        known = seconds.get(key)
        size = float(_file_bytes(job.submission)) if known is None else known
        return key not in late and (known or 0.0) <= slow_s, known is None, size

    return sorted(jobs, key=weight, reverse=True)


def _execute(
    engine: Executor, jobs: Sequence[Job], results: Results, watcher: Watcher, slots: int | None
) -> dict[Submission, Graded]:
    """Run the jobs; keep and score each run as it comes. What was not run when it stops is so."""
    by_submission = {job.submission: job for job in jobs}
    done: dict[Submission, Graded] = {}
    with (
        contextlib.suppress(KeyboardInterrupt, NobodyGrades),
        contextlib.closing(engine.run(jobs, slots, watcher.begun)) as runs,
    ):
        for run in runs:
            job = by_submission[run.submission]
            results.keep(job, run)
            graded = done[run.submission] = _graded(run, job)
            watcher.finished(graded.score)
            for problem in run.problems:
                watcher.problem(problem)
    for job in jobs:
        if job.submission not in done:
            run = Run(submission=job.submission, ending=STOPPED)
            done[job.submission] = _graded(run, job)
    return done


def _graded(run: Run, job: Job) -> Graded:
    return Graded(
        score=score(run, job.suite, job.device),
        isolation=run.isolation,
        problems=run.problems,
        wall_s=run.usage.wall_s,
        seconds_of={
            one.check: one.seconds
            for one in run.outcomes
            if one.status is not Status.SKIPPED and one.check not in job.known_to_pass
        },
    )


def _file_bytes(submission: Submission) -> int:
    """The size of a submission's file; of the whole archive that it lies in."""
    try:
        return os.stat(submission.path).st_size  # noqa: PTH116 (one system call, no object)
    except OSError:
        return 0


def _key(submission: Submission) -> str:
    return f"{submission.student}/{submission.assignment}"

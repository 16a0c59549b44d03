"""The stages, on one screen.

paths ─discover→ Submission ─plan→ Job ─execute→ Run ─score→ Score ─collate→ Gradebook
"""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from grader.config.course import Course
from grader.config.policy import Adjustment, Policy
from grader.gradebook import Gradebook, RunInfo
from grader.intake.discovery import Discovery, discover
from grader.intake.readings import Readings
from grader.intake.roster import Roster
from grader.judging.engine import Engine, usable_cores
from grader.model import (
    Ending,
    EndingKind,
    Isolation,
    Job,
    Limits,
    Problem,
    Run,
    Score,
    Submission,
    Suite,
    Value,
)
from grader.scoring import attempts, policies
from grader.scoring.deadlines import Extensions, Times, deadlines
from grader.scoring.points import collate, device_remarks, missing, score, unusable
from grader.store.fingerprint import versions
from grader.store.results import Results

STOPPED = Ending(kind=EndingKind.INTERRUPTED, message="not graded: the run was stopped")


SLOW_S, SLOWER = 10.0, 4.0
"""Slow is what took so many seconds, and so many times as long as most of its class."""


class Options(Value, frozen=True):
    """What the command line decides."""

    assignments: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    device: str = "cpu"
    seed: int = 0
    timeout_s: float | None = None
    jobs: int | None = None
    sandbox: bool = True
    roster: Roster | None = None
    adjustments: tuple[Adjustment, ...] = ()
    times: Times | None = None
    extensions: Extensions | None = None


class Watcher(Protocol):
    """Sees a grading as it happens; draws nothing by itself."""

    def start(self, jobs: int, *, kept: int = 0) -> None:
        """So many submissions make up the class; `kept` have their result from an earlier run."""

    def begun(self, submission: Submission) -> None:
        """One submission is being graded; told again when it must be tried again."""

    def finished(self, score: Score) -> None:
        """One submission has its score."""

    def problem(self, problem: Problem) -> None:
        """Something that a person should look at came up."""


class Graded(Value, frozen=True):
    """A score, and what else the gradebook needs of its run. Runs themselves are not held on to."""

    score: Score
    isolation: Isolation | None
    problems: tuple[Problem, ...]
    wall_s: float


def check(
    paths: Sequence[Path],
    course: Course,
    options: Options,
    watcher: Watcher,
    results: Results | None = None,
) -> Gradebook:
    """Grade everything below `paths` that has no result yet.

    Raises:
        NothingToGrade: there is no submission.
        SuiteError: a suite can't be used.
        GraderFault: nothing can be graded here.
        GraderError: a result can't be kept: the disk is full.
    """
    started, began = datetime.now(UTC), time.monotonic()
    results = results or Results(None)
    known = results.find_suites(course, options.assignments)
    readings = Readings(results)
    with Engine(
        course,
        sandbox=options.sandbox,
        assignments=options.assignments,
        known=known,
        readings=readings,
    ) as engine:
        found = discover(
            paths, course, assignments=options.assignments, only=options.only, readings=readings
        )
        found = add_roster(add_times(found, options), options)
        suites = engine.suites
        if known is None:
            results.keep_suites(course, suites)
        rules = ScoreRules(course, options)
        chosen = attempts.to_grade(found.submissions, rules.policy, rules.due)
        jobs = plan(chosen, suites, course.limits, options)
        kept = recall(jobs, results)
        watcher.start(len(jobs), kept=len(kept))
        known_problems = found.problems + device_remarks(suites_of(jobs), options.device)
        known_problems += policies.without_time(chosen, rules.policy, rules.due)
        for problem in known_problems:
            watcher.problem(problem)
        todo = longest_first([job for job in jobs if job.submission not in kept], results)
        graded = kept | execute(engine, todo, options, watcher, results)
    results.forget_unused()
    ordered = [graded[job.submission] for job in jobs]
    scores = {job.submission: rules.apply(graded[job.submission].score) for job in jobs}
    settled = attempts.settle_attempts(found.submissions, scores)
    everyone = settled + [rules.apply(one) for one in score_absent(found, suites, settled, options)]
    info = RunInfo(
        started_at=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - began, 3),
        host=platform.node(),
        versions=versions(),
        jobs=count_slots(options),
        device=options.device,
        kept=len(kept),
        seconds_per_submission={
            _key(job.submission): graded[job.submission].wall_s for job in jobs
        },
    )
    problems = known_problems + tuple(problem for one in ordered for problem in one.problems)
    used = [suites[name] for name in suites if any(s.assignment == name for s in everyone)]
    complete = not any(one.score.ending.kind is EndingKind.INTERRUPTED for one in ordered)
    wall = weakest(ordered) or (None if options.sandbox else Isolation(mode="off"))
    names = {suite.assignment.id for suite in used}
    problems += policies.without_effect(options.adjustments, everyone, names.__contains__)
    return collate(course, used, everyone, problems, wall, info, complete)


class ScoreRules:
    """What a course says about when work is due, and what becomes of its scores."""

    def __init__(self, course: Course, options: Options) -> None:
        self.due = deadlines(course, options.extensions)
        self._policies = {one.id: one.policy for one in course.assignments}
        self._adjustments = options.adjustments

    def policy(self, assignment: str) -> Policy:
        """The rules of an assignment."""
        return self._policies[assignment]

    def apply(self, score: Score) -> Score:
        """Return a score as the rules leave it."""
        due = self.due(score.student, score.assignment)
        return policies.apply(score, self.policy(score.assignment), self._adjustments, due)


def add_times(found: Discovery, options: Options) -> Discovery:
    """Give submissions the times that the instructor knows; report extensions that help nobody."""
    submissions, problems = found.submissions, found.problems
    if options.times is not None:
        submissions = options.times.told(submissions)
    if options.extensions is not None and not options.only:
        problems += options.extensions.unused(found.students)
    return msgspec.structs.replace(found, submissions=submissions, problems=problems)


def add_roster(found: Discovery, options: Options) -> Discovery:
    """Add everyone of the roster who handed in nothing, and report who is not in it."""
    roster = options.roster
    if roster is None or options.only:
        return found
    return Discovery(
        submissions=found.submissions,
        problems=found.problems + roster.strangers(found.students),
        students=tuple(sorted((*found.students, *roster.unseen(found.students)))),
    )


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


def suites_of(jobs: Iterable[Job]) -> list[Suite]:
    """The suites that jobs are graded with, each once."""
    return list({job.suite.assignment.id: job.suite for job in jobs}.values())


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


def execute(
    engine: Engine, jobs: Sequence[Job], options: Options, watcher: Watcher, results: Results
) -> dict[Submission, Graded]:
    """Run the jobs; keep and score each run as it comes.

    When a person stops it, what is finished counts and the rest is ungraded.
    """
    by_submission = {job.submission: job for job in jobs}
    done: dict[Submission, Graded] = {}
    with (
        contextlib.suppress(KeyboardInterrupt),
        contextlib.closing(engine.run(jobs, count_slots(options), watcher.begun)) as runs,
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


def weakest(graded: Iterable[Graded]) -> Isolation | None:
    """The wall that held for every submission: the one of the fewest layers."""
    found = [one.isolation for one in graded if one.isolation is not None]
    return min(found, key=lambda isolation: len(isolation.layers), default=None)


def _graded(run: Run, job: Job) -> Graded:
    return Graded(
        score=score(run, job.suite, job.device),
        isolation=run.isolation,
        problems=run.problems,
        wall_s=run.usage.wall_s,
    )


def _file_bytes(submission: Submission) -> int:
    """The size of a submission's file; of the whole archive that it lies in."""
    try:
        return os.stat(submission.path).st_size  # noqa: PTH116 (one system call, no object)
    except OSError:
        return 0


def score_absent(
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
                suite, device = suites[name], options.device
                rows.append(
                    unusable(student, suite, reason, device)
                    if reason
                    else missing(student, suite, device)
                )
    return rows


def _unusable_because(found: Discovery, student: str, assignment: str) -> str:
    """Why a student's files for an assignment can't be graded; empty if there are none."""
    for problem in found.problems:
        concerns = problem.student == student and problem.assignment in (None, assignment)
        if concerns and problem.kind.keeps_from_grading:
            return problem.message
    return ""


def count_slots(options: Options) -> int:
    """How many submissions are graded at once."""
    return options.jobs or usable_cores()


def _key(submission: Submission) -> str:
    return f"{submission.student}/{submission.assignment}"

"""The stages, on one screen.

paths ─discover→ Submission ─plan→ Job ─execute→ Run ─score→ Score ─collate→ Gradebook
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from grader.config.course import Course
from grader.config.manual import require_no_checks
from grader.config.policy import Adjustment, Mark
from grader.errors import NothingToGrade
from grader.gradebook import Gradebook, KeptScore, Origin, RunInfo, Score
from grader.intake.discovery import Discovery, discover
from grader.intake.groups import NOBODY, Enrolment
from grader.intake.reading import Reader
from grader.intake.readings import Readings
from grader.intake.roster import Roster
from grader.intake.written import digests
from grader.judging.choosing import narrowed
from grader.judging.engine import Engine
from grader.judging.executor import Executor, Starts
from grader.judging.grading import GradedJobs, Watcher, describe_suites, grade_jobs
from grader.model import Isolation, Job, Limits, Problem, ProblemKind, Submission, Suite, Value
from grader.scoring import attempts, policies
from grader.scoring.deadlines import Extensions, Times
from grader.scoring.marking import with_manual
from grader.scoring.points import collate, device_remarks, missing, unusable
from grader.scoring.rules import ScoreRules
from grader.store.fingerprint import graded_with, versions
from grader.store.results import Results


class Options(Value, frozen=True):
    """What the command line decides. `manual`: whether questions that a person marks count."""

    assignments: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    device: str = "cpu"
    seed: int = 0
    timeout_s: float | None = None
    jobs: int | None = None
    sandbox: bool = True
    roster: Roster | None = None
    adjustments: tuple[Adjustment, ...] = ()
    marks: tuple[Mark, ...] = ()
    kept: tuple[KeptScore, ...] = ()
    times: Times | None = None
    extensions: Extensions | None = None
    apart: tuple[Path, ...] = ()
    enrolment: Enrolment = NOBODY
    manual: bool = True


class Plan(Value, frozen=True):
    """What will be graded, and what a person should look at before."""

    jobs: tuple[Job, ...]
    problems: tuple[Problem, ...] = ()


class ClassScores(Value, frozen=True):
    """Everybody's scores as the rules leave them, and all that a person should look at."""

    scores: tuple[Score, ...]
    suites: tuple[Suite, ...]
    problems: tuple[Problem, ...]


Review = Callable[[Plan, Mapping[str, Suite]], None]
"""Sees what will be graded, with which suites, and may raise to stop it."""


def check(
    paths: Sequence[Path],
    course: Course,
    options: Options,
    watcher: Watcher,
    results: Results | None = None,
    review: Review | None = None,
    starts: Starts = Engine,
) -> Gradebook:
    """Grade everything below `paths` that has no result yet, with what `starts` starts.

    Raises:
        NothingToGrade: there is no submission.
        SuiteError: a suite can't be used.
        GraderFault: nothing can be graded here.
        GraderError: a result can't be kept: the disk is full.
    """
    began = datetime.now(UTC), time.monotonic()
    results = results or Results(None)
    readings = Readings(results)
    rules = score_rules(course, options)
    with start_engine(course, options, results, readings, starts) as engine:  # works while we look
        found = find_class(paths, course, options, readings)
        suites = narrowed(describe_suites(engine, results), options.checks)
        found = within(found, suites, options)
        for name, suite in suites.items():
            asked = (question.id for question in suite.assignment.questions)
            require_no_checks(rules.manual(name), asked, str(course.root))
        planned = plan_class(found, suites, course.limits, rules, options)
        if review is not None:
            review(planned, suites)
        graded = grade_jobs(
            engine, planned.jobs, results, watcher,
            slots=options.jobs, problems=planned.problems,
        )  # fmt: skip
        slots = engine.slots(options.jobs)
    scored = score_class(found, planned, graded, suites, rules, options)
    wall = graded.isolation or (None if options.sandbox else Isolation(mode="off"))
    gradebook = collate(
        course, scored.suites, scored.scores, scored.problems, wall,
        run_info(began, found, graded, options, slots, scored.suites), graded.complete,
        options.roster.names(found.students) if options.roster else None,
        options.roster.ids(found.students) if options.roster else None,
    )  # fmt: skip
    return msgspec.structs.replace(gradebook, only_checks=options.checks)


# ---------------------------------------------------------------- discover


def start_engine(
    course: Course, options: Options, results: Results, readings: Readings, starts: Starts
) -> Executor:
    """Start what grades; when an earlier run has described the suites, with the first job."""
    return starts(
        course,
        sandbox=options.sandbox,
        assignments=options.assignments,
        known=results.find_suites(course, options.assignments),
        readings=readings,
    )


def find_class(
    paths: Sequence[Path], course: Course, options: Options, readings: Readings
) -> Discovery:
    """Find who handed in what, and add what the instructor knows: times, everyone who is enrolled.

    Raises:
        NothingToGrade: there is no submission. UsageError: a time may be of either of two.
    """
    found = discover(
        paths, course, assignments=options.assignments, only=options.only, readings=readings,
        apart=options.apart, enrolment=options.enrolment,
    )  # fmt: skip
    return add_roster(add_times(found, options), options)


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


def within(found: Discovery, suites: Mapping[str, Suite], options: Options) -> Discovery:
    """Leave out what was handed in for assignments of which no check is asked for.

    Raises:
        NothingToGrade: then nothing is left.
    """
    if not options.checks:
        return found
    some = tuple(one for one in found.submissions if one.assignment in suites)
    if not some:
        raise NothingToGrade(
            "nothing is handed in for the assignments of these checks",
            where=", ".join(suites),
            hint="`grader checks` lists the checks of each assignment",
        )
    problems = tuple(p for p in found.problems if p.assignment is None or p.assignment in suites)
    return msgspec.structs.replace(found, submissions=some, problems=problems)


# ---------------------------------------------------------------- plan


def score_rules(course: Course, options: Options) -> ScoreRules:
    """What becomes of scores. Those of some checks alone leave out what a person marks."""
    return ScoreRules(
        course,
        options.extensions,
        options.adjustments,
        options.kept,
        options.marks,
        manual=options.manual and not options.checks,
    )


def plan_class(
    found: Discovery, suites: dict[str, Suite], limits: Limits, rules: ScoreRules, options: Options
) -> Plan:
    """Choose the attempts that are graded, and say what is known to look at."""
    chosen = attempts.to_grade(found.submissions, rules.policy, rules.due)
    jobs = plan(chosen, suites, limits, options)
    used = {job.suite.assignment.id: job.suite for job in jobs}
    remarks = device_remarks(list(used.values()), options.device)
    remarks += policies.without_time(chosen, rules.policy, rules.due)
    return Plan(tuple(jobs), found.problems + remarks)


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
            checks=tuple(c.id for c in suites[submission.assignment].checks)
            if options.checks
            else (),
        )
        for submission in submissions
    ]


# ---------------------------------------------------------------- score


def score_class(
    found: Discovery,
    planned: Plan,
    graded: GradedJobs,
    suites: dict[str, Suite],
    rules: ScoreRules,
    options: Options,
) -> ClassScores:
    """Apply the rules, choose the attempts that count, and give everyone a row."""
    with Reader() as reader:
        scores = {
            one: rules.apply(
                graded.by_submission[one].score, digests(one, rules.manual(one.assignment), reader)
            )
            for one in graded.by_submission
        }
    settled = attempts.settle_attempts(found.submissions, scores)
    absent = score_absent(found, suites, settled, options)
    everyone = (*settled, *(rules.apply(one) for one in absent))
    graded_in = {one.assignment for one in everyone}
    here = {one.student for one in everyone} if options.only else None
    adjustments = [one for one in options.adjustments if here is None or one.student in here]
    without_effect = policies.without_effect(adjustments, everyone, graded_in.__contains__)
    return ClassScores(
        scores=everyone,
        suites=tuple(
            with_manual(suites[name], rules.manual(name)) for name in suites if name in graded_in
        ),
        problems=planned.problems + graded.problems + without_effect,
    )


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
                problem = _in_the_way(found, student, name)
                suite, device = suites[name], options.device
                rows.append(
                    missing(student, suite, device)
                    if problem is None
                    else unusable(student, suite, problem, device)
                )
    return rows


def _in_the_way(found: Discovery, student: str, assignment: str) -> Problem | None:
    """Why a student's files for an assignment can't be graded; None if there are none.

    A file that is for nothing is the reason where there is no better one.
    """
    concerning = [
        problem
        for problem in found.problems
        if problem.student == student
        and problem.assignment in (None, assignment)
        and problem.kind.keeps_from_grading
    ]
    return min(concerning, key=lambda one: one.kind is ProblemKind.UNMATCHED, default=None)


def run_info(
    began: tuple[datetime, float],
    found: Discovery,
    graded: GradedJobs,
    options: Options,
    slots: int,
    suites: Iterable[Suite],
) -> RunInfo:
    """What may differ between two runs. `began`: by the clock, and in monotonic seconds."""
    return RunInfo(
        started_at=began[0].isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - began[1], 3),
        host=platform.node(),
        versions=versions(),
        jobs=slots,
        device=options.device,
        kept=graded.kept,
        seconds_per_submission=graded.seconds,
        graded_with={suite.assignment.id: graded_with(suite.digest) for suite in suites},
        origins=tuple(origin(one, options) for one in found.submissions),
    )


def origin(submission: Submission, options: Options) -> Origin:
    """Where a file lies and what it is graded with, for whoever looks at it or grades it again."""
    return Origin(
        student=submission.student,
        assignment=submission.assignment,
        path=str(Path(submission.path).absolute()),
        member=submission.member,
        inner=submission.inner,
        attempt=submission.attempt,
        seed=options.seed,
        device=options.device,
    )

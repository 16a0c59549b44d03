"""A class's notebooks, as they were handed in, through the engine: all at once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from grader.config.course import Course
from grader.errors import IntakeError
from grader.gradebook import AssignmentReport, Score, State
from grader.intake.files import limit_of, read_regular
from grader.intake.reading import digest
from grader.integrations.nbgrader.engines import warm_engine
from grader.integrations.nbgrader.submitted import HandIn
from grader.judging.engine import Engine
from grader.judging.executor import Starts
from grader.judging.grading import describe_suites, grade_jobs
from grader.model import Isolation, Problem, ProblemKind, Submission, Suite, Value
from grader.pipeline import Options, plan
from grader.scoring.points import assignment_report, unusable
from grader.store.results import Results
from grader.text import one_line, points


class Marked(Value, frozen=True):
    """What the engine found out about one student's notebook, with what a reader needs of it."""

    score: Score
    assignment: AssignmentReport
    isolation: Isolation | None = None

    @property
    def ungraded(self) -> bool:
        """Whether a person has to look: there is no score, neither zero nor full marks."""
        return self.score.state is State.UNGRADED


class _Log:
    """Tells nbgrader's log what happens to whom."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log

    def start(self, jobs: int, *, kept: int = 0) -> None:
        self._log.info("Grading %d submissions", jobs - kept)
        if kept:
            self._log.info("%d more are known from an earlier run; --force grades them again", kept)

    def begun(self, submission: Submission, host: str = "") -> None:
        self._log.debug("%s: begun%s", submission.student, host and f" on {host}")

    def finished(self, score: Score) -> None:
        if score.state is State.GRADED:
            self._log.info(
                "%s: %s: %s of %s points",
                score.student, score.assignment, points(score.earned), points(score.possible),
            )  # fmt: skip

    def problem(self, problem: Problem) -> None:
        text = one_line(problem.message)
        self._log.warning("%s: %s: %s", problem.student, problem.assignment, text)


def grade(
    course: Course,
    suite_of: str,
    handed: Iterable[HandIn],
    options: Options,
    results: Results,
    log: logging.Logger,
    starts: Starts = Engine,
) -> tuple[Suite, dict[str, Marked]]:
    """Grade notebooks of one assignment.

    Args:
        course: what to grade with.
        suite_of: the assignment.
        handed: what was handed in, a folder for each student.
        options: how.
        results: where results are kept, and looked for before anything is graded.
        log: where to tell of it.
        starts: starts what grades.

    Returns:
        The suite, and what was found out by student.

    Raises:
        SuiteError: the suite can't be used. GraderFault: nothing can be graded here.
        KeyboardInterrupt: somebody stopped it.
    """
    watcher = _Log(log)
    known = results.find_suites(course, [suite_of])
    with warm_engine(
        course, suite_of, sandbox=options.sandbox, known=known, starts=starts
    ) as engine:
        suites = describe_suites(engine, results)
        suite = suites[suite_of]
        report = assignment_report(suite)
        submissions, marked = _read(handed, suite, report)
        jobs = plan(submissions, suites, course.limits, options)
        graded = grade_jobs(engine, jobs, results, watcher, slots=options.jobs)
        if not graded.complete:
            raise KeyboardInterrupt
    for remark in results.remarks():
        log.warning("%s", one_line(remark))
    for submission, one in graded.by_submission.items():
        marked[submission.student] = Marked(one.score, report, one.isolation)
    return suite, marked


def _read(
    handed: Iterable[HandIn], suite: Suite, report: AssignmentReport
) -> tuple[Sequence[Submission], dict[str, Marked]]:
    """The files as submissions; those that can't be read are marked already: as ungraded."""
    submissions, marked = [], {}
    for one in handed:
        try:
            content = read_regular(one.notebook, limit_of(one.notebook.name))
        except IntakeError as error:
            problem = Problem(ProblemKind.UNREADABLE, error.message, hint=error.hint)
            marked[one.student] = Marked(unusable(one.student, suite, problem), report)
            continue
        submissions.append(
            Submission(
                student=one.student,
                assignment=one.assignment,
                path=str(one.notebook),
                name=one.notebook.name,
                digest=digest(content),
            )
        )
    return submissions, marked

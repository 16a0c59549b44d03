"""Runs into scores, scores into a gradebook: pure functions, no files, no clocks.

The plan decides: a suite says which checks exist and what they are worth, a run only which of them
passed. So nothing that a run holds too much, twice or not at all can add a point.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from grader.config.course import Course
from grader.gradebook import (
    SCHEMA_VERSION,
    AssignmentReport,
    CheckReport,
    Gradebook,
    QuestionReport,
    RunInfo,
    Score,
    ScoredOutcome,
    State,
    Total,
)
from grader.model import (
    Check,
    Ending,
    EndingKind,
    Isolation,
    Outcome,
    Problem,
    ProblemKind,
    Question,
    Run,
    Status,
    Suite,
    total,
)
from grader.scoring.policies import course_total


def possible(suite: Suite, device: str = "cpu") -> float:
    """Return the points that can be earned on a device, without bonus questions."""
    bonus = {question.id for question in suite.assignment.questions if question.bonus}
    beyond = [c.points for c in beyond_reach(suite, device) if c.question not in bonus]
    return total([suite.assignment.points, -total(beyond)])


def beyond_reach(suite: Suite, device: str) -> tuple[Check, ...]:
    """Return the checks that a device can't run: they need another kind."""
    return tuple(check for check in suite.checks if not check.runs_on(device))


def device_remarks(suites: Sequence[Suite], device: str) -> tuple[Problem, ...]:
    """Say what the device means for this grading: checks left out, a wall that promises less."""
    found = []
    for suite in suites:
        left_out = beyond_reach(suite, device)
        if left_out:
            points = total(check.points for check in left_out)
            kinds = sorted({kind for check in left_out for kind in check.devices})
            found.append(
                Problem(
                    kind=ProblemKind.DEVICE,
                    message=f"not run on {device}, for want of {' or '.join(kinds)}:"
                    f" checks worth {points:g} points; scores are out of the others",
                    where=", ".join(check.id for check in left_out),
                    hint="grade on a machine with a GPU: `--device cuda`",
                    assignment=suite.assignment.id,
                )
            )
    if device != "cpu":
        found.append(
            Problem(
                kind=ProblemKind.GPU,
                message=f"graded on {device}: the graphics driver is open to submissions,"
                " and the wall promises less than without it",
                where="",
                hint="docs/threat-model.md says what is lost; --device cpu has the whole promise",
            )
        )
    return tuple(found)


def score(run: Run, suite: Suite, device: str = "cpu") -> Score:
    """Turn what happened into points.

    A check without a verdict earns nothing. A run that the grader itself spoiled, or a file that
    nobody could read, is ungraded: neither zero nor full marks, a person has to look.
    """
    submission = run.submission
    ungraded = run.ending.ours or run.ending.kind is EndingKind.UNREADABLE
    outcomes = () if ungraded else _scored(run, suite.checks)
    asked = {question.id for question in suite.assignment.questions}
    return Score(
        student=submission.student,
        assignment=suite.assignment.id,
        state=State.UNGRADED if ungraded else State.GRADED,
        earned=total(outcome.earned for outcome in outcomes if outcome.question in asked),
        possible=possible(suite, device),
        ending=run.ending,
        questions={} if ungraded else _by_question(outcomes, suite.assignment.questions),
        outcomes=outcomes,
        cell_errors=run.cell_errors,
        output=run.output,
        file=submission.name,
        digest=submission.digest,
        submitted_at=submission.submitted_at,
        time_from=submission.time_from,
        pythons=run.pythons,
    )


def missing(student: str, suite: Suite, device: str = "cpu") -> Score:
    """Return the score of a student who handed nothing in for this assignment."""
    return Score(
        student=student,
        assignment=suite.assignment.id,
        state=State.MISSING,
        earned=0.0,
        possible=possible(suite, device),
        ending=Ending(message="nothing was handed in"),
        questions={question.id: 0.0 for question in suite.assignment.questions},
    )


def unusable(student: str, suite: Suite, problem: Problem, device: str = "cpu") -> Score:
    """Return the score of a student whose files for this assignment nobody could use."""
    return Score(
        student=student,
        assignment=suite.assignment.id,
        state=State.UNGRADED,
        earned=0.0,
        possible=possible(suite, device),
        ending=Ending(EndingKind.UNREADABLE, problem.message, problem.kind, problem.hint),
    )


def collate(
    course: Course,
    suites: Sequence[Suite],
    scores: Iterable[Score],
    problems: Iterable[Problem],
    isolation: Isolation | None,
    run_info: RunInfo,
    complete: bool = True,
    names: Mapping[str, str] | None = None,
    ids: Mapping[str, tuple[str, ...]] | None = None,
) -> Gradebook:
    """Put everything together, in one order."""
    gradebook = Gradebook(
        schema_version=SCHEMA_VERSION,
        course=course.id,
        assignments=tuple(
            msgspec.structs.replace(
                assignment_report(suite), due=course.assignment(suite.assignment.id).due
            )
            for suite in suites
        ),
        scores=tuple(scores),
        problems=tuple(problems),
        isolation=isolation,
        run=run_info,
        complete=complete,
        course_title=course.title,
        names=dict(names or {}),
        ids=dict(ids or {}),
    )
    return in_order(gradebook, course)


def in_order(gradebook: Gradebook, course: Course) -> Gradebook:
    """Sort students by name, assignments as the course lists them; add up the totals."""
    names = [assignment.id for assignment in course.assignments]
    return arrange(gradebook, names, course.policy.drop_lowest)


def arrange(gradebook: Gradebook, assignments: Sequence[str], drop_lowest: int) -> Gradebook:
    """Sort everything, assignments in this order, and add up totals without the lowest scores."""
    order = {assignment: place for place, assignment in enumerate(assignments)}

    def place(assignment: str | None) -> tuple[int, str]:
        return order.get(assignment or "", len(order)), assignment or ""

    return msgspec.structs.replace(
        gradebook,
        assignments=tuple(sorted(gradebook.assignments, key=lambda one: place(one.id))),
        scores=tuple(
            sorted(
                gradebook.scores,
                key=lambda s: (s.student, place(s.assignment), s.file, s.digest),
            )
        ),
        problems=tuple(
            sorted(
                gradebook.problems,
                key=lambda p: (p.student or "", place(p.assignment), p.kind, p.where, p.message),
            )
        ),
        totals=_totals(gradebook.scores, drop_lowest),
        names=dict(sorted(gradebook.names.items())),
        ids=dict(sorted(gradebook.ids.items())),
    )


def _totals(scores: Iterable[Score], drop_lowest: int) -> tuple[Total, ...]:
    students: dict[str, list[Score]] = {}
    for one in scores:
        students.setdefault(one.student, []).append(one)
    return tuple(
        course_total(student, students[student], drop_lowest) for student in sorted(students)
    )


def percent(score: Score) -> float:
    """Return what was earned in percent of the points without bonus questions, to six decimals.

    More than 100 when bonus questions were answered; 100 where there is nothing to earn.
    """
    if score.possible <= 0:
        return 100.0
    return round(100 * score.earned / score.possible, 6)


def _scored(run: Run, checks: Sequence[Check]) -> tuple[ScoredOutcome, ...]:
    verdicts = _verdicts(run.outcomes)
    return tuple(_scored_outcome(check, verdicts.get(check.id), run.ending) for check in checks)


def _verdicts(outcomes: Iterable[Outcome]) -> Mapping[str, Outcome]:
    """One verdict a check: of several, the first that did not pass."""
    verdicts: dict[str, Outcome] = {}
    for outcome in outcomes:
        known = verdicts.get(outcome.check)
        if known is None or known.status is Status.PASSED:
            verdicts[outcome.check] = outcome
    return verdicts


def _scored_outcome(check: Check, verdict: Outcome | None, ending: Ending) -> ScoredOutcome:
    if verdict is None:
        reason = ending.message or "no verdict came"
        verdict = Outcome(check=check.id, status=Status.ERROR, message=f"not checked: {reason}")
    return ScoredOutcome(
        check=check.id,
        question=check.question,
        status=verdict.status,
        earned=check.points if verdict.status is Status.PASSED else 0.0,
        possible=check.points,
        message=verdict.message,
        detail=verdict.detail,
        asked=verdict.asked,
        check_line=verdict.check_line,
        cell=verdict.cell,
        line=verdict.line,
        expected=verdict.expected,
        actual=verdict.actual,
        differs=verdict.differs,
    )


def _by_question(
    outcomes: Sequence[ScoredOutcome], questions: Sequence[Question]
) -> dict[str, float]:
    return {
        question.id: total(o.earned for o in outcomes if o.question == question.id)
        for question in questions
    }


def assignment_report(suite: Suite) -> AssignmentReport:
    """Return what a reader of scores needs to know of a suite."""
    assignment = suite.assignment
    return AssignmentReport(
        id=assignment.id,
        title=assignment.title,
        points=assignment.points,
        questions=tuple(
            QuestionReport(
                id=question.id,
                title=question.title,
                points=question.points,
                bonus=question.bonus,
                manual=question.manual,
                rubric=question.rubric,
                checks=tuple(
                    CheckReport(
                        id=check.id,
                        title=check.title,
                        points=check.points,
                        public=check.public,
                        hint=check.hint,
                        code=check.code,
                        source=check.source,
                    )
                    for check in suite.checks
                    if check.question == question.id
                ),
            )
            for question in assignment.questions
        ),
    )

"""The gate on suites: nobody trusts a score whose checks were never tried on wrong answers.

Every case goes through the same wall as a submission:

- the *reference*, as the solved notebook, gets all points, from every seed that is tried;
- the untouched *template* gets none;
- correct code in another *style* gets all points;
- a *fake*, which does none of the work, gets no more points than its file says;
- a *mutant*, the reference with one known bug, loses points in the questions that it names and in
  no other, neither here nor, plugged into the other assignments' notebooks, there;
- every check is failed by some mutant: one that nothing fails proves nothing.
"""

from __future__ import annotations

import enum
import hashlib
import json
import tempfile
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from grader.authoring.cases import Kind, Planned, plan_cases
from grader.authoring.lessons import lesson_paths
from grader.config.course import Course
from grader.judging.engine import Engine, usable_cores
from grader.judging.grading import Watcher, grade_jobs
from grader.model import Cell, Job, Score, State, Status, Submission, Suite, Value
from grader.store.results import Results


class Verdict(enum.StrEnum):
    """What became of a case; all but the first are failures of the gate."""

    OK = "ok"
    RIGHT_CODE_LOSES = "right code loses"
    TEMPLATE_EARNS = "template earns"
    FAKE_EARNS = "fake earns too much"
    SURVIVES = "mutant survives"
    LOSES_ELSEWHERE = "mutant loses elsewhere"
    UNGRADED = "not graded"


class Case(Value, frozen=True):
    """One submission of the gate, judged.

    Attributes:
        bug: what is wrong with a mutant; what a fake does instead of the work.
        lost: the questions without full points.
        earned: points, of all questions.
        at_most: what a fake may earn.
    """

    assignment: str
    kind: Kind
    name: str
    verdict: Verdict
    explanation: str = ""
    bug: str = ""
    origin: str = ""
    must_lose: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    failed_checks: tuple[str, ...] = ()
    seed: int = 0
    earned: float = 0.0
    at_most: float | None = None


class AssignmentGate(Value, frozen=True):
    """All cases of one assignment. `unproven` are the checks that no mutant fails."""

    assignment: str
    questions: tuple[str, ...]
    cases: tuple[Case, ...]
    unproven: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether its suite can be trusted."""
        return not self.unproven and all(case.verdict is Verdict.OK for case in self.cases)


class Verification(Value, frozen=True):
    """The gate's result."""

    gates: tuple[AssignmentGate, ...]

    @property
    def passed(self) -> bool:
        """Whether every suite can be trusted."""
        return all(gate.passed for gate in self.gates)


def verify(
    course: Course,
    *,
    assignments: Sequence[str] = (),
    jobs: int | None = None,
    seed: int = 0,
    repeat: int = 1,
    thorough: bool = False,
    kinds: Collection[Kind] = tuple(Kind),
    watcher: Watcher,
) -> Verification:
    """Run the gate.

    Args:
        course: whose suites.
        assignments: ids; all that have a lesson when empty.
        jobs: cases graded at once.
        seed: decides the random inputs.
        repeat: how many seeds the reference is graded from.
        thorough: plug every mutant into every assignment.
        kinds: of cases; all of them unless told.
        watcher: hears of each case.

    Raises:
        SuiteError, ReleaseError: a suite, lesson or mutant can't be used.
    """
    chosen = list(assignments) or list(lesson_paths(course))
    planned = plan_cases(course, chosen, seed=seed, repeat=repeat, thorough=thorough, kinds=kinds)
    return try_cases(course, planned, jobs=jobs, watcher=watcher, proof=Kind.MUTANT in kinds)


def try_cases(
    course: Course,
    planned: Sequence[Planned],
    *,
    jobs: int | None = None,
    watcher: Watcher,
    proof: bool = True,
) -> Verification:
    """Grade cases and compare what each gets with what it must get.

    Args:
        course: whose suites.
        planned: the cases.
        jobs: cases graded at once.
        watcher: hears of each case.
        proof: whether every check must be failed by one of these mutants.

    Raises:
        SuiteError: a suite can't be used.
    """
    chosen = list(dict.fromkeys(case.assignment for case in planned))
    with tempfile.TemporaryDirectory() as folder, Engine(course, assignments=chosen) as engine:
        suites = engine.suites
        submissions = _write(planned, Path(folder))
        work = [
            Job(
                submission=submission,
                suite=suites[case.assignment],
                device="cpu",
                seed=case.seed,
                limits=course.limits,
            )
            for case, submission in zip(planned, submissions, strict=True)
        ]
        slots = jobs or usable_cores()
        graded = grade_jobs(engine, work, Results(None), watcher, slots=slots)
        if not graded.complete:
            raise KeyboardInterrupt
    judged = [
        judge_case(case, graded.by_submission[submission].score, suites[case.assignment])
        for case, submission in zip(planned, submissions, strict=True)
    ]
    return Verification(
        gates=tuple(
            gate(suites[name], [c for c in judged if c.assignment == name], proof=proof)
            for name in chosen
        )
    )


# ---------------------------------------------------------------- as submissions


def _write(cases: Sequence[Planned], folder: Path) -> list[Submission]:
    """Make each case a file, so that it takes a submission's way."""
    submissions = []
    for number, case in enumerate(cases):
        path = folder / f"{number}.ipynb"
        content = json.dumps(_notebook(case.cells)).encode()
        path.write_bytes(content)
        submissions.append(
            Submission(
                student=f"{number} {case.name}",
                assignment=case.assignment,
                path=str(path),
                name=f"{case.name}.ipynb",
                digest=hashlib.sha256(content).hexdigest(),
            )
        )
    return submissions


def _notebook(cells: Iterable[Cell]) -> dict[str, object]:
    return {
        "nbformat": 4,
        "nbformat_minor": 4,
        "metadata": {},
        "cells": [
            {
                "cell_type": "code",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                "source": cell.source,
            }
            for cell in cells
        ],
    }


# ---------------------------------------------------------------- what it must get


def judge_case(case: Planned, result: Score, suite: Suite) -> Case:
    """Compare what a case got with what it must get."""
    possible = {question.id: question.points for question in suite.assignment.questions}
    lost = tuple(
        name for name, points in possible.items() if result.questions.get(name, 0.0) < points
    )
    failed = tuple(
        outcome.check for outcome in result.outcomes if outcome.status is not Status.PASSED
    )
    verdict, explanation = _verdict(case, result, lost)
    return Case(
        assignment=case.assignment,
        kind=case.kind,
        name=case.name,
        verdict=verdict,
        explanation=explanation,
        bug=case.bug,
        origin=case.origin,
        must_lose=case.must_lose,
        lost=lost,
        failed_checks=failed,
        seed=case.seed,
        earned=result.earned,
        at_most=case.at_most,
    )


def _verdict(case: Planned, result: Score, lost: tuple[str, ...]) -> tuple[Verdict, str]:
    if result.state is not State.GRADED:
        return Verdict.UNGRADED, result.ending.message
    if case.kind is Kind.TEMPLATE:
        earned = [o.check for o in result.outcomes if o.earned > 0]
        return (
            (Verdict.TEMPLATE_EARNS, f"passes {', '.join(earned)}") if earned else (Verdict.OK, "")
        )
    if case.at_most is not None:
        return _verdict_on_fake(result, case.at_most)
    if case.kind is not Kind.MUTANT:
        return (Verdict.RIGHT_CODE_LOSES, _first_failure(result)) if lost else (Verdict.OK, "")
    survived = [name for name in case.must_lose if name not in lost]
    elsewhere = [name for name in lost if name not in case.must_lose]
    if survived:
        return Verdict.SURVIVES, f"keeps all points of {', '.join(survived)}"
    if elsewhere:
        return (
            Verdict.LOSES_ELSEWHERE,
            f"{', '.join(elsewhere)}: {_first_failure(result, elsewhere)}",
        )
    return Verdict.OK, ""


def _verdict_on_fake(result: Score, at_most: float) -> tuple[Verdict, str]:
    if result.earned <= at_most:
        return Verdict.OK, ""
    passed = [o.check for o in result.outcomes if o.earned > 0]
    explanation = f"{result.earned:g} points, at most {at_most:g}: passes {', '.join(passed)}"
    return Verdict.FAKE_EARNS, explanation


def _first_failure(result: Score, questions: Sequence[str] = ()) -> str:
    for outcome in result.outcomes:
        if outcome.status is not Status.PASSED and (not questions or outcome.question in questions):
            return f"{outcome.check}: {outcome.detail or outcome.message or outcome.status.value}"
    return result.ending.message


def gate(suite: Suite, cases: Sequence[Case], *, proof: bool = True) -> AssignmentGate:
    """Put the cases of one assignment together and find the checks that no mutant fails.

    Without `proof` nobody asks: where no mutants were tried, there are such checks.
    """
    own = [case for case in cases if case.kind is Kind.MUTANT and not case.origin]
    failed = {check for case in own for check in case.failed_checks}
    return AssignmentGate(
        assignment=suite.assignment.id,
        questions=tuple(question.id for question in suite.assignment.questions),
        cases=tuple(cases),
        unproven=tuple(c.id for c in suite.checks if proof and c.id not in failed),
    )

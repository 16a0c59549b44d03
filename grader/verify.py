"""The gate on suites: nobody trusts a score whose checks were never tried on wrong answers.

Every case goes through the same wall as a submission:

- the *reference*, as the solved notebook, gets all points, from every seed that is tried;
- the untouched *template* gets none;
- correct code in another *style* gets all points;
- a *mutant*, the reference with one known bug, loses points in the questions that it names and in
  no other, neither here nor, plugged into the other assignments' notebooks, there;
- every check is failed by some mutant: one that nothing fails proves nothing.
"""

from __future__ import annotations

import ast
import enum
import hashlib
import json
import re
import tempfile
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from grader.config import Course
from grader.lessons import Lesson, lesson_path, lesson_paths, read_lesson
from grader.model import Cell, Job, Score, State, Status, Submission, Suite, Value
from grader.mutants import Mutant, apply, build_cells, load_mutants
from grader.release import solution_sources, template_cells
from grader.scheduler import Engine, usable_cores
from grader.scoring import score
from grader.suites import suite_files


class Kind(str, enum.Enum):
    """What a case is, and so what it must get."""

    REFERENCE = "reference"
    TEMPLATE = "template"
    STYLE = "style"
    MUTANT = "mutant"


class Verdict(str, enum.Enum):
    """What became of a case; all but the first are failures of the gate."""

    OK = "ok"
    RIGHT_CODE_LOSES = "right code loses"
    TEMPLATE_EARNS = "template earns"
    SURVIVES = "mutant survives"
    LOSES_ELSEWHERE = "mutant loses elsewhere"
    UNGRADED = "not graded"


class Case(Value, frozen=True):
    """One submission of the gate, judged. `lost` are the questions without full points."""

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


class Watcher(Protocol):
    """Sees the gate's cases as they are graded."""

    def start(self, jobs: int, title: str = ...) -> None:
        """So many cases will be graded."""

    def finished(self, score: Score) -> None:
        """One case has its score."""


class _Planned(Value, frozen=True):
    """A case before it is graded. `origin` is the mutant's own assignment when it is plugged in."""

    assignment: str
    kind: Kind
    name: str
    cells: tuple[Cell, ...]
    seed: int
    bug: str = ""
    must_lose: tuple[str, ...] = ()
    origin: str = ""


def verify(
    course: Course,
    *,
    assignments: Sequence[str] = (),
    jobs: int | None = None,
    seed: int = 0,
    repeat: int = 1,
    thorough: bool = False,
    watcher: Watcher,
) -> Verification:
    """Run the gate.

    Args:
        course: whose suites.
        assignments: ids; all that have a lesson when empty.
        jobs: cases graded at once.
        seed: decides the random inputs.
        repeat: how many seeds the reference is graded from.
        thorough: plug every mutant into every assignment, even where nothing mentions its names.
        watcher: hears of each case.

    Raises:
        SuiteError, ReleaseError: a suite, lesson or mutant can't be used.
    """
    chosen = list(assignments) or list(lesson_paths(course))
    planned = [
        case
        for name in chosen
        for case in plan_cases(course, name, seed=seed, repeat=repeat, thorough=thorough)
    ]
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
        watcher.start(len(work), "Verifying")
        scores: dict[str, Score] = {}
        for run in engine.run(work, jobs or usable_cores()):
            result = score(run, suites[run.submission.assignment])
            scores[run.submission.student] = result
            watcher.finished(result)
    judged = [
        judge_case(case, scores[submission.student], suites[case.assignment])
        for case, submission in zip(planned, submissions, strict=True)
    ]
    return Verification(
        gates=tuple(
            gate(suites[name], [c for c in judged if c.assignment == name]) for name in chosen
        )
    )


# ---------------------------------------------------------------- what is tried


def plan_cases(
    course: Course, assignment: str, *, seed: int, repeat: int, thorough: bool = False
) -> list[_Planned]:
    """Everything that is tried on one assignment's suite."""
    solved = build_cells(course, assignment)
    cases = [
        _Planned(assignment, Kind.REFERENCE, "reference", solved, seed + number)
        for number in range(repeat)
    ]
    cases.append(
        _Planned(assignment, Kind.TEMPLATE, "template", template_cells(course, assignment), seed)
    )
    for path in style_files(course, assignment):
        cell = Cell(number=1, source=path.read_text(encoding="utf-8"))
        cases.append(_Planned(assignment, Kind.STYLE, path.stem, (cell,), seed))
    for mutant in load_mutants(course):
        own = mutant.assignment == assignment
        if not own and not (thorough or can_reach(course, mutant.assignment, assignment)):
            continue
        cells = with_mutant(course, assignment, mutant)
        must_lose, origin = (mutant.loses, "") if own else ((), mutant.assignment)
        cases.append(
            _Planned(
                assignment, Kind.MUTANT, mutant.name, cells, seed, mutant.bug, must_lose, origin
            )
        )
    return cases


def style_files(course: Course, assignment: str) -> list[Path]:
    """Correct implementations in other styles: `ASSIGNMENT_STYLE.py` in the course's `styles`."""
    if course.styles is None:
        return []
    return sorted(course.styles.glob(f"{assignment}_*.py"))


def with_mutant(course: Course, assignment: str, mutant: Mutant) -> tuple[Cell, ...]:
    """A mutant's answers, handed in for one assignment: imports and answers without the demos.

    In another assignment they are plugged in as a student would paste their own earlier work:
    before the first answer; what this lesson asks for itself stays its own.
    """
    lesson = read_lesson(lesson_path(course, assignment))
    answers = solution_sources(course, lesson)
    pasted: list[str] = []
    if mutant.assignment == assignment:
        answers = apply(mutant, answers)
    else:
        other = read_lesson(lesson_path(course, mutant.assignment))
        wrong = apply(mutant, solution_sources(course, other))
        pasted = imports(other) + [text for name, text in wrong.items() if name not in answers]
    sources = [*imports(lesson), *pasted, *definitions(lesson), *answers.values()]
    return tuple(Cell(number=number, source=text) for number, text in enumerate(sources, 1))


@lru_cache(maxsize=64)
def can_reach(course: Course, origin: str, assignment: str) -> bool:
    """Whether one assignment's answers can matter in another: its answers or checks name them."""
    own = solution_sources(course, read_lesson(lesson_path(course, assignment)))
    names = solution_sources(course, read_lesson(lesson_path(course, origin))).keys() - own.keys()
    texts = list(own.values())
    for folder in (course.checks, course.suites):
        texts += [path.read_text(encoding="utf-8") for path in suite_files(folder, assignment)]
    words = {word for text in texts for word in re.findall(r"\w+", text)}
    return bool(names & words)


def imports(lesson: Lesson) -> list[str]:
    """The code cells of a lesson that come before its first answer and heading of a part."""
    sources = []
    for cell in lesson.cells:
        if cell.solution is not None:
            break
        if cell.kind == "code" and cell.question is None and _only_prepares(cell.source):
            sources.append(cell.source)
    return sources


def definitions(lesson: Lesson) -> list[str]:
    """The functions and classes that a lesson gives to its students, for their answers to use."""
    sources = []
    for cell in lesson.cells:
        if cell.kind == "code" and cell.solution is None and cell.question is None:
            try:
                body = ast.parse(cell.source).body
            except SyntaxError:
                continue
            given = [node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
            sources += [ast.unparse(node) for node in given]
    return sources


def _only_prepares(source: str) -> bool:
    """Whether a cell imports, or sets constants, and shows nothing."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return False
    return any(
        isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.walk(ast.Module(body, []))
    )


def _write(cases: Sequence[_Planned], folder: Path) -> list[Submission]:
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


def judge_case(case: _Planned, result: Score, suite: Suite) -> Case:
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
    )


def _verdict(case: _Planned, result: Score, lost: tuple[str, ...]) -> tuple[Verdict, str]:
    if result.state is not State.GRADED:
        return Verdict.UNGRADED, result.ending.message
    if case.kind is Kind.TEMPLATE:
        earned = [o.check for o in result.outcomes if o.earned > 0]
        return (
            (Verdict.TEMPLATE_EARNS, f"passes {', '.join(earned)}") if earned else (Verdict.OK, "")
        )
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


def _first_failure(result: Score, questions: Sequence[str] = ()) -> str:
    for outcome in result.outcomes:
        if outcome.status is not Status.PASSED and (not questions or outcome.question in questions):
            return f"{outcome.check}: {outcome.detail or outcome.message or outcome.status.value}"
    return result.ending.message


def gate(suite: Suite, cases: Sequence[Case]) -> AssignmentGate:
    """Put the cases of one assignment together and find the checks that nothing fails."""
    own = [case for case in cases if case.kind is Kind.MUTANT and not case.origin]
    failed = {check for case in own for check in case.failed_checks}
    return AssignmentGate(
        assignment=suite.assignment.id,
        questions=tuple(question.id for question in suite.assignment.questions),
        cases=tuple(cases),
        unproven=tuple(check.id for check in suite.checks if check.id not in failed),
    )

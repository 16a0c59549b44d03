"""Gradebooks of any size, as like a real class as chance allows: for tests of reports."""

from __future__ import annotations

import random

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
)
from grader.model import CellError, Ending, EndingKind, Isolation, Status, total

TITLES = (
    "Embeddings", "Blocks", "The full model", "Weight tying", "Memory estimation", "Generation",
)  # fmt: skip
MESSAGES = (
    "the sum: not as expected; expected 3, got 4",
    "your code raised TypeError (code cell 7, line 3: return x + None)",
    "not implemented yet (code cell 3, line 2: raise NotImplementedError())",
)


def assignment(title: str, questions: int, checks: int) -> AssignmentReport:
    """An assignment with so many questions of so many checks, half a point each."""
    name = title.lower().replace(" ", "_")
    return AssignmentReport(
        id=name,
        title=title,
        points=questions * checks / 2,
        questions=tuple(
            QuestionReport(
                id=f"q{q}",
                title=f"What question {q} is about",
                points=checks / 2,
                checks=tuple(
                    CheckReport(
                        id=f"test_{q}_{c}",
                        title=f"Claim {c} about `thing_{q}` holds for every input",
                        points=0.5,
                        public=q == 0,
                        hint="Compare it with the formula in the notebook.",
                    )
                    for c in range(checks)
                ),
            )
            for q in range(questions)
        ),
    )


def scored(student: str, asked: AssignmentReport, ability: float, chance: random.Random) -> Score:
    """What a student of this ability, between 0 and 1, gets."""
    outcomes = []
    for question in asked.questions:
        for place, check in enumerate(question.checks):
            right = chance.random() < ability + 0.3 - 0.1 * place
            status = Status.PASSED if right else chance.choice((Status.FAILED, Status.ERROR))
            outcomes.append(
                ScoredOutcome(
                    check=check.id,
                    question=question.id,
                    status=status,
                    earned=check.points if right else 0.0,
                    possible=check.points,
                    message="" if right else chance.choice(MESSAGES),
                    detail="" if right else "expected 0.25, got 0.5 at (0, 1, 2)",
                )
            )
    state = chance.choices(
        (State.GRADED, State.MISSING, State.UNGRADED), (0.93, 0.06, 0.01)
    )[0]  # fmt: skip
    graded = state is State.GRADED
    stopped = graded and chance.random() < 0.02
    kind = EndingKind.COMPLETED if graded else EndingKind.UNREADABLE
    return Score(
        student=student,
        assignment=asked.id,
        state=state,
        earned=total(outcome.earned for outcome in outcomes) if graded else 0.0,
        possible=asked.points,
        ending=Ending(kind=EndingKind.MEMORY, message="asked for more than 4 GiB")
        if stopped
        else Ending(kind=kind),
        questions={
            question.id: total(o.earned for o in outcomes if o.question == question.id)
            for question in asked.questions
        }
        if graded
        else {},
        outcomes=tuple(outcomes) if graded else (),
        cell_errors=(CellError(cell=3, error="NameError", message="no x", line=2),)
        if graded and ability < 0.3
        else (),
        output="a line that a notebook prints\n" * 20 if graded else "",
        file=f"{asked.id}.ipynb",
        digest="0" * 64,
    )


def gradebook(
    students: int, *, assignments: int = 6, questions: int = 6, checks: int = 5
) -> Gradebook:
    """A class; the same arguments give the same one."""
    chance = random.Random(students)
    asked = tuple(assignment(title, questions, checks) for title in TITLES[:assignments])
    scores = []
    for number in range(students):
        ability = chance.betavariate(3, 2)
        scores += [scored(f"student{number:04}", one, ability, chance) for one in asked]
    return Gradebook(
        schema_version=SCHEMA_VERSION,
        course="transformer",
        course_title="Build a Transformer",
        assignments=asked,
        scores=tuple(scores),
        problems=(),
        isolation=Isolation(mode="full", layers=("namespaces", "landlock", "seccomp")),
        run=RunInfo(started_at="2026-01-01T00:00:00+00:00", seconds=100.0),
    )

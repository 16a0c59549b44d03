from __future__ import annotations

import pytest

from grader.gradebook import (
    SCHEMA_VERSION,
    AssignmentReport,
    CheckReport,
    Gradebook,
    QuestionReport,
    RunInfo,
)
from grader.model import (
    Assignment,
    CellError,
    Check,
    Ending,
    EndingKind,
    Isolation,
    Outcome,
    Problem,
    Question,
    Run,
    Status,
    Submission,
    Suite,
)
from grader.scoring.points import missing, score

SECRET = "hidden-input-4711"


@pytest.fixture
def suite() -> Suite:
    return Suite(
        assignment=Assignment(
            id="embeddings",
            title="Embeddings",
            questions=(
                Question(id="shapes", title="Shapes", points=3),
                Question(id="scale", title="Scale by sqrt(d_model)", points=2),
                Question(id="extra", title="Extra", points=1, bonus=True),
            ),
        ),
        checks=(
            Check(
                id="test_shapes",
                question="shapes",
                title="The output is `(B, T, d_model)`",
                points=3,
                public=True,
                hint="Look at `x.shape`.",
            ),
            Check(
                id="test_scale",
                question="scale",
                title="Token vectors are scaled",
                points=2,
                public=False,
                hint="Multiply once.",
            ),
            Check(id="test_extra", question="extra", title="More", points=1, public=False),
        ),
        files=(),
        digest="",
    )


@pytest.fixture
def assignment(suite) -> AssignmentReport:
    return AssignmentReport(
        id=suite.assignment.id,
        title=suite.assignment.title,
        points=suite.assignment.points,
        questions=tuple(
            QuestionReport(
                id=question.id,
                title=question.title,
                points=question.points,
                bonus=question.bonus,
                checks=tuple(
                    CheckReport(
                        id=check.id,
                        title=check.title,
                        points=check.points,
                        public=check.public,
                        hint=check.hint,
                    )
                    for check in suite.checks
                    if check.question == question.id
                ),
            )
            for question in suite.assignment.questions
        ),
    )


@pytest.fixture
def make_score(suite):
    """A score from a list of statuses, in the order of the suite's checks."""

    def make(student="ada", statuses=(Status.PASSED,) * 3, message="", **run):
        outcomes = tuple(
            Outcome(check=check.id, status=status, message=message, detail=SECRET)
            for check, status in zip(suite.checks, statuses, strict=True)
        )
        submission = Submission(
            student=student,
            assignment="embeddings",
            path="p",
            name="embeddings.ipynb",
            digest="0" * 64,
        )
        return score(Run(submission=submission, outcomes=outcomes, **run), suite)

    return make


@pytest.fixture
def gradebook(suite, assignment, make_score) -> Gradebook:
    failed = (Status.PASSED, Status.FAILED, Status.SKIPPED)
    return Gradebook(
        schema_version=SCHEMA_VERSION,
        course="transformer",
        assignments=(assignment,),
        scores=(
            make_score("ada"),
            make_score(
                "bo",
                failed,
                message="the result has the wrong shape",
                cell_errors=(CellError(cell=3, error="NameError", message="no x", line=2),),
                output="hello\n",
            ),
            make_score(
                "chen", ending=Ending(kind=EndingKind.FAULT, message="a worker was not built")
            ),
            missing("dmitri", suite),
        ),
        problems=(
            Problem(
                kind="ambiguous",
                message="two files could be meant",
                where="submissions/bo",
                hint="keep one",
                student="bo",
                assignment="embeddings",
            ),
        ),
        isolation=Isolation(mode="full", layers=("namespaces", "landlock", "seccomp")),
        run=RunInfo(started_at="2026-01-01T00:00:00+00:00", seconds=1.5, host="h"),
    )

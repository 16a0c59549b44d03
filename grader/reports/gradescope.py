"""`results.json` as Gradescope reads it: a test for each check that a student may see named.

Public checks are visible at once. Hidden ones become visible when the instructor publishes the
grades: as long as a test is not visible, Gradescope shows no total either.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from grader.gradebook import Score
from grader.model import Status
from grader.reports.feedback import CheckFeedback, Feedback, QuestionFeedback
from grader.text import json_document, one_line, printable

VISIBLE, LATER = "visible", "after_published"


class Test(msgspec.Struct, omit_defaults=True):
    """One test of `results.json`."""

    __test__ = False  # for pytest, whatever it is called

    name: str
    score: float
    max_score: float
    number: str
    status: str
    visibility: str
    output: str = ""
    name_format: str = "text"
    output_format: str = "text"


def encode(score: Score, feedback: Feedback) -> bytes:
    """Return one student's results in one assignment."""
    tests = [
        test
        for number, question in enumerate(feedback.questions, start=1)
        for test in _tests(question, number)
    ]
    document = {
        "score": score.earned,
        "output": printable("\n\n".join(_remarks(feedback))),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "tests": tests,
    }
    return json_document(msgspec.json.format(msgspec.json.encode(document), indent=2)) + b"\n"


def _tests(question: QuestionFeedback, number: int) -> Iterator[Test]:
    title = one_line(question.title) + (" (bonus)" if question.bonus else "")
    for place, check in enumerate(question.checks, start=1):
        yield Test(
            name=f"{title}: {one_line(check.title)}",
            score=check.earned,
            max_score=check.possible,
            number=f"{number}.{place}",
            status="passed" if check.status is Status.PASSED else "failed",
            visibility=VISIBLE if check.public else LATER,
            output=_output(check),
        )
    if question.mark is not None:
        yield Test(
            name=title,
            score=question.earned,
            max_score=question.possible,
            number=f"{number}.1",
            status="passed" if question.earned >= question.possible else "failed",
            visibility=LATER,
            output=printable("\n".join((*question.mark.lines, *question.mark.comment))),
        )
    if question.summary:
        earned = question.earned - sum(check.earned for check in question.checks)
        possible = question.possible - sum(check.possible for check in question.checks)
        yield Test(
            name=f"{title}: hidden checks",
            score=round(earned, 6),
            max_score=round(possible, 6),
            number=f"{number}.{len(question.checks) + 1}",
            status="passed" if earned >= possible else "failed",
            visibility=LATER,
            output=question.summary,
        )


def _output(check: CheckFeedback) -> str:
    lines = [check.word, *check.lines]
    if check.hint:
        lines.append(f"Hint: {check.hint}")
    return "" if check.status is Status.PASSED else printable("\n".join(lines))


def _remarks(feedback: Feedback) -> Iterator[str]:
    yield f"{feedback.score} points"
    for notice in feedback.notices:
        yield f"{notice.strong} {notice.text}".strip()
    yield from feedback.changes
    for error in feedback.cell_errors:
        line = "" if error.line is None else f", line {error.line}"
        yield f"Cell {error.cell}{line}: {error.error}: {error.message}"
    yield f"What to do next: {feedback.advice}"

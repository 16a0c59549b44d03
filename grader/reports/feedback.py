"""`feedback/STUDENT/ASSIGNMENT.md`: what a student reads.

Titles, statuses, points, the author's hints and the messages that may be shown. An outcome's
`detail` can hold hidden values and is not looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.model import (
    AssignmentReport,
    CellError,
    CheckReport,
    EndingKind,
    Isolation,
    QuestionReport,
    Score,
    ScoredOutcome,
    State,
    Status,
)
from grader.reports.text import code_block, code_span, markdown, points, printable, shortened

OUTPUT_LIMIT = 8_000
MESSAGE_LIMIT = 2_000
MESSAGE_LINES = 12
SOURCE_LINE_LIMIT = 200
CELL_ERRORS = 20

SYMBOLS = {
    Status.PASSED: "✓",
    Status.FAILED: "✗",
    Status.ERROR: "✗",
    Status.TIMEOUT: "⏱",
    Status.SKIPPED: "–",
}
WORDS = {
    Status.PASSED: "passed",
    Status.FAILED: "failed",
    Status.ERROR: "stopped by an error",
    Status.TIMEOUT: "took too long",
    Status.SKIPPED: "not tried",
}


def render(score: Score, assignment: AssignmentReport, isolation: Isolation | None) -> str:
    """Return one student's feedback on one assignment as Markdown."""
    sections = [
        _heading(score, assignment),
        *_notices(score, isolation),
        *_questions(score, assignment),
        *_cell_errors(score.cell_errors),
        _next_steps(score, assignment),
        *_output(score.output),
    ]
    return "\n\n".join(sections) + "\n"


def remarks(score: Score, isolation: Isolation | None) -> str:
    """Return what is to be said about the whole notebook, as Markdown; often nothing."""
    return "\n\n".join([*_notices(score, isolation), *_cell_errors(score.cell_errors)])


def question(score: Score, question: QuestionReport) -> str:
    """Return one question's points and checks as Markdown."""
    if score.state is State.UNGRADED:
        return f"**{_question_title(question)}:** not graded yet"
    outcomes = {outcome.check: outcome for outcome in score.outcomes}
    earned = points(score.questions.get(question.id, 0.0))
    lines = [f"**{_question_title(question)}: {earned} of {points(question.points)} points**", ""]
    for check in question.checks:
        if check.id in outcomes:
            lines += _check(check, outcomes[check.id])
    return "\n".join(lines)


def _heading(score: Score, assignment: AssignmentReport) -> str:
    title = markdown(assignment.title)
    lines = [
        f"# {title}: not graded"
        if score.state is State.UNGRADED
        else f"# {title}: {_of(score)} points"
    ]
    facts = [f"Student: {code_span(score.student)}"]
    if score.file:
        facts.append(f"File: {code_span(score.file)}")
    lines += ["", " · ".join(facts)]
    return "\n".join(lines)


def _of(score: Score) -> str:
    return f"{points(score.earned)} of {points(score.possible)}"


def _notices(score: Score, isolation: Isolation | None) -> Iterator[str]:
    reason = markdown(score.ending.message)
    if score.ending.kind is EndingKind.UNREADABLE:
        yield f"> **The file could not be read:** {reason or 'it is no notebook'}"
    elif score.ending.ours:
        yield (
            "> **This is the grader's fault, not yours.** Your work was not graded, and has not "
            "lost a point. Your instructor has been told."
        )
    elif score.state is State.MISSING:
        yield "> **Nothing was handed in.**"
    elif score.ending.kind is not EndingKind.COMPLETED:
        yield f"> **Your code was stopped:** {reason or ENDINGS[score.ending.kind]}"
    if isolation is not None and isolation.mode == "off":
        yield "> This grading ran without isolation: nothing kept submissions from each other."


ENDINGS = {
    EndingKind.EXITED: "it ended the Python process",
    EndingKind.SIGNAL: "the Python process crashed",
    EndingKind.TIME: "it took longer than a submission may",
    EndingKind.MEMORY: "it used more memory than a submission may",
    EndingKind.OUTPUT: "it printed more than a submission may",
    EndingKind.PROCESSES: "it started more threads or processes than a submission may",
    EndingKind.DISK: "it wrote more to disk than a submission may",
    EndingKind.PROTOCOL: "it disturbed the exchange with the grader",
}


def _questions(score: Score, assignment: AssignmentReport) -> Iterator[str]:
    if not score.outcomes:
        return
    outcomes = {outcome.check: outcome for outcome in score.outcomes}
    yield "## Your score"
    rows = ["| question | points |", "| --- | ---: |"]
    for question in assignment.questions:
        earned = points(score.questions.get(question.id, 0.0))
        rows.append(
            f"| {_table_cell(_question_title(question))} | {earned} of {points(question.points)} |"
        )
    rows.append(f"| **Total** | **{_of(score)}** |")
    yield "\n".join(rows)
    yield "## The checks"
    for question in assignment.questions:
        lines = [f"### {_question_title(question)}", ""]
        for check in question.checks:
            if check.id in outcomes:
                lines += _check(check, outcomes[check.id])
        yield "\n".join(lines)


def _question_title(question: QuestionReport) -> str:
    return markdown(question.title) + (" (bonus)" if question.bonus else "")


def _table_cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", text)  # code spans do not protect a `|` in a table


def _check(check: CheckReport, outcome: ScoredOutcome) -> Iterator[str]:
    kind = "public" if check.public else "hidden"
    earned = f"{points(outcome.earned)} of {points(outcome.possible)}"
    title = f"{SYMBOLS[outcome.status]} **{markdown(check.title)}**"
    yield f"- {title} ({kind}): {WORDS[outcome.status]}, {earned}"
    if outcome.status is Status.PASSED:
        return
    for line in _message_lines(outcome.message):
        yield f"    - {line}"
    if check.hint:
        yield f"    - Hint: {markdown(check.hint)}"


def _message_lines(message: str) -> Iterator[str]:
    lines = [line for line in printable(message[:MESSAGE_LIMIT]).split("\n") if line.strip()]
    for line in lines[:MESSAGE_LINES]:
        yield markdown(line)
    if len(lines) > MESSAGE_LINES or len(message) > MESSAGE_LIMIT:
        yield "…"


def _cell_errors(errors: tuple[CellError, ...]) -> Iterator[str]:
    if not errors:
        return
    yield "## Cells that raised an error"
    lines = ["Cells are counted as in your notebook: code cells only, from 1.", ""]
    for error in errors[:CELL_ERRORS]:
        line = "" if error.line is None else f", line {error.line}"
        what = code_span(f"{error.error}: {error.message[:MESSAGE_LIMIT]}")
        lines.append(f"- Cell {error.cell}{line}: {what}")
        if error.source_line.strip():
            lines.append(f"    - {code_span(error.source_line[:SOURCE_LINE_LIMIT])}")
    if len(errors) > CELL_ERRORS:
        lines.append(f"- … and {len(errors) - CELL_ERRORS} more")
    yield "\n".join(lines)


def _next_steps(score: Score, assignment: AssignmentReport) -> str:
    return "## What to do next\n\n" + _advice(score, assignment)


def _advice(score: Score, assignment: AssignmentReport) -> str:
    if score.ending.kind is EndingKind.UNREADABLE:
        return (
            "Open the file in Jupyter, save it as a notebook (`.ipynb`), and tell your instructor."
        )
    if score.state is State.UNGRADED:
        return "Nothing. If no score follows, ask your instructor."
    if score.state is State.MISSING:
        return "If you did hand it in, tell your instructor under which name."
    statuses = {outcome.check: outcome.status for outcome in score.outcomes}
    open_checks = [
        check
        for question in assignment.questions
        for check in question.checks
        if statuses.get(check.id) is not Status.PASSED
    ]
    if not open_checks:
        return "Nothing: every check passed. Well done!"
    if score.cell_errors:
        cell = score.cell_errors[0].cell
        return (
            f"Begin with cell {cell}: what it should have defined is missing in every cell and "
            "check after it. Then restart the kernel and run all cells from the top."
        )
    return f"Begin with the first check that did not pass: “{markdown(open_checks[0].title)}”."


def _output(output: str) -> Iterator[str]:
    if output.strip():
        yield "## What your notebook printed"
        yield code_block(shortened(output, OUTPUT_LIMIT))

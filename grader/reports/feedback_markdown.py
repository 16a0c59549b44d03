"""`feedback/STUDENT/ASSIGNMENT.md`: what a student reads, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.gradebook import AssignmentReport, QuestionReport, Score, State
from grader.model import Isolation, Status
from grader.reports.choices import Hidden, Visibility
from grader.reports.feedback import CheckFeedback, Feedback, QuestionFeedback, compose
from grader.text import code_block, code_span, markdown, points, sentence


def render(
    score: Score,
    assignment: AssignmentReport,
    isolation: Isolation | None,
    hidden: Hidden = Hidden.TITLES,
) -> str:
    """Return one student's feedback on one assignment as Markdown."""
    return write(compose(score, assignment, isolation, hidden))


def write(feedback: Feedback) -> str:
    """Write feedback down as Markdown."""
    sections = [
        _heading(feedback),
        *_notices(feedback),
        *_questions(feedback),
        *_cell_errors(feedback),
        f"## What to do next\n\n{markdown(feedback.advice)}",
    ]
    if feedback.output:
        sections += ["## What your notebook printed", code_block(feedback.output)]
    return "\n\n".join(sections) + "\n"


def remarks(score: Score, isolation: Isolation | None) -> str:
    """Return what is to be said about the whole notebook, as Markdown; often nothing."""
    feedback = compose(score, _only(score), isolation)
    return "\n\n".join([*_notices(feedback), *_cell_errors(feedback)])


def question(score: Score, question: QuestionReport) -> str:
    """Return one question's points and checks as Markdown."""
    if score.state is State.UNGRADED:
        return f"**{_title(question)}:** not graded yet"
    worth = f"{points(score.questions.get(question.id, 0.0))} of {points(question.points)}"
    lines = [f"**{_title(question)}: {worth} points**", ""]
    for one in compose(score, _only(score, question), None).questions:
        lines += [line for check in one.checks for line in _check(check)]
    return "\n".join(lines)


def _only(score: Score, *questions: QuestionReport) -> AssignmentReport:
    """Just so much of an assignment as is to be written about."""
    return AssignmentReport(
        id=score.assignment, title="", points=score.possible, questions=questions
    )


def _heading(feedback: Feedback) -> str:
    score = f"{feedback.score} points" if feedback.score else "not graded"
    name = f"{markdown(feedback.name)} " if feedback.name else ""
    facts = [f"Student: {name}{code_span(feedback.student)}"]
    if feedback.file:
        facts.append(f"File: {code_span(feedback.file)}")
    lines = [f"# {markdown(feedback.title)}: {score}", " · ".join(facts)]
    if feedback.handed_in:
        lines.append(markdown(sentence(feedback.handed_in)))
    if feedback.attempts:
        lines.append("\n".join(f"- {markdown(sentence(one))}" for one in feedback.attempts))
    return "\n\n".join(lines)


def _notices(feedback: Feedback) -> Iterator[str]:
    for notice in feedback.notices:
        strong = [f"**{notice.strong}**"] if notice.strong else []
        yield " ".join([">", *strong, *([markdown(notice.text)] if notice.text else [])])


def _questions(feedback: Feedback) -> Iterator[str]:
    if not feedback.questions:
        return
    yield "## Your score"
    rows = ["| question | points |", "| --- | ---: |"]
    for question in feedback.questions:
        earned = f"{points(question.earned)} of {points(question.possible)}"
        if question.waits:
            earned = f"not marked yet, of {points(question.possible)}"
        rows.append(f"| {_table_cell(_title(question))} | {earned} |")
    rows += [f"| {_table_cell(markdown(change))} | |" for change in feedback.changes]
    rows.append(f"| **Total** | **{feedback.score or 'not complete'}** |")
    yield "\n".join(rows)
    yield "## The checks"
    for question in feedback.questions:
        lines = [f"### {_title(question)}", ""]
        for check in question.checks:
            lines += _check(check)
        lines += _mark(question)
        if question.summary:
            lines.append(f"- {markdown(question.summary)}")
        yield "\n".join(lines)


def _mark(question: QuestionFeedback) -> Iterator[str]:
    """What a person said of the answer, as items of a list."""
    if question.waits:
        yield "- Nobody has marked it yet"
    if question.mark is not None:
        yield from (f"- {markdown(line)}" for line in question.mark.lines)
        yield from (f"- {markdown(line)}" for line in question.mark.comment)
        if not question.mark.lines and not question.mark.comment:
            yield "- No remark"


def _title(question: QuestionFeedback | QuestionReport) -> str:
    return markdown(question.title) + (" (bonus)" if question.bonus else "")


def _table_cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", text)  # code spans do not protect a `|` in a table


def _check(check: CheckFeedback) -> Iterator[str]:
    kind = Visibility.of(check)
    earned = f"{points(check.earned)} of {points(check.possible)}"
    yield f"- {check.symbol} **{markdown(check.title)}** ({kind}): {check.word}, {earned}"
    if check.status is Status.PASSED:
        return
    for line in check.lines:
        yield f"    - {markdown(line)}"
    if check.hint:
        yield f"    - Hint: {markdown(check.hint)}"


def _cell_errors(feedback: Feedback) -> Iterator[str]:
    if not feedback.cell_errors:
        return
    yield "## Cells that raised an error"
    lines = ["Cells are counted as in your notebook: code cells only, from 1.", ""]
    for error in feedback.cell_errors:
        line = "" if error.line is None else f", line {error.line}"
        lines.append(f"- Cell {error.cell}{line}: {code_span(f'{error.error}: {error.message}')}")
        if error.source_line.strip():
            lines.append(f"    - {code_span(error.source_line)}")
    if feedback.more_cell_errors:
        lines.append(f"- … and {feedback.more_cell_errors} more")
    yield "\n".join(lines)

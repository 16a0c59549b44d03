"""What a student gets to read, as plain text; `feedback_markdown` and `html` write it down.

Titles, statuses, points, the author's hints and the messages that may be shown. An outcome's
`detail` can hold hidden values and is not looked at here. Nothing here is escaped yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from grader.gradebook import (
    AppliedRule,
    AssignmentReport,
    CheckReport,
    Marked,
    QuestionReport,
    Score,
    ScoredOutcome,
    State,
)
from grader.model import CellError, EndingKind, Isolation, Pythons, Status, Value, total
from grader.reports import unusable
from grader.reports.choices import Hidden
from grader.reports.timing import attempts, handed_in
from grader.text import points, printable, shortened

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
ENDINGS: dict[EndingKind, str] = {
    EndingKind.EXITED: "it ended the Python process",
    EndingKind.SIGNAL: "the Python process crashed",
    EndingKind.TIME: "it took longer than a submission may",
    EndingKind.MEMORY: "it used more memory than a submission may",
    EndingKind.OUTPUT: "it printed more than a submission may",
    EndingKind.PROCESSES: "it started more threads or processes than a submission may",
    EndingKind.DISK: "it wrote more to disk than a submission may",
    EndingKind.PROTOCOL: "it disturbed the exchange with the grader",
}


class Notice(Value, frozen=True):
    """Something that comes before the score: `strong` says what, `text` more about it."""

    strong: str
    text: str = ""


class CheckFeedback(Value, frozen=True):
    """One check. `lines` say what went wrong."""

    title: str
    public: bool
    status: Status
    earned: float
    possible: float
    lines: tuple[str, ...] = ()
    hint: str = ""

    @property
    def symbol(self) -> str:
        """One character for the status."""
        return SYMBOLS[self.status]

    @property
    def word(self) -> str:
        """The status in words."""
        return WORDS[self.status]


class MarkFeedback(Value, frozen=True):
    """What a person said of an answer. `lines` are rubric items and what was given besides."""

    lines: tuple[str, ...]
    comment: tuple[str, ...] = ()


class QuestionFeedback(Value, frozen=True):
    """A question with the checks that are named. `summary` is about those that are not.

    `mark` is what a person said, where one marks it; `waits` whether nobody has yet.
    """

    title: str
    bonus: bool
    earned: float
    possible: float
    checks: tuple[CheckFeedback, ...]
    summary: str = ""
    mark: MarkFeedback | None = None
    waits: bool = False


class Feedback(Value, frozen=True):
    """One student's feedback on one assignment. `score` and `name` are empty if there is none."""

    title: str
    score: str
    student: str
    file: str
    notices: tuple[Notice, ...]
    questions: tuple[QuestionFeedback, ...]
    handed_in: str
    attempts: tuple[str, ...]
    changes: tuple[str, ...]
    cell_errors: tuple[CellError, ...]
    more_cell_errors: int
    advice: str
    output: str
    name: str = ""


def compose(
    score: Score,
    assignment: AssignmentReport,
    isolation: Isolation | None,
    hidden: Hidden = Hidden.TITLES,
    name: str = "",
) -> Feedback:
    """Choose what one student, of this name if it is known, is told about one assignment."""
    graded = score.state not in (State.UNGRADED, State.UNMARKED)
    named = tuple(_questions(score, assignment, hidden)) if score.outcomes else ()
    named += tuple(_marked(score, assignment)) if score.state.has_points else ()
    return Feedback(
        title=assignment.title,
        score=f"{points(score.earned)} of {points(score.possible)}" if graded else "",
        student=score.student,
        file=score.file,
        notices=tuple(_notices(score, isolation)),
        questions=named,
        handed_in=handed_in(score),
        attempts=tuple(attempts(score)),
        changes=tuple(changes(score, assignment, hidden)),
        cell_errors=tuple(_trimmed(error) for error in score.cell_errors[:CELL_ERRORS]),
        more_cell_errors=max(0, len(score.cell_errors) - CELL_ERRORS),
        advice=_advice(score, named),
        output=shortened(score.output, OUTPUT_LIMIT) if score.output.strip() else "",
        name=name,
    )


def changes(
    score: Score, assignment: AssignmentReport, hidden: Hidden = Hidden.TITLES
) -> Iterator[str]:
    """Every rule that changed the score after the checks, in words."""
    for one in score.applied:
        rule = ", ".join(filter(None, (one.rule, _target(one, assignment, hidden))))
        yield f"{signed(one.difference)} ({rule}): {one.reason}"


def _target(one: AppliedRule, assignment: AssignmentReport, hidden: Hidden) -> str:
    """What a change by hand is for, as far as a student may know it; empty for the whole."""
    for question in assignment.questions:
        if question.id == one.question:
            return question.title
        for check in question.checks:
            if check.id == one.check:
                if check.public or hidden is Hidden.TITLES:
                    return check.title
                return question.title if hidden is Hidden.QUESTIONS else ""
    return ""


def _notices(score: Score, isolation: Isolation | None) -> Iterator[Notice]:
    reason = score.ending.message
    if score.ending.kind is EndingKind.UNREADABLE:
        yield Notice(strong=unusable.what(score.ending), text=reason or "it is no notebook")
    elif score.ending.ours:
        yield Notice(
            strong="This is the grader's fault, not yours.",
            text="Your work was not graded, and has not lost a point. "
            "Your instructor has been told.",
        )
    elif score.state is State.MISSING:
        yield Notice(strong="Nothing was handed in.")
    elif score.ending.kind is not EndingKind.COMPLETED:
        yield Notice(strong="Your code was stopped:", text=reason or ENDINGS[score.ending.kind])
    if score.pythons is not None:
        yield _of_pythons(score.pythons)
    if score.state is State.UNMARKED:
        so_far = f"Points so far: {points(score.earned)} of {points(score.possible)}."
        yield Notice(strong="A person has still to read your answers.", text=so_far)
    if isolation is not None and isolation.off:
        yield Notice(
            strong="",
            text="This grading ran without isolation: nothing kept submissions from each other.",
        )


def _of_pythons(pythons: Pythons) -> Notice:
    """What is told of an older Python, which knows less."""
    here = f"graded with Python {pythons.graded_with}"
    if pythons.saved_with:
        strong = f"Your notebook was saved with Python {pythons.saved_with}, and {here}."
        return Notice(
            strong, "What only the newer one knows is an error here, and not where you ran it."
        )
    text = f"Your work was {here}. What only a newer one knows is an error here."
    return Notice("", text)


def _questions(
    score: Score, assignment: AssignmentReport, hidden: Hidden
) -> Iterator[QuestionFeedback]:
    outcomes = {outcome.check: outcome for outcome in score.outcomes}
    for question in (one for one in assignment.questions if not one.manual):
        checks = [check for check in question.checks if check.id in outcomes]
        shown = [check for check in checks if check.public or hidden is Hidden.TITLES]
        unseen = [outcomes[check.id] for check in checks if check not in shown]
        if hidden is Hidden.NONE:
            earned = total(outcomes[check.id].earned for check in shown)
            possible = total(check.points for check in shown)
        else:
            earned, possible = score.questions.get(question.id, 0.0), question.points
        if shown or hidden is not Hidden.NONE:
            yield QuestionFeedback(
                title=question.title,
                bonus=question.bonus,
                earned=earned,
                possible=possible,
                checks=tuple(_check(check, outcomes[check.id]) for check in shown),
                summary=_summary(unseen) if hidden is Hidden.QUESTIONS else "",
            )
    if hidden is Hidden.NONE and (rest := _unnamed(assignment.questions, outcomes)):
        yield rest


def _marked(score: Score, assignment: AssignmentReport) -> Iterator[QuestionFeedback]:
    """The questions that a person marks."""
    titles = {question.id: question.title for question in assignment.questions}
    for mark in score.marks:
        if mark.question in titles:
            yield QuestionFeedback(
                title=titles[mark.question],
                bonus=mark.bonus,
                earned=mark.earned or 0.0,
                possible=mark.possible,
                checks=(),
                mark=None if mark.earned is None else told_mark(mark),
                waits=mark.earned is None,
            )


def told_mark(mark: Marked) -> MarkFeedback:
    """What a person said of an answer, in lines."""
    lines = [f"{signed(item.points)}: {item.text}" for item in mark.rubric]
    if mark.adjusted:
        lines.append(f"{signed(mark.adjusted)}: by the marker")
    return MarkFeedback(tuple(lines), tuple(message_lines(mark.comment)))


def signed(value: float) -> str:
    """Points with their sign, as people write it."""
    sign = "+" if value > 0 else "\u2212" if value else "±"
    return f"{sign}{points(abs(value))}"


def _summary(unseen: list[ScoredOutcome]) -> str:
    if not unseen:
        return ""
    passed = sum(outcome.status is Status.PASSED for outcome in unseen)
    return f"Hidden checks: {passed} of {len(unseen)} passed, {_share(unseen)} points"


def _share(outcomes: list[ScoredOutcome]) -> str:
    earned = points(total(outcome.earned for outcome in outcomes))
    return f"{earned} of {points(total(outcome.possible for outcome in outcomes))}"


def _unnamed(
    questions: Iterable[QuestionReport], outcomes: Mapping[str, ScoredOutcome]
) -> QuestionFeedback | None:
    """All hidden checks as one question, so that the points add up."""
    unseen = [
        outcomes[check.id]
        for question in questions
        for check in question.checks
        if not check.public and check.id in outcomes
    ]
    if not unseen:
        return None
    return QuestionFeedback(
        title="Hidden checks",
        bonus=False,
        earned=total(outcome.earned for outcome in unseen),
        possible=total(outcome.possible for outcome in unseen),
        checks=(),
        summary="These are not named here.",
    )


def _check(check: CheckReport, outcome: ScoredOutcome) -> CheckFeedback:
    passed = outcome.status is Status.PASSED
    return CheckFeedback(
        title=check.title,
        public=check.public,
        status=outcome.status,
        earned=outcome.earned,
        possible=outcome.possible,
        lines=() if passed else tuple(message_lines(outcome.message)),
        hint="" if passed else check.hint,
    )


def message_lines(message: str) -> Iterator[str]:
    """The lines of a message that are shown: not too many, and none that is empty."""
    lines = [line for line in printable(message[:MESSAGE_LIMIT]).split("\n") if line.strip()]
    yield from lines[:MESSAGE_LINES]
    if len(lines) > MESSAGE_LINES or len(message) > MESSAGE_LIMIT:
        yield "…"


def _trimmed(error: CellError) -> CellError:
    return CellError(
        cell=error.cell,
        error=error.error,
        message=error.message[:MESSAGE_LIMIT],
        line=error.line,
        source_line=error.source_line[:SOURCE_LINE_LIMIT],
    )


def _begin_with(cell: int, pythons: Pythons | None) -> str:
    advice = (
        f"Begin with cell {cell}: what it should have defined is missing in every cell and "
        "check after it. Then restart the kernel and run all cells from the top."
    )
    if pythons is None:
        return advice
    return f"{advice} If you see no error then, write it as Python {pythons.graded_with} knows it."


def _advice(score: Score, questions: tuple[QuestionFeedback, ...]) -> str:
    if score.ending.kind is EndingKind.UNREADABLE:
        return unusable.next_step(score.ending)
    if score.state is State.UNGRADED:
        return "Nothing. If no score follows, ask your instructor."
    if score.state is State.MISSING:
        return "If you did hand it in, tell your instructor under which name."
    if all(outcome.status is Status.PASSED for outcome in score.outcomes):
        if score.marks:
            return "Nothing: every check passed. A person reads your other answers, and comments."
        return "Nothing: every check passed. Well done!"
    if score.cell_errors:
        return _begin_with(score.cell_errors[0].cell, score.pythons)
    for question in questions:
        for check in question.checks:
            if check.status is not Status.PASSED:
                return f"Begin with the first check that did not pass: “{check.title}”."
    return "The public checks pass. Read the docstrings again: what do they promise beyond those?"

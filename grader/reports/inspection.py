"""Results in a terminal, one question at a time: `grader show`, `grader stats`, `grader diff`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from grader.gradebook import AssignmentReport, Gradebook, Score, State
from grader.model import Status
from grader.reports.analysis import Analysis
from grader.reports.choices import Visibility
from grader.reports.comparison import Change, CheckChange, Comparison
from grader.reports.feedback import SYMBOLS, WORDS, changes, message_lines, told_mark
from grader.reports.score_table import Symbols, mark, plain_table
from grader.reports.students import OUTDATED, called, find_dropped, totals
from grader.reports.suite_changes import SuiteChange, words
from grader.reports.terminal import console
from grader.reports.timing import attempts, handed_in
from grader.text import one_line, points

BARS = " ▁▂▃▄▅▆▇█"
DETAIL_LENGTH = 300
WIDE = 96  # columns of a terminal in which all numbers of an assignment fit beside its title


def print_student(
    gradebook: Gradebook, scores: Sequence[Score], *, out: Console | None = None
) -> None:
    """Print a student's scores: questions, and every check that did not pass with its detail."""
    out = out or console()
    asked = {assignment.id: assignment for assignment in gradebook.assignments}
    symbols = Symbols.fitting(out)
    for score in scores:
        name = one_line(called(score.student, gradebook))
        title = one_line(asked[score.assignment].title)
        out.print(
            Text.assemble((f"{name} · {title}  ", "bold"), mark(score, symbols)),
            soft_wrap=True,
        )
        if score.state is not State.MISSING and score.ending.message:
            out.print(Text(f"  {one_line(score.ending.message)}", "yellow"), soft_wrap=True)
        if score.outdated:
            out.print(Text(f"  {OUTDATED}", "yellow"), soft_wrap=True)
        for line in (handed_in(score, source=True), *attempts(score)):
            if line:
                out.print(Text(f"  {one_line(line)}", "dim"), soft_wrap=True)
        for change in changes(score, asked[score.assignment]):
            out.print(Text(f"  {one_line(change)}", "cyan"), soft_wrap=True)
        for error in score.cell_errors:
            text = f"  cell {error.cell}: {error.error}: {error.message}"
            out.print(Text(one_line(text)[:200], "yellow"), soft_wrap=True)
        _print_questions(out, asked[score.assignment], score)
    if len(scores) > 1:
        total = totals(gradebook)[scores[0].student]
        parts = (
            f"Total: {points(total.earned)}/{points(total.possible)}",
            find_dropped(total, gradebook),
        )
        out.print(Text(one_line(", ".join(filter(None, parts))), "bold"), soft_wrap=True)


def _print_questions(out: Console, assignment: AssignmentReport, score: Score) -> None:
    outcomes = {outcome.check: outcome for outcome in score.outcomes}
    marks = {one.question: one for one in score.marks}
    for question in assignment.questions if outcomes or score.state.has_points else ():
        waits = question.id in marks and marks[question.id].earned is None
        have = "?" if waits else points(score.questions.get(question.id, 0.0))
        earned = f"{have}/{points(question.points)}"
        out.print(Text(f"  {earned:>9}  {one_line(question.title)}"), soft_wrap=True)
        if question.id in marks:
            told = told_mark(marks[question.id])
            for line in filter(None, (marks[question.id].waits, *told.lines, *told.comment)):
                out.print(Text(f"             {one_line(line)}", "dim"), soft_wrap=True)
        for check in question.checks:
            outcome = outcomes.get(check.id)
            if outcome is None or outcome.status is Status.PASSED:
                continue
            kind = Visibility.of(check)
            line = f"{SYMBOLS[outcome.status]} {one_line(check.title)} ({kind}): "
            out.print(Text(f"             {line}{WORDS[outcome.status]}", "red"), soft_wrap=True)
            for text in message_lines(outcome.detail[:DETAIL_LENGTH] or outcome.message):
                out.print(Text(f"               {text}", "dim"), soft_wrap=True)


def print_statistics(
    gradebook: Gradebook, analyses: Sequence[Analysis], *, out: Console | None = None
) -> None:
    """Print a row of numbers for each assignment, in percent."""
    out = out or console()
    table = plain_table()
    table.add_column("Assignment", overflow="fold")
    narrow = out.width < WIDE
    heads = ["Graded", "Ungraded", "Missing", "Mean", "Median", "SD"]
    for head in (*heads, *(() if narrow else ("Lowest", "Highest"))):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("0 to 100 %", no_wrap=True)
    for assignment, found in zip(gradebook.assignments, analyses, strict=True):
        numbers = (found.mean, found.median, found.spread)
        edges = () if narrow else (found.lowest, found.highest)
        table.add_row(
            Text(one_line(assignment.title)),
            *(str(count) for count in (found.graded, found.ungraded, found.missing)),
            *("–" if number is None else f"{number:.1f}" for number in (*numbers, *edges)),
            _bars(out, found.histogram),
        )
    out.print(table)


def _bars(out: Console, histogram: Sequence[int]) -> Text:
    top = max(histogram, default=0) or 1
    text = "".join(BARS[-(-count * (len(BARS) - 1) // top)] for count in histogram)
    try:
        text.encode(out.encoding)
    except (LookupError, UnicodeEncodeError):
        text = " ".join(map(str, histogram))
    return Text(text, "cyan")


def print_comparison(found: Comparison, *, out: Console | None = None) -> None:
    """Print whose score changed, with the checks that changed it."""
    out = out or console()
    print_changes(found.changes, out)
    if found.changes:
        out.print()
    out.print(Text(f"{len(found.changes)} changed, {found.same} the same", "bold"))
    print_suites(found.suites, out)
    told = {suite.assignment for suite in found.suites}
    for title, names in (
        ("Other questions or points", [one for one in found.suites_changed if one not in told]),
        ("Other versions", found.versions_changed),
    ):
        if names:
            out.print(Text(f"{title}: {', '.join(map(one_line, names))}", "dim"), soft_wrap=True)


def print_suites(suites: Iterable[SuiteChange], out: Console) -> None:
    """Print what changed in suites, a line for each check."""
    for suite in suites:
        out.print(Text(f"Changed in {one_line(suite.assignment)}:", "dim"), soft_wrap=True)
        for line in words(suite):
            out.print(Text(f"    {one_line(line)}", "dim"), soft_wrap=True)


def print_changes(changed: Iterable[Change], out: Console) -> None:
    """Print a line for each score that changed, and below it one for each check."""
    for change in changed:
        name = one_line(f"{change.student} {change.assignment}")
        again = " (handed in again)" if change.resubmitted else ""
        style = "green" if change.after > change.before else "red"
        out.print(
            Text.assemble((name, "bold"), "  ", (_step(change), style), again), soft_wrap=True
        )
        for check in change.checks:
            out.print(Text(f"    {_check_step(check)}", "dim"), soft_wrap=True)


def _step(change: Change) -> str:
    before = _worth(change.before_state, change.before)
    after = _worth(change.after_state, change.after)
    both = change.before_state is change.after_state is State.GRADED
    difference = f" ({change.after - change.before:+.2f})" if both else ""
    return f"{before} → {after}{difference}"


def _worth(state: State | None, earned: float) -> str:
    if state is None:
        return "nothing"
    return points(earned) if state is State.GRADED else str(state.value)


def _check_step(check: CheckChange) -> str:
    before = WORDS[check.before] if check.before else "not there"
    after = WORDS[check.after] if check.after else "not there"
    return f"{check.difference:+.2f}  {one_line(check.check)}: {before} → {after}"

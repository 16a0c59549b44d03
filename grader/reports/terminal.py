"""What a person sees in a terminal: progress and problems on stderr, the scores on stdout.

Marks are symbols as well as colours: `NO_COLOR`, a pipe and a colour-blind reader lose nothing.
Text of unknown origin goes through `one_line` into `rich.text.Text`: rich's markup is never parsed.
"""

from __future__ import annotations

import io
import itertools
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from grader.errors import GraderError
from grader.gradebook import Gradebook, Score, State
from grader.model import EndingKind, Isolation, Problem, Submission, Suite
from grader.reports.choices import Visibility
from grader.reports.pace import Pace, duration
from grader.reports.score_table import Symbols, mark, score_table, tally
from grader.reports.students import called
from grader.store.output import CHECKS, CODE, FEEDBACK, GRADESCOPE, INDEX, STUDENTS
from grader.text import WITHOUT_ISOLATION, one_line, points

FOLDERS = frozenset({CHECKS, CODE, FEEDBACK, STUDENTS, GRADESCOPE})

PROBLEMS_SHOWN = 20
SLOW_SHOWN = 3
LOG_EVERY_S = 30.0  # how often a log hears of progress
PIPE_WIDTH = 400  # a file has no edge at which a table must be folded


def console(stream: TextIO | None = None) -> Console:
    """Return a console on stdout, or on another stream, that never fails on an odd character."""
    stream = sys.stdout if stream is None else stream
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    found = Console(file=stream, highlight=False, markup=False, emoji=False)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = PIPE_WIDTH
    return found


class Progress:
    """Shows a grading as it happens.

    On a terminal: a bar, the pace, and who is taking long. In a log: a line now and then.

    Args:
        title: what is done, as the bar says.
        quiet: show nothing.
        verbose: a line for each submission and problem.
        stream: where to; stderr if not given.
    """

    def __init__(
        self,
        title: str = "Grading",
        *,
        quiet: bool = False,
        verbose: bool = False,
        stream: TextIO | None = None,
    ) -> None:
        self._title = title
        self._console = console(sys.stderr if stream is None else stream)
        self._symbols = Symbols.fitting(self._console)
        self._quiet = quiet
        self._verbose = verbose and not quiet
        self._logs = not (quiet or verbose or self._console.is_terminal)
        self._logged = time.monotonic()
        self._pace = Pace()
        self._bar = _Bar(self._pace, self._console, hidden=quiet or not self._console.is_terminal)
        self._task = self._bar.add_task("Getting ready", total=None)

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def start(self, jobs: int, *, kept: int = 0) -> None:
        """So many submissions make up the class; `kept` have their result from an earlier run."""
        self._pace.start(jobs, kept)
        self._bar.update(self._task, total=jobs, completed=kept, description=self._title)

    def begun(self, submission: Submission, host: str = "") -> None:
        """One is being graded, on another host if one is named; told again with each try."""
        self._pace.begun(_name(submission), one_line(host))

    def tell(self, remark: str) -> None:
        """Something is to be said about the run itself while it goes on."""
        if not self._quiet:
            self._console.print(Text(f"Note: {one_line(remark)}", "yellow"), soft_wrap=True)

    def finished(self, score: Score) -> None:
        """One submission has its score."""
        self._pace.finished(_name(score))
        self._pace.ungraded += score.state is State.UNGRADED
        self._bar.advance(self._task)
        if self._verbose:
            line = Text.assemble(mark(score, self._symbols), f" {_name(score)}", no_wrap=True)
            line.append(f"  {_ending(score)}", style="dim")
            self._console.print(line, soft_wrap=True)
        elif self._logs and time.monotonic() - self._logged >= LOG_EVERY_S:
            self._logged = time.monotonic()
            self._console.print(
                f"Graded {self._pace.done} of {self._pace.total}: {self._pace.text()}",
                soft_wrap=True,
            )

    def problem(self, problem: Problem) -> None:
        """Something that a person should look at came up."""
        self._pace.problems += 1
        if self._verbose:
            _print_problem(self._console, problem)

    def finish(self) -> None:
        """Take the bar away. Harmless when there is none."""
        if not self._bar.disable:  # rich before 14.3 ends with an empty line, bar or not
            self._bar.stop()


class _Bar(Bar):
    """A bar with the pace beside it and the slow ones below it, redrawn four times a second."""

    def __init__(self, pace: Pace, where: Console, *, hidden: bool) -> None:
        self._pace = pace
        super().__init__(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            console=where,
            transient=True,
            refresh_per_second=4,
            disable=hidden,
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is drawn: rich asks for it each time."""
        yield self.make_tasks_table(self.tasks)
        if pace := self._pace.text():
            yield Text(f"  {pace}", "dim", no_wrap=True, overflow="ellipsis")
        slow = self._pace.slow()
        for name, seconds in slow[:SLOW_SHOWN]:
            yield Text(
                f"  {name}: running for {duration(seconds)}", no_wrap=True, overflow="ellipsis"
            )
        if len(slow) > SLOW_SHOWN:
            yield Text(f"  … and {len(slow) - SLOW_SHOWN} more", "dim")


def _name(graded: Submission | Score) -> str:
    return one_line(f"{graded.student} {graded.assignment}")


def print_scores(
    gradebook: Gradebook,
    reports: Sequence[Path] = (),
    *,
    out: Console | None = None,
    err: Console | None = None,
) -> None:
    """Print the table of scores to stdout; problems, the wall and the reports' places to stderr."""
    out = out or console()
    err = err or console(sys.stderr)
    symbols = Symbols.fitting(out)
    if gradebook.scores:
        out.print(score_table(gradebook, out, symbols))
        out.print()
        out.print(tally(gradebook, symbols))
        out.print()
    _print_ungraded(err, gradebook)
    _print_unmarked(err, gradebook)
    _print_problems(err, gradebook)
    _print_isolation(err, gradebook.isolation)
    if gradebook.run.kept:
        kept = f"{gradebook.run.kept} unchanged since an earlier run: `--force` grades them again"
        err.print(Text(kept, "dim"), soft_wrap=True)
    if not gradebook.complete:
        err.print(Text("Stopped before the end: what is finished is kept", "bold yellow"))
        _print_hint(err, "run the same command again: it goes on from here")
    for path in _places(reports):
        err.print(Text(f"Report: {one_line(str(path))}"), soft_wrap=True)


def print_checks(suites: Sequence[Suite], *, out: Console | None = None) -> None:
    """Print every check of the suites: points, public or hidden, title, under its question."""
    out = out or console()
    for suite in suites:
        assignment = suite.assignment
        title = (one_line(assignment.title), "bold")
        out.print(
            Text.assemble(title, f" ({assignment.id}): {points(assignment.points)} points"),
            soft_wrap=True,
        )
        for question in assignment.questions:
            bonus = " bonus" if question.bonus else ""
            by_hand = ", marked by a person" if question.manual else ""
            worth = f" ({question.id}): {points(question.points)}{bonus}{by_hand}"
            out.print(
                Text.assemble((f"  {one_line(question.title)}", "cyan"), worth), soft_wrap=True
            )
            for item in question.rubric:
                out.print(
                    Text(f"    {points(item.points):>5}  rubric  {one_line(item.text)}"),
                    soft_wrap=True,
                )
            for check in suite.checks:
                if check.question == question.id:
                    kind = Visibility.of(check)
                    out.print(
                        Text(f"    {points(check.points):>5}  {kind}  {one_line(check.title)}"),
                        soft_wrap=True,
                    )


def print_error(error: GraderError, *, err: Console | None = None) -> None:
    """Print `error: what, where` and, when there is one, `hint: next step` to stderr."""
    err = err or console(sys.stderr)
    where = f", {one_line(error.where)}" if error.where else ""
    text = f"{one_line(error.message)}{where}"
    err.print(Text.assemble(("error: ", "bold red"), text), soft_wrap=True)
    _print_hint(err, error.hint)


def _print_ungraded(err: Console, gradebook: Gradebook) -> None:
    ungraded = [
        score
        for score in gradebook.scores
        if score.state is State.UNGRADED and score.ending.kind is not EndingKind.INTERRUPTED
    ]
    if not ungraded:
        return
    err.print(Text(f"Not graded ({len(ungraded)}): neither zero nor full marks", "bold yellow"))
    for score in ungraded[:PROBLEMS_SHOWN]:
        name = one_line(f"{called(score.student, gradebook)} {score.assignment}")
        err.print(Text(f"  {name}: {_ending(score)}"), soft_wrap=True)
    _print_rest(err, len(ungraded))


def _ending(score: Score) -> str:
    if score.state is State.GRADED and not score.ending.message:
        return ""
    return one_line(score.ending.message) or score.ending.kind.value


def _print_unmarked(err: Console, gradebook: Gradebook) -> None:
    """Say what waits for a person, and what to do."""
    unmarked = [score for score in gradebook.scores if score.state is State.UNMARKED]
    if unmarked:
        count = sum(mark.earned is None for score in unmarked for mark in score.marks)
        people = f"{len(unmarked)} submission{'s' * (len(unmarked) != 1)}"
        text = f"To be marked: {count} answer{'s' * (count != 1)} of {people}"
        err.print(Text(text, "bold yellow"))
        _print_hint(err, "`grader mark` shows them one by one")


def _print_problems(err: Console, gradebook: Gradebook) -> None:
    problems = gradebook.problems
    if not problems:
        return
    err.print(Text(f"Problems ({len(problems)})", "bold yellow"))
    for problem in problems[:PROBLEMS_SHOWN]:
        _print_problem(err, problem, called(problem.student or "", gradebook))
    _print_rest(err, len(problems))


def print_remarks(remarks: Sequence[str]) -> None:
    """Print on stderr what is to be said about the run itself."""
    err = console(sys.stderr)
    for remark in remarks:
        err.print(Text(f"Note: {one_line(remark)}", "yellow"), soft_wrap=True)


def _print_rest(err: Console, number: int) -> None:
    if number > PROBLEMS_SHOWN:
        err.print(Text(f"  … and {number - PROBLEMS_SHOWN} more: see gradebook.json", "dim"))


def _print_problem(err: Console, problem: Problem, name: str = "") -> None:
    who = " ".join(one for one in (name or problem.student, problem.assignment) if one)
    parts = [one_line(part) for part in (who, problem.message, problem.where) if part]
    err.print(Text(f"  {': '.join(parts)}"), soft_wrap=True)
    _print_hint(err, problem.hint, indent="    ")


def _print_hint(err: Console, hint: str, indent: str = "") -> None:
    if hint:
        err.print(Text.assemble((f"{indent}hint: ", "cyan"), one_line(hint)), soft_wrap=True)


def _print_isolation(err: Console, isolation: Isolation | None) -> None:
    if isolation is None:
        return
    if isolation.off:
        warning = f"WARNING: graded without isolation (--sandbox off): {WITHOUT_ISOLATION}"
        err.print(Text(warning, "bold red"))
        return
    layers = ", ".join(isolation.layers)
    err.print(Text(f"Isolation: {isolation.mode}" + (f" ({layers})" if layers else ""), "dim"))


def _places(reports: Sequence[Path]) -> list[Path]:
    """Name files one by one but a folder full of them only once; the class report comes last."""
    places: dict[Path, None] = {}
    beside = {path.parent for path in reports if path.name == INDEX}  # whatever that is called
    for path in reports:
        parents = itertools.takewhile(lambda parent: parent not in beside, path.parents)
        folder = next((parent for parent in parents if parent.name in FOLDERS), None)
        places[folder or path] = None
    return sorted(places, key=lambda path: path.name == INDEX)

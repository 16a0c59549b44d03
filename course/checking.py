"""Runs the public checks on a notebook's own names and shows what came of it."""

from __future__ import annotations

import html
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.testing.practice import Cause, Interrupted, LocalResult

CHECKS = Path(__file__).parent / "checks"
PRACTICE = Path(__file__).parent / "practice"
"""Checks of notebooks that are never graded."""
GREEN, RED, GREY = "#2b8a3e", "#d64545", "#7f858f"
"""Borders and symbols: at least 3 to 1 on white and on black. Text keeps the notebook's colour."""


@dataclass(frozen=True)
class Report:
    """Results of checks, shown as HTML in Jupyter and as text elsewhere.

    note: what replaces the results, or stands above those that there are.
    causes: what stopped several checks, each with how many.
    interrupted: what to raise when this has been shown.
    """

    results: tuple[LocalResult, ...]
    note: str = ""
    causes: tuple[tuple[Cause, int], ...] = ()
    interrupted: Interrupted | None = None

    @property
    def earned(self) -> float:
        """Points of the checks that passed."""
        return sum(result.points for result in self.results if result.passed)

    @property
    def possible(self) -> float:
        """Points of all the checks."""
        return sum(result.points for result in self.results)

    def __repr__(self) -> str:
        lines = [self.note] if self.note else []
        several = _several_questions(self.results)
        causes = [line for cause in self.causes for line in _cause_lines(*cause)]
        if several:
            lines += causes
        for title, results in _by_question(self.results):
            lines.append(f"{_mark(_all_passed(results))} {title}: {_points(results)}")
            if not several:
                lines += [f"    {line}" for line in causes]
            for result in results:
                lines += [f"    {line}" for line in str(result).splitlines()]
        if several and not self.note:
            lines.append(_summary(self))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cards = [card(GREY, f"<div>{html.escape(self.note)}</div>")] if self.note else []
        several = _several_questions(self.results)
        causes = "".join(_cause_html(*cause) for cause in self.causes)
        if several and causes:
            cards.append(card(RED, causes))
        for title, results in _by_question(self.results):
            body = _question_html(title, results, "" if several else causes)
            cards.append(card(GREEN if _all_passed(results) else RED, body))
        if several and not self.note:
            colour = GREEN if _all_passed(self.results) else RED
            cards.append(card(colour, f"<b>{html.escape(_summary(self))}</b>"))
        return f'<div role="status">{"".join(cards)}</div>'


def check_namespace(namespace: dict[str, Any], question: str | None) -> Report:
    """Run the public checks of the notebook's assignment on its names.

    Args:
        namespace: the notebook's globals; `ASSIGNMENT` names the assignment.
        question: one question, or None for all.
    """
    files = [path for folder in (PRACTICE, CHECKS) for path in folder.glob("test_*.py")]
    known = {path.stem.removeprefix("test_"): path for path in files}
    assignment = namespace.get("ASSIGNMENT")
    if assignment not in known:
        return Report(
            (), "Run the notebook's first code cell: it sets ASSIGNMENT, which check() needs."
        )
    name = _borrowed(namespace, assignment)
    if name:
        return Report(
            (), f"{name} is the course's own class here, not yours. Run the cell with yours again."
        )
    try:
        from grader.errors import GraderError, UsageError
        from grader.testing.local import run_checks
        from grader.testing.practice import Interrupted
    except ImportError as error:
        return Report((), f"{error}. Install what requirements.txt lists, then restart the kernel.")
    try:
        return _report(run_checks(namespace, known[assignment], question))
    except Interrupted as interrupt:
        note = f"{_sentence(str(interrupt))} Those that had not run by then are not listed."
        return _report(interrupt.results, note, interrupt)
    except UsageError as error:
        return Report((), f"{_sentence(error.message)} {_sentence(error.hint)}")
    except GraderError as error:
        return Report((), f"The checks can't be run: {error}")


def _report(
    results: Sequence[LocalResult], note: str = "", interrupted: Interrupted | None = None
) -> Report:
    from grader.testing.practice import each_cause_once

    causes, told = each_cause_once(results)
    return Report(tuple(told), note, tuple(causes), interrupted)


def _borrowed(namespace: dict[str, Any], assignment: str) -> str | None:
    """The name that the notebook asks for, if a ready-made part has it."""
    parts = sys.modules.get("course.parts")
    asked: str = parts.ASKED.get(assignment, "") if parts is not None else ""
    borrowed = getattr(namespace.get(asked), "__module__", None) == "course.parts"
    return asked if borrowed else None


def show(report: Report) -> None:
    """Show a report: rich in a notebook, as text in a terminal.

    While nbgrader validates a notebook, a check that did not pass is told on stderr: that is what
    its Validate button takes for a failure.

    Raises:
        KeyboardInterrupt: the checks were interrupted, and Jupyter is to stop running cells.
        SystemExit: they were, and so is the script that asked for them.
    """
    if "NBGRADER_VALIDATING" in os.environ:
        passed = not report.note and _all_passed(report.results)
        print(report, file=sys.stdout if passed else sys.stderr)
    else:
        display(report)
    if report.interrupted is not None:
        _stop(report.interrupted)


def display(shown: object) -> None:
    """Show something that has a form for Jupyter and one for terminals."""
    if _in_notebook():
        from IPython import display

        untyped: Any = display
        untyped.display(shown)
    else:
        print(shown)


def _in_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")


def _stop(interrupted: Interrupted) -> None:
    interrupted.told = True
    if "IPython" in sys.modules:
        raise interrupted from None
    if not hasattr(sys, "ps1"):  # a script, not a Python that somebody types into
        raise SystemExit(128 + 2)  # as a shell says of what Ctrl-C has ended


# ---------------------------------------------------------------- words


def _by_question(results: Sequence[LocalResult]) -> list[tuple[str, list[LocalResult]]]:
    groups = groupby(results, key=lambda result: (result.question, result.question_title))
    return [(title, list(group)) for (_, title), group in groups]


def _several_questions(results: Sequence[LocalResult]) -> bool:
    return len({result.question for result in results}) > 1


def _all_passed(results: Sequence[LocalResult]) -> bool:
    return all(result.passed for result in results)


def _mark(passed: bool) -> str:
    return "✓" if passed else "✗"


def _points(results: Sequence[LocalResult]) -> str:
    earned = sum(result.points for result in results if result.passed)
    possible = sum(result.points for result in results)
    if not possible:
        return f"practice, {sum(result.passed for result in results)} of {len(results)} right"
    return f"{earned:.4g} of {possible:.4g} {'point' if possible == 1 else 'points'}"


def _summary(report: Report) -> str:
    """All questions in a line: points, and practice by itself, which gives none."""
    graded = [result for result in report.results if result.points]
    practice = [result for result in report.results if not result.points]
    counts = "; ".join(_points(results) for results in (graded, practice) if results)
    return f"Public checks in all: {counts}. {_outlook(report)}"


def _outlook(report: Report) -> str:
    if not report.possible:
        return "Nothing is graded here."
    if _all_passed(report.results):
        return "All green: hidden checks follow when you hand in."
    return "Hidden checks follow when you hand in."


def _cause_lines(cause: Cause, count: int) -> list[str]:
    place = [f"  {cause.place}"] if cause.place is not None else []
    return [f"✗ {cause.what}", *place, f"  {_stopped(count)}"]


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _stopped(count: int) -> str:
    return f"This stopped {count} checks."


# ---------------------------------------------------------------- HTML

CODE = (
    "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:0.92em;"
    "white-space:pre-wrap;overflow-wrap:anywhere"
)
UNSEEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"
"""For screen readers, which pass over symbols or read them letter by letter."""


def card(colour: str, body: str) -> str:
    """A box with a coloured edge."""
    return (
        f'<div style="border:1px solid {colour};border-left-width:6px;border-radius:4px;'
        "padding:0.5em 0.8em;margin:0.3em 0;max-width:60em;line-height:1.45;overflow-wrap:anywhere;"
        f'font-family:system-ui,sans-serif">{body}</div>'
    )


def signed_line(tag: str, symbol: str, colour: str, words: str, body: str) -> str:
    """A paragraph behind a symbol: its lines begin side by side, also where they are wrapped."""
    return (
        f'<{tag} style="position:relative;padding-left:1.3em;margin:0.25em 0"><span'
        f' aria-hidden="true" style="position:absolute;left:0;font-weight:bold;color:{colour}">'
        f'{symbol}</span><span style="{UNSEEN}">{words}: </span>{body}</{tag}>'
    )


def _question_html(title: str, results: Sequence[LocalResult], causes: str) -> str:
    passed = _all_passed(results)
    colour, words = (GREEN, "passed") if passed else (RED, "not passed")
    text = f"<b>{html.escape(title)}</b>: {_points(results)}"
    head = signed_line("div", _mark(passed), colour, words, text)
    rows = "".join(_result_html(result) for result in results)
    listed = f'<ul role="list" style="list-style:none;margin:0;padding:0">{rows}</ul>'
    return head + causes + listed


def _result_html(result: LocalResult) -> str:
    title = html.escape(result.title)
    if result.skipped:
        reason = f" ({html.escape(result.message)})"
        return signed_line("li", "–", GREY, "not run", title + reason)
    if result.passed:
        return signed_line("li", _mark(True), GREEN, "passed", title)
    if result.cause is not None:
        text = title + _code("div", result.cause.what) + _place_html(result.cause)
        return signed_line("li", _mark(False), RED, "stopped", text)
    hint = f"<div><b>Hint:</b> {html.escape(result.hint)}</div>" if result.hint else ""
    text = title + _code("div", result.message) + hint
    return signed_line("li", _mark(False), RED, "failed", text)


def _cause_html(cause: Cause, count: int) -> str:
    text = f"<b>{html.escape(cause.what)}</b>{_place_html(cause)}<div>{_stopped(count)}</div>"
    return signed_line("div", _mark(False), RED, "error", text)


def _place_html(cause: Cause) -> str:
    if cause.place is None:
        return ""
    source = f": {_code('code', cause.place.source)}" if cause.place.source else ""
    return f"<div>{html.escape(cause.place.named)}{source}</div>"


def _code(tag: str, text: str) -> str:
    return f'<{tag} style="{CODE}">{html.escape(text)}</{tag}>'

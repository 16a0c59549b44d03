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
    from grader.practice import LocalResult

CHECKS = Path(__file__).parent / "checks"
GREEN, RED, GREY = "#2e9e4f", "#d64545", "#8a8f98"
"""Borders and symbols: strong enough on white and on black. Text keeps the notebook's colour."""


@dataclass(frozen=True)
class Report:
    """Results of checks, shown as HTML in Jupyter and as text elsewhere. `note` replaces them."""

    results: tuple[LocalResult, ...]
    note: str = ""

    @property
    def earned(self) -> float:
        """Points of the checks that passed."""
        return sum(result.points for result in self.results if result.passed)

    @property
    def possible(self) -> float:
        """Points of all the checks."""
        return sum(result.points for result in self.results)

    def __repr__(self) -> str:
        if self.note:
            return self.note
        lines = []
        for title, results in _by_question(self.results):
            lines.append(f"{_mark(_all_passed(results))} {title}: {_points(results)}")
            for result in results:
                lines += [f"    {line}" for line in _text_lines(result)]
        if _several_questions(self.results):
            lines.append(f"Public checks in all: {_points(self.results)}. {_outlook(self)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        if self.note:
            return _card(GREY, f"<p style='margin:0'>{html.escape(self.note)}</p>", self.note)
        cards = [
            _card(
                GREEN if _all_passed(results) else RED,
                _question_html(title, results),
                f"{title}: {_points(results)}",
            )
            for title, results in _by_question(self.results)
        ]
        if _several_questions(self.results):
            text = f"Public checks in all: {_points(self.results)}. {_outlook(self)}"
            colour = GREEN if self.earned == self.possible else RED
            cards.append(_card(colour, f"<b>{html.escape(text)}</b>", text))
        return "".join(cards)


def check_namespace(namespace: dict[str, Any], question: str | None) -> Report:
    """Run the public checks of the notebook's assignment on its names.

    Args:
        namespace: the notebook's globals; `ASSIGNMENT` names the assignment.
        question: one question, or None for all.
    """
    known = sorted(path.stem.removeprefix("test_") for path in CHECKS.glob("test_*.py"))
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
        from grader.errors import GraderError
        from grader.local import run_checks
    except ImportError as error:
        return Report((), f"{error}. Install what requirements.txt lists, then restart the kernel.")
    try:
        results = run_checks(namespace, CHECKS / f"test_{assignment}.py", question)
    except GraderError as error:
        return Report((), f"The checks can't be run: {error}")
    if not results:
        return Report((), f"There is no public question {question!r} in this notebook.")
    if question is None:  # the summary is about points, not about practice
        results = [result for result in results if result.points]
    return Report(tuple(results))


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
    """
    if "NBGRADER_VALIDATING" in os.environ:
        passed = not report.note and _all_passed(report.results)
        print(report, file=sys.stdout if passed else sys.stderr)
        return
    if "IPython" in sys.modules:
        from IPython import display, get_ipython

        if hasattr(get_ipython(), "kernel"):
            untyped: Any = display
            untyped.display(report)
            return
    print(report)


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


def _outlook(report: Report) -> str:
    if report.earned == report.possible:
        return "All green: hidden checks follow when you hand in."
    return "Hidden checks follow when you hand in."


def _text_lines(result: LocalResult) -> list[str]:
    lines = [f"{_mark(result.passed)} {result.title}"]
    if result.message:
        lines.append(f"  {result.message}")
    if not result.passed and not result.skipped and result.hint:
        lines.append(f"  Hint: {result.hint}")
    return lines


# ---------------------------------------------------------------- HTML


def _card(colour: str, body: str, label: str) -> str:
    return (
        f'<div role="status" aria-label="{html.escape(label, quote=True)}" style="border:1px solid'
        f" {colour};border-left-width:6px;border-radius:4px;padding:0.5em 0.8em;margin:0.3em 0;"
        f'max-width:60em;font-family:system-ui,sans-serif">{body}</div>'
    )


def _question_html(title: str, results: Sequence[LocalResult]) -> str:
    passed = _all_passed(results)
    head = (
        f'<div><b><span style="color:{GREEN if passed else RED}">{_mark(passed)}</span>'
        f" {html.escape(title)}</b> <span style='opacity:0.8'>{_points(results)}</span></div>"
    )
    rows = "".join(_result_html(result) for result in results)
    return f'{head}<ul style="list-style:none;margin:0.3em 0 0;padding-left:0.6em">{rows}</ul>'


def _result_html(result: LocalResult) -> str:
    colour = GREEN if result.passed else GREY if result.skipped else RED
    text = f'<span style="color:{colour}">{_mark(result.passed)}</span> {html.escape(result.title)}'
    if result.message:
        text += (
            "<div style='margin-left:1.2em;white-space:pre-wrap;font-family:ui-monospace,monospace;"
            f"font-size:0.92em'>{html.escape(result.message)}</div>"
        )
    if not result.passed and not result.skipped and result.hint:
        text += f"<div style='margin-left:1.2em'><b>Hint:</b> {html.escape(result.hint)}</div>"
    return f"<li style='margin:0.15em 0'>{text}</li>"

"""What came of checks that a person has run again, in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from grader.judging.trials import Trial
from grader.model import Cell, Check, DifferenceMap, Outcome, Status, Suite
from grader.reports.case import Line, Piece, code_lines, difference, excerpts, without_values
from grader.reports.choices import Visibility
from grader.reports.difference_words import in_words, signs
from grader.reports.feedback import ENDINGS, SYMBOLS, WORDS, message_lines
from grader.reports.terminal import console
from grader.text import one_line, points, printable

SEEDS_SHOWN = 12

STYLES = {
    Status.PASSED: "green",
    Status.FAILED: "red",
    Status.ERROR: "red",
    Status.TIMEOUT: "red",
    Status.SKIPPED: "dim",
}


def print_trials(
    student: str,
    suite: Suite,
    trials: Sequence[Trial],
    cells: Sequence[Cell],
    *,
    out: Console | None = None,
) -> None:
    """Print what each check came to; of one that was not passed everything that explains it.

    Args:
        student: whose submission it is.
        suite: the assignment's checks.
        trials: one, or several from different seeds.
        cells: the code that was run.
        out: where to.
    """
    out = out or console()
    seeds = f"seed {trials[0].seed}"
    if len(trials) > 1:
        seeds = f"seeds {trials[0].seed} to {trials[-1].seed}"
    title = one_line(f"{student} · {suite.assignment.title}")
    out.print(Text.assemble((title, "bold"), (f"  {seeds}", "dim")), soft_wrap=True)
    for error in trials[0].run.cell_errors:
        text = f"  cell {error.cell}: {error.error}: {error.message}"
        out.print(Text(one_line(text)[:200], "yellow"), soft_wrap=True)
    ending = trials[0].run.ending
    told = ending.message or ENDINGS.get(ending.kind, "")
    if told:
        out.print(Text(f"  {one_line(told)}", "yellow"), soft_wrap=True)
    for check in suite.checks:
        outcomes = {t.seed: o for t in trials for o in t.run.outcomes if o.check == check.id}
        if outcomes:
            _print_check(out, check, outcomes, cells)


def _print_check(
    out: Console, check: Check, outcomes: Mapping[int, Outcome], cells: Sequence[Cell]
) -> None:
    lost = {s: o for s, o in outcomes.items() if o.status is not Status.PASSED}
    shown = next(iter((lost or outcomes).values()))
    verdict = WORDS[shown.status]
    if len(outcomes) > 1:
        verdict = f"passed {len(outcomes) - len(lost)} of {len(outcomes)}"
        if lost and len(lost) < len(outcomes):
            seeds = ", ".join(map(str, list(lost)[:SEEDS_SHOWN]))
            verdict += f"; not with seed {seeds}{', …' * (len(lost) > SEEDS_SHOWN)}"
    title = f"{SYMBOLS[shown.status]} {one_line(check.title)}"
    facts = f" ({Visibility.of(check)}, worth {points(check.points)}, {one_line(check.id)}): "
    out.print()
    out.print(Text.assemble((title, "bold"), (facts, "dim"), (verdict, STYLES[shown.status])),
              soft_wrap=True)  # fmt: skip
    if lost:
        _print_evidence(out, check, shown, cells)


def _print_evidence(out: Console, check: Check, outcome: Outcome, cells: Sequence[Cell]) -> None:
    told = outcome.detail or outcome.message
    for line in message_lines(without_values(told, outcome.expected, outcome.actual)):
        out.print(Text(f"  {line}"), soft_wrap=True)
    if outcome.expected and outcome.actual:
        expected, actual = difference(outcome.expected, outcome.actual)
        out.print(Text.assemble("  expected  ", *_pieces(expected, "green")), soft_wrap=True)
        out.print(Text.assemble("  got       ", *_pieces(actual, "red")), soft_wrap=True)
    if outcome.differs is not None:
        _print_map(out, outcome.differs)
    if outcome.status is Status.SKIPPED:
        return
    if check.hint:
        out.print(Text(f"  Hint: {one_line(check.hint)}", "cyan"), soft_wrap=True)
    if check.source:
        _print_code(out, "The check", code_lines(check.source, outcome.check_line))
    if outcome.asked:
        out.print(Text("  What it asked", "bold"), soft_wrap=True)
        for line in outcome.asked:
            out.print(Text(f"    {one_line(line)}"), soft_wrap=True)
    for part in excerpts(outcome, cells):
        about = f", `{part.name}`" if part.name else ""
        _print_code(out, f"The student's code, cell {part.cell}{about}", part.lines)


def _print_map(out: Console, found: DifferenceMap) -> None:
    out.print(Text(f"  Where  {in_words(found)}"), soft_wrap=True)
    for row in signs(found):
        out.print(Text(f"    {row}"), soft_wrap=True)


def _pieces(pieces: Sequence[Piece], style: str) -> list[str | tuple[str, str]]:
    texts = [(piece.same, printable(piece.text).replace("\n", "\\n")) for piece in pieces]
    return [text if same else (text, f"{style} underline") for same, text in texts]


def _print_code(out: Console, title: str, lines: Sequence[Line]) -> None:
    out.print(Text(f"  {title}", "bold"), soft_wrap=True)
    for line in lines:
        mark, style = (">", "red") if line.marked else (" ", "")
        text = f"  {mark} {line.number:>4}  {printable(line.text)}".rstrip()
        out.print(Text(text, style), soft_wrap=True)

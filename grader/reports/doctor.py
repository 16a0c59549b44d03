"""What `grader doctor` found, in a terminal: a row for each property, then what is to be done."""

from __future__ import annotations

import math

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.judging.doctor import Loops, WallReport
from grader.judging.selftest import PropertyResult
from grader.reports.score_table import Symbols
from grader.reports.terminal import console
from grader.text import one_line


def print_wall_report(found: WallReport, *, out: Console | None = None) -> None:
    """Print properties, layers and results; name what is missing and what would give it."""
    out = out or console()
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    out.print(Text(f"{found.system}: {versions}", "dim"), soft_wrap=True)
    out.print()
    out.print(_table(found, Symbols.fitting(out)))
    out.print()
    if found.without:
        needed = ", and not needed" if found.complete else ""
        out.print(Text(f"Not to be had here{needed}:", "dim"))
        for layer, reason in found.without.items():
            out.print(Text(f"  {layer}: {one_line(reason)}", "dim"), soft_wrap=True)
    if found.loops is not None:
        out.print(Text(_cost_of_loops(found.loops)), soft_wrap=True)
        out.print()
    _print_verdict(out, found)


def _cost_of_loops(loops: Loops) -> str:
    return (
        f"Answers that never end: one that loops in each of {loops.checks} checks costs about "
        f"{loops.answer_s:.0f} s, a class of {loops.students} of them about "
        f"{math.ceil(loops.class_s / 60)} min with {loops.slots} at a time; "
        f"whatever a submission does, it costs no more than {loops.wall_s:g} s."
    )


def _table(found: WallReport, symbols: Symbols) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("", "property", "given by", "tried"):
        table.add_column(column, overflow="fold")
    for result in found.properties:
        tried = ", ".join(result.tried) or "not tried"
        layers = ", ".join(result.layers) or symbols.missing
        table.add_row(_mark(result, symbols), result.property, layers, tried)
    return table


def _mark(result: PropertyResult, symbols: Symbols) -> Text:
    if not result.held:
        return Text(symbols.zero, "bold red")
    return Text(symbols.full, "green") if result.tried else Text(symbols.ungraded, "yellow")


def _print_verdict(out: Console, found: WallReport) -> None:
    if found.complete:
        text = f"The wall is complete (mode {found.mode}): submissions can be graded here."
        out.print(Text(text, "bold green"), soft_wrap=True)
        return
    out.print(Text("The wall is not complete: nothing is graded behind it here.", "bold red"))
    for result in found.properties:
        if not result.held and result.advice:
            text = f"  {result.property}: would be given by {result.advice}"
            out.print(Text(text), soft_wrap=True)
        elif not result.held:
            layers = ", ".join(result.layers)
            text = f"  {result.property}: {layers} should give it, and a worker got through"
            out.print(Text(text, "bold red"), soft_wrap=True)

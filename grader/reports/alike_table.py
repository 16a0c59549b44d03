"""Pairs of answers that are alike, in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.alike.values import Alike, AssignmentAlike
from grader.reports.alike_words import NO_VERDICT, by_chance, called, percent
from grader.reports.terminal import console
from grader.text import one_line

SHOWN = 10
"""Pairs of each assignment: the page lists all of them."""


def print_alike(alike: Alike, *, out: Console | None = None) -> None:
    """Print the most alike pairs of each assignment, and what the numbers can't tell."""
    out = out or console()
    for found in alike.assignments:
        files = f"{len(found.works)} files, {len(found.pairs)} pairs listed"
        out.print(Text.assemble((one_line(found.title), "bold"), f"  {files}"), soft_wrap=True)
        if found.pairs:
            out.print(_table(found))
        out.print(Text(by_chance(found.independent), "dim"))
        for cluster in found.clusters:
            members = [called(found.works[place]) for place in cluster]
            out.print(Text(f"Held together by pairs of at least {percent(found.linked_from)}: "
                           f"{_some(members)}"))  # fmt: skip
        out.print()
    unread = sum(one.kind.keeps_from_grading for one in alike.problems)
    unread += sum(bool(one.notes) for found in alike.assignments for one in found.works)
    if unread:
        out.print(Text(f"Not compared, or not all of it: {unread} (the page lists them)", "yellow"))
    out.print(Text(NO_VERDICT))


def _table(found: AssignmentAlike) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Alike", justify="right", no_wrap=True)
    table.add_column("One", overflow="fold")
    table.add_column("shared", justify="right", no_wrap=True)
    table.add_column("Other", overflow="fold")
    table.add_column("shared", justify="right", no_wrap=True)
    table.add_column("Most alike answer", overflow="fold")
    for pair in found.pairs[:SHOWN]:
        best = pair.answers[0] if pair.answers else None
        table.add_row(
            percent(pair.likeness),
            Text(called(found.works[pair.left])),
            percent(pair.left_share),
            Text(called(found.works[pair.right])),
            percent(pair.right_share),
            Text(f"{one_line(best.answer)} {percent(best.likeness)}" if best else ""),
        )
    return table


def _some(members: Sequence[str]) -> str:
    more = f" and {len(members) - SHOWN} more" if len(members) > SHOWN else ""
    return ", ".join(members[:SHOWN]) + more

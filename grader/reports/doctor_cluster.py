"""What `grader doctor --cluster` found, a row for each worker, then what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.reports.score_table import Symbols
from grader.reports.terminal import console
from grader.text import one_line


def print_cluster(rows: Sequence[Any], *, complete: bool, out: Console | None = None) -> None:
    """Print workers by host.

    Args:
        rows: each has a `host`, and in `unfit` why it would grade nothing.
        complete: whether all can grade.
        out: where to; stdout if not given.
    """
    out = out or console()
    symbols = Symbols.fitting(out)
    table = Table(box=None, pad_edge=False)
    for column in ("", "host", "worker", "wall", "cores", "slots", "GPUs", "free", "versions"):
        table.add_column(column, overflow="fold")
    for row in sorted(rows, key=lambda row: (row.host.host, row.host.worker)):
        host = row.host
        versions = ", ".join(f"{name} {version}" for name, version in host.versions.items())
        table.add_row(
            Text(symbols.zero, "bold red") if row.unfit else Text(symbols.full, "green"),
            *map(one_line, (host.host, host.worker, host.mode or symbols.missing)),
            str(host.cores),
            str(host.slots),
            str(host.gpus),
            f"{host.free_bytes / (1 << 30):.1f} GiB",
            one_line(versions),
        )
    out.print(table)
    out.print()
    for row in rows:
        for style, reasons in (("bold red", row.unfit), ("yellow", row.remarks)):
            for reason in reasons:
                where = f"{row.host.host} ({row.host.worker})"
                out.print(Text(one_line(f"{where}: {reason}"), style), soft_wrap=True)
    slots = sum(row.host.slots for row in rows if not row.unfit)
    fit = sum(not row.unfit for row in rows)
    verdict = f"{fit} of {len(rows)} workers can grade: {slots} submissions at once."
    out.print(Text(verdict, "bold green" if complete else "bold red"), soft_wrap=True)

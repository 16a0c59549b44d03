"""Long listings on a terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console

from grader.reports.terminal import console


@contextmanager
def listing(*, no_pager: bool) -> Iterator[Console]:
    """Give a console on stdout; what is longer than the screen is shown by the person's pager.

    `PAGER` names it; empty means none. What goes to a file or another program is never paged.
    """
    out = console()
    if no_pager or not out.is_terminal or os.environ.get("PAGER") == "":
        yield out
        return
    with out.capture() as captured:
        yield out
    text = captured.get()
    if text.count("\n") < out.height:
        click.echo(text, nl=False)
    else:
        click.echo_via_pager(text)

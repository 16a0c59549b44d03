"""`grader doctor`: whether this machine can wall submissions in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from grader.cli.options import echo_json, json_option
from grader.exit_status import ExitStatus

if TYPE_CHECKING:
    from grader.model import Limits
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.model import Limits


@click.command()
@json_option()
def doctor(as_json: bool) -> None:
    r"""Try the wall around submissions on this machine.

    Workers try to read, write, connect, signal, fork and take more than they may; what they hit is
    looked at from outside. Exits with 1 when anything comes through or is missing. Says, too, how
    long answers that never end may keep a grading busy. Needs no course; if there is one here, it
    is about that one's limits.

    \b
    Examples:
      grader doctor
      grader doctor --json
    """
    import msgspec

    from grader.judging.doctor import examine, loops
    from grader.judging.engine import usable_cores
    from grader.reports.doctor import print_wall_report

    found = msgspec.structs.replace(examine(), loops=loops(_limits(), usable_cores()))
    if as_json:
        echo_json(found)
    else:
        print_wall_report(found)
    sys.exit(ExitStatus.OK if found.complete else ExitStatus.BELOW)


def _limits() -> Limits:
    """The limits of the course that this is run in; the usual ones where there is none."""
    from grader.config.course import load_course
    from grader.errors import ConfigError
    from grader.model import Limits

    try:
        return load_course().limits
    except ConfigError:
        return Limits()

"""`grader new-assignment`: another lesson for a course."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import course_option, load_course

if TYPE_CHECKING:
    pass


@click.command("new-assignment")
@click.argument("name", metavar="ID")
@course_option
@click.option("--title", default="", help="Its title.  [default: the id in words]")
@click.option("--empty", is_flag=True, help="Begin with next to nothing, not with the example.")
def new_assignment(name: str, course_path: Path | None, title: str, empty: bool) -> None:
    r"""Add an assignment to a course, in one file.

    The file is called after ID, with the next number before it.

    \b
    Examples:
      grader new-assignment letters
      grader new-assignment letters --title "Counting letters" --empty
    """
    from grader.authoring.new_course import new_assignment as run

    click.echo(run(load_course(course_path), name, title=title, empty=empty))

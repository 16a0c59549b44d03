"""`grader new-course`: a course to start from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    pass


@click.command("new-course")
@click.argument("folder", type=click.Path(path_type=Path))
def new_course(folder: Path) -> None:
    r"""Write a small, working course to start from.

    FOLDER must be new or empty. docs/write-a-course.md walks through what is in it.

    \b
    Examples:
      grader new-course my-course
    """
    from grader.authoring.new_course import new_course as run

    for path in run(folder):
        click.echo(path)

"""`grader split`: a lesson in one file, taken apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import assignment_names, course_option, load_course

if TYPE_CHECKING:
    pass


@click.command()
@click.argument("assignment", shell_complete=assignment_names)
@course_option
def split(assignment: str, course_path: Path | None) -> None:
    r"""Take a lesson in one file apart: a file for everything.

    The lesson keeps the prose; checks, answers and wrong answers get files of their own, and
    pyproject.toml says where. Scores stay as they are.

    \b
    Examples:
      grader split words
    """
    from grader.authoring.split import split as run

    for path in run(load_course(course_path), assignment):
        click.echo(path)

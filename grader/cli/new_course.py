"""`grader new-course`: a course to start from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    pass


@click.command("new-course")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--title", default="", help="The course's title.  [default: the folder's name]")
@click.option(
    "-a", "--assignment", "assignments", multiple=True, metavar="ID",
    help="An assignment to begin with. Repeatable.  [default: words]",
)  # fmt: skip
@click.option("--empty", is_flag=True, help="Begin with next to nothing, not with the example.")
@click.option("--split", is_flag=True, help="A file for everything, for a big course.")
def new_course(
    folder: Path, title: str, assignments: tuple[str, ...], empty: bool, split: bool
) -> None:
    r"""Write a small, working course to start from.

    FOLDER must be new or empty; the course is called after it. Each assignment is one file, with
    prose, answers, checks and wrong answers. docs/write-a-course.md walks through it.

    \b
    Examples:
      grader new-course my-course
      grader new-course statistics --title "Statistics I" --assignment means --assignment plots
      grader new-course statistics --assignment means --empty
      grader new-course big-course --split
    """
    from grader.authoring.new_course import new_course as run

    for path in run(folder, title=title, assignments=assignments, empty=empty, split=split):
        click.echo(path)

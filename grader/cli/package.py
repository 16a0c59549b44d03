"""`grader package`: what another program runs our engine with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import assignment_names, course_option, load_course
from grader.reports.choices import Hidden

if TYPE_CHECKING:
    pass


@click.group()
def package() -> None:
    r"""Pack an assignment for a platform that grades by itself.

    \b
    Examples:
      grader package gradescope embeddings
    """


@package.command()
@click.argument("assignment", shell_complete=assignment_names)
@course_option
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False),
              help="The archive to write.  [default: gradescope-ASSIGNMENT.zip]")  # fmt: skip
@click.option("--show-hidden", type=click.Choice([one.value for one in Hidden]),
              default=Hidden.TITLES.value, show_default=True,
              help="How much of the hidden checks students are told.")  # fmt: skip
def gradescope(
    assignment: str, course_path: Path | None, output: Path | None, show_hidden: str
) -> None:
    r"""Write the autograder archive of Gradescope.

    It holds hidden checks and the reference: upload it to Gradescope, and give it to nobody.

    \b
    Examples:
      grader package gradescope embeddings
      grader package gradescope blocks --show-hidden questions --output blocks.zip
    """
    from grader.integrations.gradescope.package import package as pack
    from grader.store.output import write_atomically

    course = load_course(course_path)
    asked = course.assignment(assignment)
    target = output or Path(f"gradescope-{asked.id}.zip")
    write_atomically(target, pack(course, asked, Hidden(show_hidden)))
    click.echo("the archive holds hidden checks and the reference: for Gradescope alone", err=True)
    click.echo(target)

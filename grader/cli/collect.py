"""`grader collect`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import assignments_option, course_option, load_course

if TYPE_CHECKING:
    from grader.intake.collect import Collected

SHOWN = 20


@click.command()
@click.argument(
    "paths", metavar="DOWNLOAD...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--into", default="submissions", show_default=True,
              type=click.Path(path_type=Path, file_okay=False),
              help="The folder to collect into; what is there stays.")  # fmt: skip
@assignments_option("What the files are for, where their names don't say.")
@course_option
def collect(
    paths: tuple[Path, ...], into: Path, assignments: tuple[str, ...], course_path: Path | None
) -> None:
    r"""Put downloads into one tidy folder.

    DOWNLOAD is whatever `grader check` takes: a zip or folder of Canvas, Moodle, Gradescope or
    nbgrader. Files come to lie as STUDENT/ASSIGNMENT/FILE; collected.json beside them keeps whose
    they are, of when and of which attempt, so that checking the folder gives what checking the
    download gives. Nothing is overwritten: what a later download holds anew comes to lie beside
    what was there, as a later attempt.

    \b
    Examples:
      grader collect submissions.zip -a embeddings
      grader collect monday.zip friday.zip --into blocks -a blocks
    """
    from grader.errors import GraderError
    from grader.intake.collect import collect as run

    course = load_course(course_path, paths)
    try:
        done = [run([path], into, course, assignments) for path in paths]
    except GraderError as error:
        error.hint = error.hint.replace("--output", "--into")
        raise
    for one in done:
        _tell(one)
    click.echo(into)


def _tell(done: Collected) -> None:
    from grader.text import one_line

    known = f", {done.same} there already" if done.same else ""
    click.echo(
        f"{done.new} file{'s' * (done.new != 1)} collected{known}; students: {done.students}",
        err=True,
    )
    _list("beside earlier ones, as later attempts", [one_line(path) for path in done.beside])
    _list(
        "left out",
        [
            f"{one_line(one.where)}: {one_line(one.message)}"
            + (f" (hint: {one_line(one.hint)})" if one.hint else "")
            for one in done.left_out
        ],
    )


def _list(title: str, lines: list[str]) -> None:
    if lines:
        click.echo(f"{len(lines)} {title}:", err=True)
        for line in lines[:SHOWN]:
            click.echo(f"  {line}", err=True)
        if len(lines) > SHOWN:
            click.echo(f"  and {len(lines) - SHOWN} more: see collected.json", err=True)

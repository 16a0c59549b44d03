"""`grader import`: lessons made of other graders' source notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import course_option, load_course

if TYPE_CHECKING:
    from collections.abc import Callable


def _arguments(function: Callable[..., None]) -> Callable[..., None]:
    """What both kinds of notebook take."""
    for add in (
        click.option("--output", type=click.Path(path_type=Path, dir_okay=False),
                     help="The lesson to write.  [default: the next one of the course]"),
        course_option,
        click.argument("notebook", type=click.Path(path_type=Path, dir_okay=False)),
    ):  # fmt: skip
        function = add(function)
    return function


@click.group("import")
def import_notebook() -> None:
    r"""Make a lesson of another grader's source notebook.

    What needs a person's eye is listed, and stands in the lesson as `# LOOK:`.

    \b
    Examples:
      grader import otter hw01.ipynb
      grader import nbgrader source/ps1/problem1.ipynb
    """


@import_notebook.command()
@_arguments
def otter(notebook: Path, course_path: Path | None, output: Path | None) -> None:
    r"""Read a source notebook of Otter Assign, version 1 and later.

    \b
    Examples:
      grader import otter hw01.ipynb
      grader import otter hw01.ipynb --output lessons/01_means.py
    """
    _import("otter", notebook, course_path, output)


@import_notebook.command()
@_arguments
def nbgrader(notebook: Path, course_path: Path | None, output: Path | None) -> None:
    r"""Read a source notebook of nbgrader: one of those in `source/`.

    \b
    Examples:
      grader import nbgrader source/ps1/problem1.ipynb
    """
    _import("nbgrader", notebook, course_path, output)


def _import(kind: str, notebook: Path, course_path: Path | None, output: Path | None) -> None:
    from grader.authoring.importing.run import import_from

    course = None if output is not None and course_path is None else load_course(course_path)
    path, notes = import_from(kind, notebook, course, output)
    click.echo(path)
    for note in notes:
        click.echo(f"look: {note.text}, {path}:{note.line}", err=True)
    if notes:
        click.echo(f"{len(notes)} places need your eye: search for `# LOOK:`", err=True)

"""`grader release`: what leaves the house."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import (
    assignments_argument,
    assignments_option,
    chosen,
    course_option,
    load_course,
)

if TYPE_CHECKING:
    from grader.config.course import Course
    from grader.model import Suite


@click.command()
@assignments_argument
@assignments_option("Release this one only: the others stay as they are, or are left out.")
@course_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write student.zip and an nbgrader source tree there instead.",
)
@click.option(
    "--nbgrader",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIRECTORY",
    help="Write the nbgrader source tree alone, into this course root.",
)
@click.option(
    "--check", "check_only", is_flag=True, help="Write nothing; fail if a notebook is stale."
)
def release(
    named: tuple[str, ...],
    assignments: tuple[str, ...],
    course_path: Path | None,
    output: Path | None,
    nbgrader: Path | None,
    check_only: bool,
) -> None:
    r"""Turn lessons into the notebooks that students get.

    With --output, write what leaves the house: student.zip for students, and for instructors an
    nbgrader source tree, which holds the solutions. An assignment that has not passed `grader
    verify` as it stands is named; it is released all the same.

    \b
    Examples:
      grader release
      grader release -a embeddings --output week1
      grader release --check
      grader release --output out
      grader release --nbgrader /srv/nbgrader
    """
    from grader.authoring.release import release as run
    from grader.judging.engine import load_suites

    if check_only and (output is not None or nbgrader is not None):
        raise click.UsageError(
            "--check compares the course's own notebooks: leave out --output and --nbgrader"
        )
    course = load_course(course_path)
    asked = chosen(course, (*named, *assignments))
    suites = tuple(load_suites(course, asked).values())
    if not check_only:
        _tell_unverified(course, asked)
    if output is not None:
        _release_to(output, course, suites, asked)
    if nbgrader is not None:
        _release_tree(nbgrader, course, suites, asked)
    if output is not None or nbgrader is not None:
        return
    for path in run(course, suites, check=check_only, assignments=asked):
        click.echo(path)


def _tell_unverified(course: Course, asked: tuple[str, ...]) -> None:
    from grader.authoring.lessons import lesson_paths
    from grader.authoring.verified import standing

    for name, said in standing(course, asked or tuple(lesson_paths(course))).items():
        click.echo(f"warning: `{name}` {said}", err=True)


def _release_to(
    output: Path, course: Course, suites: tuple[Suite, ...], asked: tuple[str, ...]
) -> None:
    from grader.authoring.student_release import student_zip
    from grader.store.output import write_atomically

    content = student_zip(course, suites, asked)
    write_atomically(output / "student.zip", content, mode=None)
    click.echo(output / "student.zip")
    _release_tree(output / "nbgrader", course, suites, asked)


def _release_tree(
    folder: Path, course: Course, suites: tuple[Suite, ...], asked: tuple[str, ...]
) -> None:
    from grader.authoring.nbgrader_tree import WARNING, write_tree

    for path in write_tree(course, suites, folder, asked):
        click.echo(path)
    click.echo(f"warning: {WARNING.format(folder=folder)}", err=True)

"""What the author of a course runs: `new-course`, `checks`, `verify`, `release`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import (
    assignment_names,
    chosen,
    course_option,
    echo_json,
    jobs_option,
    json_option,
    load_course,
    pager_option,
    readable_json,
    seed_option,
)

if TYPE_CHECKING:
    from grader.config import Course
    from grader.model import Suite

GATE_FAILED = 1

assignment_argument = click.argument("assignment", required=False, shell_complete=assignment_names)


@click.command("new-course")
@click.argument("folder", type=click.Path(path_type=Path))
def new_course(folder: Path) -> None:
    r"""Write a small, working course to start from.

    FOLDER must be new or empty. docs/write-a-course.md walks through what is in it.

    \b
    Examples:
      grader new-course my-course
    """
    from grader.new_course import new_course as run

    for path in run(folder):
        click.echo(path)


@click.command()
@assignment_argument
@course_option
@json_option("the suites")
@pager_option
def checks(assignment: str | None, course_path: Path | None, as_json: bool, no_pager: bool) -> None:
    r"""List questions, checks and points.

    \b
    Examples:
      grader checks
      grader checks embeddings
    """
    from grader.reports.paging import listing
    from grader.reports.terminal import print_checks
    from grader.scheduler import load_suites

    course = load_course(course_path)
    suites = load_suites(course, chosen(course, assignment))
    for name in (name for name, suite in suites.items() if not suite.checks):
        click.echo(f"`{name}` has no checks: there is no file test_{name}.py", err=True)
    if as_json:
        echo_json([{"assignment": s.assignment, "checks": s.checks} for s in suites.values()])
    else:
        with listing(no_pager=no_pager) as out:
            print_checks(list(suites.values()), out=out)


@click.command()
@assignment_argument
@course_option
@jobs_option
@seed_option
@click.option(
    "--repeat", type=click.IntRange(1, 1_000_000), default=1, show_default=True,
    help="Grade the reference this often, each time from another seed.",
)  # fmt: skip
@click.option(
    "--thorough",
    is_flag=True,
    help="Plug every mutant into every assignment, even where nothing uses its answers.",
)
@click.option(
    "--kind", "kinds", multiple=True,
    type=click.Choice(["reference", "template", "style", "fake", "mutant"]),
    help="Try cases of this kind alone; can be given more than once.",
)  # fmt: skip
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write the result to this file, too, as JSON.",
)  # fmt: skip
@json_option()
@click.option("-q", "--quiet", is_flag=True, help="Print failures only.")
def verify(
    assignment: str | None,
    course_path: Path | None,
    jobs: int | None,
    seed: int,
    repeat: int,
    thorough: bool,
    kinds: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    r"""Gate the suites: right answers earn all, wrong ones lose, fakes get nothing.

    \b
    Examples:
      grader verify
      grader verify embeddings --repeat 100
      grader verify embeddings --kind fake
    """
    from grader.cases import Kind
    from grader.reports.terminal import Progress
    from grader.reports.verification import print_verification
    from grader.store import write_atomically
    from grader.verify import verify as run

    course = load_course(course_path)
    with Progress(quiet=quiet or as_json) as progress:
        result = run(
            course,
            assignments=chosen(course, assignment),
            jobs=jobs,
            seed=seed,
            repeat=repeat,
            thorough=thorough,
            kinds=[Kind(kind) for kind in kinds] or list(Kind),
            watcher=progress,
        )
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(output, readable_json(result) + "\n", mode=None)
    if as_json:
        echo_json(result)
    else:
        print_verification(result, quiet=quiet)
    sys.exit(0 if result.passed else GATE_FAILED)


@click.command()
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
    course_path: Path | None, output: Path | None, nbgrader: Path | None, check_only: bool
) -> None:
    r"""Turn lessons into the notebooks that students get.

    With --output, write what leaves the house: student.zip for students, and for instructors an
    nbgrader source tree, which holds the solutions.

    \b
    Examples:
      grader release
      grader release --check
      grader release --output out
      grader release --nbgrader /srv/nbgrader
    """
    from grader.release import release as run
    from grader.scheduler import load_suites

    if check_only and (output is not None or nbgrader is not None):
        raise click.UsageError(
            "--check compares the course's own notebooks: leave out --output and --nbgrader"
        )
    course = load_course(course_path)
    suites = tuple(load_suites(course).values())
    if output is not None:
        _release_to(output, course, suites)
    if nbgrader is not None:
        _release_tree(nbgrader, course, suites)
    if output is not None or nbgrader is not None:
        return
    for path in run(course, suites, check=check_only):
        click.echo(path)


def _release_to(output: Path, course: Course, suites: tuple[Suite, ...]) -> None:
    from grader.store import write_atomically
    from grader.student_release import student_zip

    content = student_zip(course, suites)
    write_atomically(output / "student.zip", content, mode=None)
    click.echo(output / "student.zip")
    _release_tree(output / "nbgrader", course, suites)


def _release_tree(folder: Path, course: Course, suites: tuple[Suite, ...]) -> None:
    from grader.nbgrader_tree import WARNING, write_tree

    for path in write_tree(course, suites, folder):
        click.echo(path)
    click.echo(f"warning: {WARNING.format(folder=folder)}", err=True)

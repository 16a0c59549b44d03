"""`grader list`, or `grader checks`: questions, checks and points."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import (
    assignments_argument,
    assignments_option,
    chosen,
    course_option,
    echo_json,
    json_option,
    load_course,
    pager_option,
)

if TYPE_CHECKING:
    pass


@click.command("list")
@assignments_argument
@assignments_option("List this one only.")
@course_option
@json_option("the suites")
@pager_option
def checks(
    named: tuple[str, ...],
    assignments: tuple[str, ...],
    course_path: Path | None,
    as_json: bool,
    no_pager: bool,
) -> None:
    r"""List questions, checks and points.

    `grader checks` is the same.

    \b
    Examples:
      grader list
      grader list -a embeddings -a blocks
      grader list embeddings --json
    """
    from grader.judging.engine import load_suites
    from grader.reports.paging import listing
    from grader.reports.terminal import print_checks
    from grader.scoring.marking import with_manual

    course = load_course(course_path)
    suites = {
        name: with_manual(suite, course.assignment(name).manual)
        for name, suite in load_suites(course, chosen(course, (*named, *assignments))).items()
    }
    for name in (name for name, suite in suites.items() if not suite.assignment.questions):
        click.echo(
            f"`{name}` has no checks: no `# %% check` in its lesson, no file test_{name}.py",
            err=True,
        )
    if as_json:
        echo_json([{"assignment": s.assignment, "checks": s.checks} for s in suites.values()])
    else:
        with listing(no_pager=no_pager) as out:
            print_checks(list(suites.values()), out=out)

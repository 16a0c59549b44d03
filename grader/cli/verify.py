"""`grader verify`: the gate on suites."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import (
    assignment_argument,
    chosen,
    course_option,
    echo_json,
    jobs_option,
    json_option,
    load_course,
    readable_json,
    seed_option,
)
from grader.exit_status import ExitStatus

if TYPE_CHECKING:
    from grader.authoring.verify import Verification
    from grader.config.course import Course


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
    help="Plug every mutant into every assignment, even where nothing uses its answers, and ask"
    " generated ones every check.",
)
@click.option(
    "--kind", "kinds", multiple=True,
    type=click.Choice(
        ["reference", "template", "style", "fake", "mutant", "generated", "partial"]
    ),
    help="Try cases of this kind alone; can be given more than once.",
)  # fmt: skip
@click.option(
    "--strict",
    is_flag=True,
    help="Ask for more: every promise is checked, generated mutants lose, partial work counts.",
)
@click.option(
    "--write-tables",
    is_flag=True,
    help="Add to the tables of --strict what they lack, for you to fill in; with --strict, after"
    " grading.",
)
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
    strict: bool,
    write_tables: bool,
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
      grader verify embeddings --write-tables
      grader verify embeddings --strict
    """
    from grader.authoring.cases import USUAL, Kind
    from grader.authoring.verify import verify as run
    from grader.reports.terminal import Progress
    from grader.reports.verification import print_verification
    from grader.store.output import write_atomically

    course = load_course(course_path)
    usual = list(Kind) if strict else list(USUAL)
    if write_tables:
        _write_skeletons(course, chosen(course, assignment))
        if not (strict or kinds):
            return
    with Progress("Verifying", quiet=quiet or as_json) as progress:
        result = run(
            course,
            assignments=chosen(course, assignment),
            jobs=jobs,
            seed=seed,
            repeat=repeat,
            thorough=thorough,
            kinds=[Kind(kind) for kind in kinds] or usual,
            strict=strict,
            watcher=progress,
        )
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(output, readable_json(result) + "\n", mode=None)
    if as_json:
        echo_json(result)
    else:
        print_verification(result, quiet=quiet)
    if write_tables:
        _write_findings(course, result)
    sys.exit(ExitStatus.OK if result.passed else ExitStatus.BELOW)


def _write_skeletons(course: Course, assignments: Sequence[str]) -> None:
    from grader.authoring.lessons import lesson_paths
    from grader.authoring.skeletons import write_skeletons

    for name in assignments or lesson_paths(course):
        for line in write_skeletons(course, name):
            click.echo(line, err=True)


def _write_findings(course: Course, result: Verification) -> None:
    from grader.authoring.skeletons import write_findings

    for gate in result.gates:
        for line in write_findings(course, gate.assignment, gate.strict) if gate.strict else ():
            click.echo(line, err=True)

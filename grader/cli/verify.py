"""`grader verify`: the gate on suites."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.cluster import asked_cluster, cluster_options, grade_on, told_by
from grader.cli.options import (
    assignments_argument,
    assignments_option,
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
@assignments_argument
@assignments_option("Verify this one only.")
@course_option
@jobs_option
@cluster_options
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
    "--generate",
    is_flag=True,
    help="Make mutants of the reference, too, and list those that no check notices.",
)
@click.option(
    "--sample", type=click.IntRange(min=1), metavar="N",
    help="Of the generated mutants of each function try N, always the same; all unless given.",
)  # fmt: skip
@click.option("--accept", metavar="MUTANT",
              help="Accept a generated mutant that nobody could notice. Needs --reason."
              )  # fmt: skip
@click.option("--write-mutant", "written", metavar="MUTANT",
              help="Write a generated mutant down as one of your own. Needs --loses and --reason.",
              )  # fmt: skip
@click.option("--loses", multiple=True, metavar="QUESTION",
              help="What the mutant that is written must lose. Repeatable.")  # fmt: skip
@click.option("--reason", default="", metavar="TEXT",
              help="Why nobody could notice a mutant; what is wrong with one.")  # fmt: skip
@click.option(
    "--strict/--no-strict",
    default=None,
    help="Ask for more: every promise is checked, generated mutants lose, partial work counts; and"
    " fail for what is only told else.  [default: the course's]",
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
    named: tuple[str, ...],
    assignments: tuple[str, ...],
    course_path: Path | None,
    jobs: int | None,
    cluster: str | None,
    insecure_cluster: bool,
    cluster_wait: float,
    seed: int,
    repeat: int,
    thorough: bool,
    kinds: tuple[str, ...],
    generate: bool,
    sample: int | None,
    accept: str | None,
    written: str | None,
    loses: tuple[str, ...],
    reason: str,
    strict: bool | None,
    write_tables: bool,
    output: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    r"""Gate the suites: right answers earn all, wrong ones lose, fakes get nothing.

    What no mutant proves is told, and the gate passes; with --strict it fails. --generate makes
    mutants of the reference: each one that no check notices is worth a check, or is accepted.

    \b
    Examples:
      grader verify
      grader verify -a embeddings --repeat 100
      grader verify embeddings --kind fake
      grader verify embeddings --generate
      grader verify --accept add:boundary:1 --reason "no caller can see it"
      grader verify embeddings --write-tables
      grader verify embeddings --strict
    """
    from grader.authoring.cases import USUAL, Kind
    from grader.authoring.verified import keep_verified
    from grader.authoring.verify import verify as run
    from grader.reports.terminal import Progress, print_remarks
    from grader.reports.verification import print_verification
    from grader.store.output import write_atomically

    elsewhere = asked_cluster(cluster, insecure=insecure_cluster, wait_s=cluster_wait)
    course = load_course(course_path)
    asked = chosen(course, (*named, *assignments))
    if accept is not None or written is not None:
        _settle(course, asked, accept, written, loses, reason)
        return
    if strict is None:
        # the tables that are written need no grading
        strict = course.strict and not (write_tables or kinds)
    generated = [Kind.GENERATED] if generate else []
    usual = list(Kind) if strict else [*USUAL, *generated]
    tried = [Kind(kind) for kind in kinds] + (generated if kinds else [])
    if write_tables:
        _write_skeletons(course, asked)
        if not (strict or kinds or generate):
            return
    with Progress("Verifying", quiet=quiet or as_json) as progress:
        result = grade_on(elsewhere, run, progress)(
            course,
            assignments=asked,
            jobs=jobs,
            seed=seed,
            repeat=repeat,
            thorough=thorough,
            kinds=tried or usual,
            strict=strict,
            every_check=generate,
            most=sample,
            watcher=progress,
        )
    print_remarks(() if quiet else told_by(elsewhere))
    if not tried and sample is None:
        keep_verified(course, result, strict=strict)
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


def _settle(
    course: Course,
    assignments: Sequence[str],
    accepted: str | None,
    written: str | None,
    loses: Sequence[str],
    reason: str,
) -> None:
    """Accept a generated mutant, or make it one of the course's own."""
    from grader.authoring.survivors import accept, write_mutant

    if accepted is not None and written is not None:
        raise click.UsageError("a mutant is accepted or written, not both")
    if accepted is not None:
        click.echo(accept(course, assignments, accepted, reason))
    elif written is not None:
        click.echo(write_mutant(course, assignments, written, loses, reason))


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

"""`grader verify`: the gate on suites."""

from __future__ import annotations

import sys
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

if TYPE_CHECKING:
    pass
from grader.cli.status import ExitStatus


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
    from grader.authoring.cases import Kind
    from grader.authoring.verify import verify as run
    from grader.reports.terminal import Progress
    from grader.reports.verification import print_verification
    from grader.store.output import write_atomically

    course = load_course(course_path)
    with Progress("Verifying", quiet=quiet or as_json) as progress:
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
    sys.exit(ExitStatus.OK if result.passed else ExitStatus.BELOW)

"""`grader adjust`."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import click

from grader.cli.options import assignment_names, known_name, load_gradebook


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("student")
@click.argument("assignment", shell_complete=assignment_names)
@click.argument("points", type=float)
@click.option("--because", required=True, metavar="REASON", help="Why; the student reads it.")
@click.option(
    "--results",
    default="reports",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The output folder of `grader check`.",
)
def adjust(student: str, assignment: str, points: float, because: str, results: Path) -> None:
    r"""Give or take points by hand, with a reason.

    The line is added to adjustments.jsonl in the output folder, where it survives every regrading;
    nothing in it is ever changed, so take an adjustment back with another one. The next `grader
    check` into that folder applies it and lists it beside the score.

    \b
    Examples:
      grader adjust anna blocks +1.5 --because "the task was ambiguous"
      grader adjust anna blocks -1.5 --because "taken back: see the forum"
    """
    import math
    from datetime import datetime

    from grader.config.policy import Adjustment
    from grader.errors import UsageError
    from grader.gradebook import State
    from grader.store import adjustments
    from grader.store.output import OutputFolder

    gradebook = load_gradebook(results, whole=True)
    known_name(student, {score.student for score in gradebook.scores}, "student", results)
    known_name(assignment, {one.id for one in gradebook.assignments}, "assignment", results)
    if not math.isfinite(points) or points == 0 or not because.strip():
        raise click.UsageError("POINTS must be a number other than 0, and REASON some words")
    states = {(score.student, score.assignment): score.state for score in gradebook.scores}
    if states.get((student, assignment)) is not State.GRADED:
        raise UsageError(
            f"{student} has no score in {assignment} that could be adjusted",
            where=str(results),
            hint="what is ungraded or missing is neither zero nor full marks: grade it first",
        )
    with OutputFolder(results) as folder:
        path = adjustments.add(
            folder,
            Adjustment(
                student=student,
                assignment=assignment,
                points=points,
                because=because.strip(),
                at=datetime.now(UTC).isoformat(timespec="seconds"),
                by=_user(),
            ),
        )
    click.echo(path)
    click.echo("it counts as soon as `grader check` has written to that folder again", err=True)


def _user() -> str:
    """Who is asking; empty where the system doesn't know."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""

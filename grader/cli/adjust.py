"""`grader adjust`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.asked import user
from grader.cli.options import assignment_names, known_name, load_gradebook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grader.config.policy import Adjustment
    from grader.gradebook import Gradebook, Score

EARLIER = (
    "it counts as soon as `grader check` has written to that folder again: its reports are of an "
    "earlier version of the grader, and don't say how they were asked for"
)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("student")
@click.argument("assignment", shell_complete=assignment_names)
@click.argument("points", type=float, required=False)
@click.option(
    "--for", "part", default="", metavar="ID", help="The question or the check that it is for."
)
@click.option("--because", required=True, metavar="REASON", help="Why; the student reads it.")
@click.option("--undo", is_flag=True, help="Take back the latest one, instead of POINTS.")
@click.option(
    "--results",
    default="reports",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The output folder of `grader check`.",
)
def adjust(
    student: str,
    assignment: str,
    points: float | None,
    part: str,
    because: str,
    undo: bool,
    results: Path,
) -> None:
    r"""Give or take points by hand, with a reason.

    It counts at once: the gradebook and the reports in the output folder are written anew. The line
    is added to adjustments.jsonl there, where it survives every regrading; nothing in that file is
    ever changed, and --undo adds another line.

    What is for a question or a check gives no more than it is worth, and takes no more than it has
    given: who gets a wrong check's points by hand does not have them twice when it is repaired.

    \b
    Examples:
      grader adjust anna blocks +1.5 --because "the task was ambiguous"
      grader adjust anna blocks +2 --for test_causality --because "right, in another way"
      grader adjust anna blocks --undo --because "see the forum"
    """
    from grader.errors import GraderError
    from grader.store import adjustments
    from grader.store.output import OutputFolder
    from grader.text import points as shown

    gradebook = load_gradebook(results, whole=True)
    score = _score(gradebook, student, assignment, results)
    if undo == (points is not None):
        raise click.UsageError("give either POINTS or --undo")
    asked = _line(score, points or 0.0, because, part, results)
    with OutputFolder(results) as folder:
        before = adjustments.read(folder)
        line = _taken_back(asked, before, results) if undo else _checked(asked)
        path = adjustments.add(folder, line)
        now = adjustments.in_force((*before, line))
        try:
            after = _write(folder, now)
        except GraderError as error:
            raise GraderError(
                f"the adjustment is recorded, but not all reports are written ({error.message})",
                where=error.where,
                hint="don't adjust again: `grader check` writes them",
            ) from error
    click.echo(path)
    if undo:
        click.echo(f"taken back: {-line.points:+g}", err=True)
    if after is None:
        click.echo(EARLIER, err=True)
    else:
        counts = _score(after, student, assignment, results).earned
        click.echo(f"{student} {assignment}: {shown(score.earned)} → {shown(counts)}", err=True)
        if counts == score.earned and not undo:
            click.echo(_without_effect(line), err=True)


def _without_effect(line: Adjustment) -> str:
    """Why an adjustment changes nothing now, although it stands in the file."""
    part = line.check or line.question
    most = f"`{part}` has" if part else "it has"
    bound = f"{most} all that it is worth" if line.points > 0 else f"{most} nothing to take"
    return f"nothing changes: {bound}; the line counts when that changes, or --undo takes it back"


def _score(gradebook: Gradebook, student: str, assignment: str, results: Path) -> Score:
    """The score that is to be changed.

    Raises:
        UsageError: there is none.
    """
    from grader.errors import UsageError

    known_name(student, {score.student for score in gradebook.scores}, "student", results)
    known_name(assignment, {one.id for one in gradebook.assignments}, "assignment", results)
    for score in gradebook.scores:
        same = (score.student, score.assignment) == (student, assignment)
        if same and score.state.has_points:
            return score
    raise UsageError(
        f"{student} has no score in {assignment} that could be adjusted",
        where=str(results),
        hint="what is ungraded or missing is neither zero nor full marks: grade it first",
    )


def _line(score: Score, points: float, because: str, part: str, results: Path) -> Adjustment:
    """What is added to the file. `part` is the id of a question or a check.

    Raises:
        UsageError: there is no such part, or no reason.
    """
    from datetime import UTC, datetime

    from grader.config.policy import Adjustment
    from grader.errors import UsageError

    checks = {one.check for one in score.outcomes}
    if part:
        waiting = {mark.question for mark in score.marks if mark.waits} - score.questions.keys()
        known_name(part, checks | score.questions.keys() | waiting, "question or check", results)
        if part in waiting:
            raise UsageError(
                f"`{part}` of {score.student} waits for its mark",
                where=str(results),
                hint="`grader mark` gives it",
            )
    if not because.strip():
        raise click.UsageError("REASON must be some words")
    return Adjustment(
        student=score.student,
        assignment=score.assignment,
        points=points,
        because=because.strip(),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        by=user(),
        question="" if part in checks else part,
        check=part if part in checks else "",
    )


def _checked(line: Adjustment) -> Adjustment:
    import math

    if not math.isfinite(line.points) or line.points == 0:
        raise click.UsageError("POINTS must be a number other than 0")
    return line


def _taken_back(line: Adjustment, before: Sequence[Adjustment], results: Path) -> Adjustment:
    """The line that takes back the latest adjustment of this score, question or check.

    Raises:
        UsageError: there is none.
    """
    import msgspec

    from grader.errors import UsageError
    from grader.store import adjustments
    from grader.store.lines import digest

    for one in reversed(adjustments.in_force(before)):
        same = (one.student, one.assignment) == (line.student, line.assignment)
        narrower = line.question or line.check
        if same and (not narrower or (one.question, one.check) == (line.question, line.check)):
            return msgspec.structs.replace(
                line, points=-one.points, question=one.question, check=one.check,
                undoes=digest(one),
            )  # fmt: skip
    raise UsageError(
        f"nothing was adjusted by hand for {line.student} in {line.assignment}",
        where=str(results / adjustments.NAME),
        hint="`grader show` lists what changed a score",
    )


def _write(folder: Path, now: Sequence[Adjustment]) -> Gradebook | None:
    """Write the reports anew with these adjustments; None where nobody knows how they were made."""
    from grader.reports.rewriting import rewrite
    from grader.scoring.adjusting import readjust

    return rewrite(load_gradebook(folder), folder, lambda book: readjust(book, now))

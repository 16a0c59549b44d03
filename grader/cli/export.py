"""`grader export`: scores to where grades live."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click

from grader.cli.options import assignments_option, load_gradebook, narrowed
from grader.exit_status import ExitStatus

if TYPE_CHECKING:
    from grader.gradebook import AssignmentReport, Gradebook
    from grader.gradesheets.filling import Filled
    from grader.intake.roster import Person

SHOWN = 20
# the first are `grader.gradesheets.people.PLATFORMS`, which is not imported for a help text
SHEETS = ("canvas", "moodle", "gradescope", "blackboard", "brightspace", "csv")
SAID = {
    "unmatched": "not in the sheet",
    "ambiguous": "more than one row or student fits",
    "ungraded": "ungraded",
    "missing": "handed nothing in",
    "excused": "excused in the sheet",
    "over": "more points than the sheet's maximum: the platform may cut or refuse them",
}


@click.command(epilog="Exit codes: 0 filled, 2 usage, 3 nobody got a score: nothing is written.")
@click.argument("results", metavar="[RESULTS]", required=False, type=click.Path(path_type=Path))
@click.option("--from-nbgrader", "database", metavar="GRADEBOOK",
              help="Take the scores from nbgrader's gradebook.db, or its db_url.")  # fmt: skip
@click.option("--to", "platform",
              type=click.Choice([*SHEETS, "nbgrader", "json"]),
              help="Whose sheet it is; nbgrader's gradebook; or our gradebook.json.")  # fmt: skip
@click.option("--feedback", type=click.Choice(["moodle", "canvas", "zip"]),
              help="Pack feedback instead: as a platform takes it, or in folders.")  # fmt: skip
@click.option("--all", "everything", is_flag=True,
              help="With --feedback: also what was given back already.")  # fmt: skip
@click.option("--provisional", is_flag=True,
              help="Also what a person has still to mark: with the points so far.")  # fmt: skip
@click.option("--template", type=click.Path(path_type=Path, dir_okay=False),
              help="The sheet as it was downloaded, in CSV; nbgrader's gradebook.db.")  # fmt: skip
@assignments_option("Whose scores; a sheet needs one named if there are several.")
@click.option("--column", help="The heading of the column to fill, if it is not found by itself.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False),
              help="The sheet to write.  [default: beside the template]")  # fmt: skip
def export(
    results: Path | None,
    database: str | None,
    platform: str | None,
    feedback: str | None,
    everything: bool,
    provisional: bool,
    template: Path | None,
    assignments: tuple[str, ...],
    column: str | None,
    output: Path | None,
) -> None:
    r"""Fill scores into a sheet that was downloaded; pack feedback to give back.

    RESULTS is the output folder of `grader check`, or its gradebook.json. Students are matched by
    id, then login, then e-mail address; whoever is not found is listed. Every cell but the scores
    stays what it was, byte for byte. With --feedback, the pages that `grader check` wrote for
    students are packed as the platform takes them, if they have changed since the last time.
    docs/exchange.md says more.

    \b
    Examples:
      grader export reports/ --to canvas --template Grades.csv -a embeddings
      grader export reports/ --to canvas --template Grades.csv -a embeddings -a blocks
      grader export reports/ --to moodle --template Grades.csv -a blocks --output upload.csv
      grader export --from-nbgrader gradebook.db --to json --output gradebook.json
      grader export reports/ --to nbgrader --template gradebook.db
      grader export reports/ --to moodle --template Grades.csv -a essay --provisional
      grader export reports/ --feedback moodle --template Grades.csv -a blocks
      grader export reports/ --feedback canvas --template submissions.zip -a blocks
    """
    if (platform is None) == (feedback is None):
        raise click.UsageError("say --to for scores or --feedback for feedback: one of the two")
    if feedback is not None:
        from grader.cli.export_feedback import give_back

        give_back(
            feedback, results, template, assignments, column, output, everything=everything,
            provisional=provisional,
        )  # fmt: skip
        return
    assert platform is not None
    from grader.gradesheets.columns import layout
    from grader.gradesheets.filling import fill, known_people
    from grader.gradesheets.sheet import Sheet
    from grader.store.output import write_atomically

    where = Path(results or database or "")
    gradebook = narrowed(_scores(results, database), assignments, where)
    if platform != "json":  # which says itself what waits for a person
        gradebook = require_marked(gradebook, where, provisional=provisional)
    _warn(gradebook)
    if platform == "json":
        _write_json(gradebook, output or Path("gradebook.json"))
        return
    if template is None:
        raise click.UsageError(f"--to {platform} needs --template: the file to fill")
    if platform == "nbgrader":
        _fill_nbgrader(gradebook, template)
        return
    asked = (
        gradebook.assignments if assignments else (only_assignment(gradebook, results or database),)
    )
    if column is not None and len(asked) > 1:
        raise click.UsageError("--column names the column of one assignment: name one with -a")
    sheet = Sheet.read(template)
    for one in asked:
        found = layout(platform, sheet, one, str(template), column)
        scores = [score for score in gradebook.scores if score.assignment == one.id]
        filled = fill(sheet, found, scores, known_people(gradebook))
        _tell(filled, one.id if len(asked) > 1 else "")
        if not filled.filled:
            _tell_why_nobody(filled, found.people.people)
            sys.exit(ExitStatus.UNGRADED)
    ids = "-".join(one.id for one in asked)
    target = output or template.with_name(f"{template.stem}-{ids}{template.suffix}")
    write_atomically(target, sheet.encode())
    click.echo(target)


def _scores(results: Path | None, database: str | None) -> Gradebook:
    if database is not None and results is None:
        found: Gradebook = _transfer().read_gradebook(database, "nbgrader")
        return found
    if results is None or database is not None:
        raise click.UsageError("name RESULTS or --from-nbgrader GRADEBOOK: one of the two")
    return load_gradebook(results, whole=True)


def require_marked(gradebook: Gradebook, where: Path, *, provisional: bool) -> Gradebook:
    """Return a gradebook in which nothing waits for a person; what does is `provisional`.

    Raises:
        UsageError: something does, and nobody has said that it may go out as it is.
    """
    import msgspec

    from grader.errors import UsageError
    from grader.gradebook import State

    waiting = sum(score.state is State.UNMARKED for score in gradebook.scores)
    if waiting and not provisional:
        raise UsageError(
            f"nobody has marked all answers of {waiting} submission{'s' * (waiting != 1)} yet",
            where=str(where),
            hint="`grader mark` shows them; `--provisional` gives out the points so far",
        )
    scores = tuple(
        msgspec.structs.replace(score, state=State.GRADED)
        if score.state is State.UNMARKED
        else score
        for score in gradebook.scores
    )
    return msgspec.structs.replace(gradebook, scores=scores)


def _warn(gradebook: Gradebook) -> None:
    """Say what the sheets of others have no place for."""
    from grader.text import WITHOUT_ISOLATION

    if gradebook.isolation is not None and gradebook.isolation.off:
        click.echo(f"warning: graded without isolation: {WITHOUT_ISOLATION}", err=True)


def _transfer() -> ModuleType:
    from grader.errors import UsageError

    try:
        from grader.integrations.nbgrader import transfer
    except ModuleNotFoundError as error:
        raise UsageError(
            f"nbgrader is not installed here ({error.name} is missing)",
            hint="python -m pip install 'walled-grader[nbgrader]'",
        ) from None
    return transfer


def _write_json(gradebook: Gradebook, path: Path) -> None:
    from grader.reports import gradebook_json
    from grader.store.output import write_atomically

    write_atomically(path, gradebook_json.encode(gradebook))
    click.echo(path)


def _fill_nbgrader(gradebook: Gradebook, path: Path) -> None:
    from grader.text import one_line

    for left_out in _transfer().write_gradebook(gradebook, str(path)):
        click.echo(f"left out: {one_line(left_out)}", err=True)
    click.echo(path)


def only_assignment(gradebook: Gradebook, where: Path | str | None) -> AssignmentReport:
    """Return the only assignment that there are scores for.

    Raises:
        UsageError: there are several.
    """
    from grader.errors import UsageError

    if len(gradebook.assignments) == 1:
        return gradebook.assignments[0]
    known = ", ".join(one.id for one in gradebook.assignments)
    raise UsageError(
        "the results hold several assignments", where=str(where), hint=f"choose with -a: {known}"
    )


def _tell(filled: Filled, assignment: str = "") -> None:
    from grader.text import one_line

    of = f"{assignment}: " if assignment else ""
    click.echo(f"{of}{len(filled.filled)} scores filled in", err=True)
    for name, words in SAID.items():
        students: tuple[str, ...] = getattr(filled, name)
        if students:
            shown = ", ".join(one_line(student) for student in students[:SHOWN])
            more = f" and {len(students) - SHOWN} more" if len(students) > SHOWN else ""
            click.echo(f"{len(students)} {words}: {shown}{more}", err=True)


def _tell_why_nobody(filled: Filled, people: Sequence[Person]) -> None:
    """Say why a sheet was not filled: a file that looks done would be uploaded."""
    from grader.text import one_line

    unknown = [*filled.unmatched, *filled.ambiguous]
    if not people:
        why = "nobody stands in the sheet"
    elif unknown:
        known = ", ".join(one_line(one) for one in people[0].known_ids)
        why = (
            f"the gradebook knows students as `{one_line(unknown[0])}`, "
            f"the sheet as {known}: is it the sheet of this class?"
        )
    else:
        why = "nobody has a score that could be filled in"
    click.echo(f"error: nothing is written: {why}", err=True)

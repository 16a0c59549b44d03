"""`grader export --feedback`: feedback to where students read it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import load_gradebook, narrowed
from grader.exit_status import ExitStatus

if TYPE_CHECKING:
    from grader.gradebook import Score
    from grader.gradesheets.filling import Known
    from grader.gradesheets.giving_back import Feedback, Parcels

SHOWN = 20


def give_back(
    way: str,
    results: Path | None,
    template: Path | None,
    assignments: tuple[str, ...],
    column: str | None,
    output: Path | None,
    *,
    everything: bool,
    provisional: bool = False,
) -> None:
    """Pack what has changed since the last time, and remember it."""
    from grader.cli.export import only_assignment, require_marked
    from grader.gradesheets.filling import known_people
    from grader.gradesheets.giving_back import pack
    from grader.names import components
    from grader.store.given_back import read_given, remember_given
    from grader.store.output import write_atomically

    if results is None or not results.is_dir():
        raise click.UsageError("--feedback needs RESULTS: the output folder of `grader check`")
    if template is None and way != "zip":
        what = "the grading worksheet" if way == "moodle" else "the zip of the submissions"
        raise click.UsageError(f"--feedback {way} needs --template: {what}, as it was downloaded")
    if column is not None and way != "moodle":
        raise click.UsageError("--column is where Moodle's sheet has comments")
    gradebook = load_gradebook(results, whole=True)
    asked = only_assignment(narrowed(gradebook, assignments, results), results).id
    folders = components(score.student for score in gradebook.scores)
    gradebook = require_marked(
        narrowed(gradebook, [asked], results), results, provisional=provisional
    )
    scores = {one.student: one for one in gradebook.scores if one.assignment == asked}
    found, without = _read(results, folders, scores, asked)
    given = {} if everything else read_given(results).get(f"{way} {asked}", {})
    fresh = [one for one in found if given.get(one.student) != one.digest]
    known = known_people(gradebook)
    packed = _pack(way, found, scores, known, folders, template, asked)
    changed = {one.student for one in fresh}
    parcels = [one for one in packed.parcels if one.student in changed]
    _tell(packed, len(parcels), without)
    if not parcels:
        sys.exit(ExitStatus.OK if packed.parcels else ExitStatus.UNGRADED)
    target = output or results.parent / f"feedback-{way}-{asked}.zip"
    write_atomically(target, pack(parcels))
    click.echo(target)
    if column is not None and template is not None:
        click.echo(_comments(template, column, fresh, list(scores), known, target))
    sent = {one.student for one in parcels}
    digests = {one.student: one.digest for one in fresh if one.student in sent}
    remember_given(results, f"{way} {asked}", digests)


def _read(
    results: Path, folders: Mapping[str, str], scores: Mapping[str, Score], assignment: str
) -> tuple[list[Feedback], list[str]]:
    """The feedback that `grader check` has written, and who has none of it."""
    from grader.gradebook import State
    from grader.gradesheets.giving_back import Feedback
    from grader.names import component
    from grader.store.output import FEEDBACK

    found, without = [], []
    for student, score in scores.items():
        if score.state is not State.GRADED:
            continue
        place = results / FEEDBACK / folders[student] / component(assignment)
        try:
            page = place.with_name(f"{place.name}.html").read_bytes()
            text = place.with_name(f"{place.name}.md").read_text(encoding="utf-8")
        except OSError:
            without.append(student)
        else:
            found.append(Feedback(student=student, page=page, text=text))
    return found, without


def _pack(
    way: str,
    feedback: Sequence[Feedback],
    scores: Mapping[str, Score],
    known: Known,
    folders: Mapping[str, str],
    template: Path | None,
    assignment: str,
) -> Parcels:
    from grader.gradesheets.filling import match_rows
    from grader.gradesheets.giving_back import for_canvas, for_everybody, for_moodle
    from grader.gradesheets.people import read_people
    from grader.gradesheets.sheet import Sheet

    if way == "zip" or template is None:
        return for_everybody(feedback, folders, assignment)
    if way == "canvas":
        return for_canvas(feedback, scores, template)
    people = read_people(Sheet.read(template), str(template), "moodle")
    return for_moodle(feedback, match_rows(people, list(scores), known), people, assignment)


def _comments(
    template: Path,
    column: str,
    feedback: Sequence[Feedback],
    students: Sequence[str],
    known: Known,
    beside: Path,
) -> Path:
    """Write feedback into the sheet's column of comments, too."""
    from grader.errors import UsageError
    from grader.gradesheets.filling import match_rows
    from grader.gradesheets.giving_back import fill_comments
    from grader.gradesheets.people import read_people
    from grader.gradesheets.sheet import Sheet
    from grader.store.output import write_atomically

    sheet = Sheet.read(template)
    heads = [head.strip() for head in sheet.rows[0]]
    if heads.count(column.strip()) != 1:
        raise UsageError(
            f"no column is called `{column}`",
            where=str(template),
            hint=f"it has {', '.join(heads)}",
        )
    people = read_people(sheet, str(template), "moodle")
    rows = match_rows(people, students, known).rows
    fill_comments(sheet, feedback, rows, heads.index(column.strip()))
    target = beside.with_name(f"{beside.stem}-comments{template.suffix}")
    write_atomically(target, sheet.encode())
    return target


def _tell(packed: Parcels, given: int, without: Sequence[str]) -> None:
    from grader.text import one_line

    click.echo(f"{given} students get feedback", err=True)
    if unchanged := len(packed.parcels) - given:
        click.echo(f"{unchanged} have it already (--all gives it again)", err=True)
    for words, students in (
        ("not found there", packed.unmatched),
        ("more than one fits", packed.ambiguous),
        ("without pages: `grader check` writes them with --format html --format markdown", without),
    ):
        if students:
            shown = ", ".join(one_line(student) for student in students[:SHOWN])
            more = f" and {len(students) - SHOWN} more" if len(students) > SHOWN else ""
            click.echo(f"{len(students)} {words}: {shown}{more}", err=True)

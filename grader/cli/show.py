"""`grader show`: why a score is what it is."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import (
    assignments_option,
    echo_json,
    json_option,
    known_name,
    load_gradebook,
    narrowed,
    pager_option,
)


@click.command()
@click.argument("student")
@click.argument("named", metavar="[ASSIGNMENT]...", nargs=-1)
@assignments_option("Show this one only.")
@click.option(
    "--results",
    default="reports",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The output folder of `grader check`, or its gradebook.json.",
)
@json_option("the scores")
@pager_option
def show(
    student: str,
    named: tuple[str, ...],
    assignments: tuple[str, ...],
    results: Path,
    as_json: bool,
    no_pager: bool,
) -> None:
    r"""Show one student's scores and what went wrong.

    For instructors: the details of hidden checks may hold hidden inputs and values.

    \b
    Examples:
      grader show anna
      grader show anna embeddings --results reports/week1
    """
    from grader.errors import UsageError
    from grader.reports.inspection import print_student
    from grader.reports.paging import listing

    whole = load_gradebook(results)
    known_name(student, {score.student for score in whole.scores}, "student", results)
    gradebook = narrowed(whole, (*named, *assignments), results)
    scores = [score for score in gradebook.scores if score.student == student]
    if not scores:
        raise UsageError(f"{student} has no score there", where=str(results))
    if as_json:
        echo_json(scores)
    else:
        with listing(no_pager=no_pager) as out:
            print_student(gradebook, scores, out=out)

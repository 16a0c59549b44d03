"""`grader show`: why a score is what it is."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import (
    echo_json,
    json_option,
    known_name,
    load_gradebook,
    pager_option,
)


@click.command()
@click.argument("student")
@click.argument("assignment", required=False)
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
    student: str, assignment: str | None, results: Path, as_json: bool, no_pager: bool
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

    gradebook = load_gradebook(results)
    known_name(student, {score.student for score in gradebook.scores}, "student", results)
    if assignment is not None:
        known_name(assignment, {one.id for one in gradebook.assignments}, "assignment", results)
    scores = [
        score
        for score in gradebook.scores
        if score.student == student and assignment in (None, score.assignment)
    ]
    if not scores:
        raise UsageError(f"{student} has no score there", where=str(results))
    if as_json:
        echo_json(scores)
    else:
        with listing(no_pager=no_pager) as out:
            print_student(gradebook, scores, out=out)

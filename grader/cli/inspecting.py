"""What a person asks of results: `show`, `stats`, `diff`."""

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

results_argument = click.argument(
    "results", metavar="[RESULTS]", default="reports", type=click.Path(path_type=Path)
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


@click.command()
@results_argument
@json_option("the numbers")
@pager_option
def stats(results: Path, as_json: bool, no_pager: bool) -> None:
    r"""Show each assignment's mean, median and spread, in percent.

    RESULTS is the output folder of `grader check` (reports, if not given), or its gradebook.json.
    The class report, index.html, shows the same for every question and check.

    \b
    Examples:
      grader stats
      grader stats reports/week1 --json
    """
    from grader.analysis import analyse
    from grader.reports.inspection import print_statistics
    from grader.reports.paging import listing

    gradebook = load_gradebook(results)
    analyses = analyse(gradebook)
    if as_json:
        echo_json(analyses)
    else:
        with listing(no_pager=no_pager) as out:
            print_statistics(gradebook, analyses, out=out)


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@json_option("the changes")
@pager_option
def diff(old: Path, new: Path, as_json: bool, no_pager: bool) -> None:
    r"""Show whose score differs between two gradings, and why.

    OLD and NEW are output folders of `grader check`, or their gradebook.json: what to look at
    before scores are published again.

    \b
    Examples:
      grader diff reports/monday reports/tuesday
    """
    from grader.comparison import compare
    from grader.reports.inspection import print_comparison
    from grader.reports.paging import listing

    found = compare(load_gradebook(old), load_gradebook(new))
    if as_json:
        echo_json(found)
    else:
        with listing(no_pager=no_pager) as out:
            print_comparison(found, out=out)

"""`grader stats`: what the scores say about checks and people."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import (
    assignments_option,
    echo_json,
    json_option,
    load_gradebook,
    pager_option,
    results_argument,
)


@click.command()
@results_argument
@assignments_option("Show this one only.")
@json_option("the numbers")
@pager_option
def stats(results: Path, assignments: tuple[str, ...], as_json: bool, no_pager: bool) -> None:
    r"""Show each assignment's mean, median and spread, in percent.

    RESULTS is the output folder of `grader check` (reports, if not given), or its gradebook.json.
    The class report, index.html, shows the same for every question and check.

    \b
    Examples:
      grader stats
      grader stats reports/week1 --json
    """
    from grader.reports.analysis import analyse
    from grader.reports.inspection import print_statistics
    from grader.reports.paging import listing

    gradebook = load_gradebook(results, assignments)
    analyses = analyse(gradebook)
    if as_json:
        echo_json(analyses)
    else:
        with listing(no_pager=no_pager) as out:
            print_statistics(gradebook, analyses, out=out)

"""`grader diff`: what differs between two gradebooks."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import (
    assignments_option,
    echo_json,
    json_option,
    load_gradebook,
    pager_option,
)


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@assignments_option("Compare this one only.")
@json_option("the changes")
@pager_option
def diff(old: Path, new: Path, assignments: tuple[str, ...], as_json: bool, no_pager: bool) -> None:
    r"""Show whose score differs between two gradings, and why.

    OLD and NEW are output folders of `grader check`, or their gradebook.json: what to look at
    before scores are published again.

    \b
    Examples:
      grader diff reports/monday reports/tuesday
    """
    from grader.reports.comparison import compare
    from grader.reports.inspection import print_comparison
    from grader.reports.paging import listing

    found = compare(load_gradebook(old, assignments), load_gradebook(new, assignments))
    if as_json:
        echo_json(found)
    else:
        with listing(no_pager=no_pager) as out:
            print_comparison(found, out=out)

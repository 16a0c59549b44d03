"""`grader alike`: whose answers are alike."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import assignment_names, course_option, echo_json, json_option, load_course


@click.command()
@click.argument("submissions", metavar="[SUBMISSIONS]...", nargs=-1,
                type=click.Path(path_type=Path))  # fmt: skip
@click.option("-a", "--assignment", "assignments", multiple=True, shell_complete=assignment_names,
              help="Compare this one only. Repeatable.")  # fmt: skip
@click.option("--against", multiple=True, metavar="DIR", type=click.Path(path_type=Path),
              help="Compare with an earlier year's submissions, too. Repeatable.")  # fmt: skip
@click.option("--top", type=click.IntRange(1, 1000), default=50, show_default=True,
              help="How many pairs of each assignment are listed.")  # fmt: skip
@course_option
@click.option("--roster", type=click.Path(path_type=Path, dir_okay=False),
              help="A CSV that says who is in which group: a group's work is one.")  # fmt: skip
@click.option(
    "--output",
    default="alike",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the pages go.",
)
@json_option("what was found")
@click.option("-q", "--quiet", is_flag=True, help="No table.")
def alike(
    submissions: tuple[Path, ...],
    assignments: tuple[str, ...],
    against: tuple[Path, ...],
    top: int,
    course_path: Path | None,
    roster: Path | None,
    output: Path,
    as_json: bool,
    quiet: bool,
) -> None:
    r"""Show whose answers are alike: for a person to read, never a verdict.

    SUBMISSIONS is what `grader check` takes (submissions, if not given). Compared are the functions
    and classes that the notebook asks for, and the student's own that these make use of, as syntax
    trees: without names, comments, type hints, and the order of what commutes. What everybody was
    given counts for nothing. Nothing is run, and nothing leaves this machine. index.html in the
    output folder leads to each pair, side by side.

    \b
    Examples:
      grader alike submissions/
      grader alike submissions/ -a blocks --against ~/2025/submissions
    """
    from grader.alike.comparing import Options, compare
    from grader.gradesheets.enrolment import read_enrolment
    from grader.reports.alike_table import print_alike
    from grader.reports.alike_writing import write_alike
    from grader.store.output import INDEX, OutputFolder

    paths = submissions or (Path("submissions"),)
    course = load_course(course_path, (*paths, *against))
    options = Options(
        assignments=tuple(course.assignment(name).id for name in assignments),
        against=against,
        top=top,
        apart=(output,),
        enrolment=read_enrolment(roster),
    )
    mode = course.report_mode
    with OutputFolder(output, mode) as folder:
        compared, problems = compare(paths, course, options)
        found = write_alike(compared, problems, course.title, folder, mode)
    if as_json:
        echo_json(found)
    elif not quiet:
        print_alike(found)
    click.echo(f"Report: {output / INDEX}", err=True)

"""`grader check`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from grader.cli.asked import absolute, grading_options, with_record
from grader.cli.cluster import asked_cluster, cluster_options, grade_on, told_by
from grader.cli.options import (
    Finite,
    assignments_option,
    checked_device,
    course_option,
    jobs_option,
    load_course,
    seed_option,
)
from grader.cli.status import status_of, stop_as_with_ctrl_c
from grader.exit_status import ExitStatus
from grader.reports.choices import DEFAULT, Format, Hidden


@click.command(
    epilog="Exit codes: 0 all graded, 1 below --fail-under, 2 usage, 3 something ungraded, "
    "4 nothing to grade, 130 interrupted."
)
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@assignments_option("Grade this one only; scores in others stand.")
@click.option(
    "--check",
    "checks",
    multiple=True,
    metavar="NAME",
    help="Run this check only, or a question's, or a pattern's; into a folder of its own. "
    "Repeatable.",
)
@course_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where reports go.  [default: reports; with --check, reports/checks]",
)
@click.option(
    "--format",
    "formats",
    type=click.Choice([one.value for one in Format]),
    multiple=True,
    help=f"Write this report. Repeatable.  [default: {', '.join(DEFAULT)}]",
)
@click.option(
    "--show-hidden",
    type=click.Choice([one.value for one in Hidden]),
    default=Hidden.TITLES.value,
    show_default=True,
    help="How much of the hidden checks a student's feedback names.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the gradebook as JSON on stdout.")
@jobs_option
@click.option(
    "--device", callback=checked_device, default="auto", show_default=True, help="Where checks run."
)
@seed_option
@click.option(
    "--timeout",
    type=Finite(min=0.01, max=604_800),
    metavar="S",
    help="Seconds for one check, and for one cell.  [default: the course's]",
)
@click.option(
    "--fail-under",
    type=Finite(0, 100),
    metavar="PCT",
    help="Exit with 1 if a score is below this percentage.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="STUDENT",
    help="Grade this student only; all others' scores stand. Repeatable.",
)
@click.option(
    "--roster",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A CSV of everyone in the course: who handed in nothing is listed as missing.",
)
@click.option("--submitted-at", "submitted_at",
              type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="A CSV that says who handed in when; it comes before all others.")  # fmt: skip
@click.option("--extensions", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="A CSV that says who has longer.  [default: the course's]")  # fmt: skip
@click.option(
    "--sandbox",
    type=click.Choice(["on", "off"]),
    default="on",
    show_default=True,
    help="off: trust the submissions. Recorded in every report.",
)
@cluster_options
@click.option("--force", is_flag=True, help="Grade also what has not changed since the last run.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no table.")
@click.option("-v", "--verbose", is_flag=True, help="A line for each submission.")
def check(
    paths: tuple[Path, ...],
    assignments: tuple[str, ...],
    checks: tuple[str, ...],
    course_path: Path | None,
    output: Path | None,
    formats: tuple[str, ...],
    show_hidden: str,
    as_json: bool,
    jobs: int | None,
    device: str,
    seed: int,
    timeout: float | None,
    fail_under: float | None,
    only: tuple[str, ...],
    roster: Path | None,
    submitted_at: Path | None,
    extensions: Path | None,
    sandbox: str,
    cluster: str | None,
    insecure_cluster: bool,
    cluster_wait: float,
    force: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    r"""Grade notebooks and scripts.

    PATH is a folder of submissions (STUDENT/FILE, STUDENT/ASSIGNMENT/FILE or STUDENT.ipynb), one
    file, a zip of any of these, or what a learning platform lets you download. Results are kept in
    the output folder: only what has changed since the last run is graded again. With --only or -a,
    all other scores in that folder stand as they were.

    With --check, scores are those of these checks alone, which never replace others.

    \b
    Examples:
      grader check submissions/
      grader check submissions/ -a embeddings --output reports/week1
      grader check Canvas-download.zip -a blocks --roster Grades.csv
      grader check submissions/ --format html --format csv --show-hidden questions
      grader check submissions/ --check test_causal --check "dtype*"
      grader check submissions/ --cluster tls://scheduler.example.edu:8786
      grader check alice.ipynb --json | python -m json.tool
    """
    from grader.gradebook import Asked
    from grader.pipeline import check as run
    from grader.pipeline import score_rules
    from grader.reports import gradebook_json
    from grader.reports.terminal import Progress, print_remarks, print_scores
    from grader.reports.writing import write_reports
    from grader.scoring.merging import Merged, Narrowed, merge
    from grader.scoring.rules import remark
    from grader.store import printed
    from grader.store.output import OutputFolder
    from grader.store.results import Results
    from grader.store.standing import (
        graded_with_now,
        read_regrades,
        read_standing,
        require_place_for,
    )
    from grader.text import one_line

    elsewhere = asked_cluster(cluster, insecure=insecure_cluster, wait_s=cluster_wait)
    course = load_course(course_path, paths)
    if not quiet:
        click.echo(f"Course: {one_line(course.title)} ({one_line(str(course.root))})", err=True)
    wanted = tuple(Format(name) for name in formats or DEFAULT)
    reports_folder = Path("reports")
    output = output or (reports_folder / "checks" if checks else reports_folder)
    asked = Asked(
        paths=tuple(map(absolute, paths)),
        seed=seed,
        timeout_s=timeout,
        roster=absolute(roster),
        submitted_at=absolute(submitted_at),
        extensions=absolute(extensions),
        formats=tuple(one.value for one in wanted),
        show_hidden=show_hidden,
    )
    log = read_regrades(output, course)
    options = grading_options(
        course, asked, output, assignments=assignments, only=only, device=device, jobs=jobs,
        sandbox=sandbox == "on", regrades=log, checks=checks,
        apart=(output, reports_folder) if checks else (output,), cluster=cluster is not None,
    )  # fmt: skip
    narrowed = Narrowed(options.only, options.assignments, options.roster)
    stop_as_with_ctrl_c()
    mode = course.report_mode
    with OutputFolder(output, mode) as folder:
        require_place_for(checks, folder)
        before = read_standing(folder, course, checks) if narrowed else None
        results = Results(folder, sandbox=options.sandbox, force=force, mode=mode)
        with Progress(quiet=quiet or as_json, verbose=verbose) as progress:
            gradebook = grade_on(elsewhere, run, progress)(
                paths, course, options, progress, results
            )
        gradebook = with_record(gradebook, asked, log)
        whole = Merged(gradebook)
        if before is not None:
            before = remark(before, course, score_rules(course, options))
            now = graded_with_now(course, before, gradebook)
            whole = merge(before, gradebook, course, narrowed, graded_with=now,
                          adjustments=options.adjustments)  # fmt: skip
        printed.keep(whole.gradebook, folder, mode)
        reports = write_reports(
            whole.gradebook, folder, wanted, Hidden(show_hidden), mode, whole.unchanged
        )
    if as_json:
        sys.stdout.buffer.write(gradebook_json.encode(whole.gradebook))
    elif not quiet and Format.TERMINAL in wanted:
        print_scores(whole.of_this_run(gradebook), reports)
    if not quiet:
        print_remarks([*whole.remarks(), *results.remarks(), *told_by(elsewhere)])
    if not gradebook.complete:
        sys.exit(ExitStatus.INTERRUPTED)
    sys.exit(status_of(gradebook, fail_under, everyone=not options.only))
